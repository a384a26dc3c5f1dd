#include "two_slots.hpp"

#include "boot_readers.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/delta.hpp>
#include <sinew/firmware/io.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sinew::firmware::test {

namespace {

constexpr int most_versions = 4;

std::string number(std::uint64_t value) {
    return std::to_string(value);
}

/// A GRUB environment block of one sector.
std::string grub_block(std::string const& lines) {
    auto block = "# GRUB Environment Block\n" + lines;
    return block + std::string(block_size_bytes - block.size(), '#');
}

std::string state(char slot, std::string const& trial) {
    return grub_block(std::string("slot=") + slot + "\ntry=" + trial + "\nwhole=yes\n");
}

std::string quoted(std::string const& text) {
    std::string out = "\"";
    for (char const c : text) {
        out += c == '\n' ? "\\n" : std::string(1, c);
    }
    return out + "\"";
}

std::string content(std::string const& name, std::string const& bytes) {
    return "file-resource " + name + " { contents = " + quoted(bytes) + " }\n";
}

std::string on_resource(std::string const& name, std::string const& functions) {
    return "  on-resource " + name + " { " + functions + " }\n";
}

std::uint64_t boot_of(char slot) {
    return slot == 'a' ? layout::boot_a : layout::boot_b;
}

std::uint64_t rootfs_of_slot(char slot) {
    return slot == 'a' ? layout::rootfs_a : layout::rootfs_b;
}

std::string environment_section() {
    return "uboot-environment env { block-offset = " + number(layout::environment_block) +
           " block-count = 16 block-offset-redund = " + number(layout::redundant_environment_block) + " }\n";
}

std::string partition(int index, std::uint64_t offset, std::uint64_t count, std::string const& type) {
    return "  partition " + std::to_string(index) + " { block-offset = " + number(offset) +
           " block-count = " + number(count) + " type = " + type + " }\n";
}

std::string mbr_section() {
    return "mbr mbr {\n  signature = 0x534e5731\n" +
           partition(0, layout::boot_a, layout::boot_blocks, "0x0c") +
           partition(1, layout::boot_b, layout::boot_blocks, "0x0c") +
           "  partition 3 { block-offset = " + number(layout::extended) + " type = 0x0f }\n" +
           partition(4, layout::rootfs_a, layout::rootfs_blocks, "0x83") +
           partition(5, layout::rootfs_b, layout::rootfs_blocks, "0x83") +
           "  partition 6 { block-offset = " + number(layout::data) +
           " block-count = 128 type = 0x83 expand = true }\n}\n";
}

/// `from`: the slot that patches are applied to.
std::string slot_payload(char slot, std::optional<char> from) {
    auto const fat = number(boot_of(slot));
    auto const old_kernel = from ? patched_from_file(boot_of(*from), "vmlinuz") : "";
    auto const old_rootfs = from ? patched_from_blocks(rootfs_of_slot(*from), layout::rootfs_blocks) : "";
    return on_resource("grub.cfg", "fat_write(" + fat + ", \"grub.cfg\")") +
           on_resource("vmlinuz", old_kernel + "fat_write(" + fat + ", \"vmlinuz\")") +
           on_resource("rootfs.img", old_rootfs + "raw_write(" + number(rootfs_of_slot(slot)) + ")");
}

/// The same noise in every version, with a mark of the version in every block: a mixture of two is
/// recognised, and a patch is small.
Bytes marked_noise(std::size_t size, std::uint32_t seed, int version) {
    auto bytes = noise(size, seed);
    for (std::size_t at = 0; at + 8 <= size; at += block_size_bytes) {
        store_le64(bytes, at, 0x1234567u * static_cast<std::uint64_t>(version) + at);
    }
    return bytes;
}

std::string make_boot(char slot) {
    return "fat_mkfs(" + number(boot_of(slot)) + ", " + number(layout::boot_blocks) + ")";
}

std::string set_slot_variables(char slot) {
    auto const prefix = std::string("uboot_setenv(env, \"") + slot + ".nerves_fw_";
    return prefix + "version\", \"\\${FWUP_META_VERSION}\") " + prefix + "platform\", \"test\") " + prefix +
           "uuid\", \"\\${FWUP_META_UUID}\")";
}

std::string raw_write(std::uint64_t block) {
    return "raw_write(" + number(block) + ")";
}

std::string upgrade_task(char from, char to) {
    std::string const name(1, to);
    std::string const key = std::string("\"") + to + ".nerves_fw_";
    // First the slot is forbidden (a former update may have committed it), last it is allowed: the commit
    // point.
    return "task upgrade." + name + " {\n  require-uboot-variable(env, \"nerves_fw_active\", \"" + from +
           "\")\n  on-init { raw_memset(" + number(layout::tried_block) + ", 1, 0xff) uboot_unsetenv(env, " +
           key + "version\") uboot_unsetenv(env, " + key + "uuid\") " + make_boot(to) + " }\n" +
           slot_payload(to, from) +
           on_resource("try-" + name + "-copy",
                       set_slot_variables(to) + " " + raw_write(layout::state_copy_block)) +
           on_resource("try-" + name, raw_write(layout::state_block)) +
           on_resource("not-tried", raw_write(layout::tried_block)) + "}\n";
}

Variables grub_variables(BlockDevice& disk, std::uint64_t block) {
    return read_grub_block(bytes_at(disk, block, block_size_bytes));
}

std::string grub_cfg_of(int version) {
    return "linux /vmlinuz version=" + std::to_string(version) + "\n";
}

struct Content {
    Bytes kernel;
    Bytes rootfs;
};

Content const& content_of(int version) {
    static std::map<int, Content> made;
    auto& content = made[version];
    if (content.kernel.empty()) {
        content = {marked_noise(40'000, 1, version),
                   marked_noise(600 * block_size_bytes - 100, 100, version)};
    }
    return content;
}

/// The version of a slot whose parts all belong together, or 0. Compared as text: that is quick without
/// optimisation, too.
int complete_version(BytesView file_system, BytesView rootfs) {
    auto const kernel = read_fat_file(file_system, "vmlinuz");
    auto const config = read_fat_file(file_system, "grub.cfg");
    for (int version = 1; kernel && config && version <= most_versions; ++version) {
        auto const& content = content_of(version);
        if (as_text(*kernel) == as_text(content.kernel) && as_text(*config) == grub_cfg_of(version) &&
            as_text(rootfs).starts_with(as_text(content.rootfs))) {
            return version;
        }
    }
    return 0;
}

} // namespace

Bytes kernel_of(int version) {
    return content_of(version).kernel;
}

Bytes rootfs_of(int version) {
    return content_of(version).rootfs;
}

Bytes const& firmware_archive(int version) {
    static std::map<int, Bytes> made;
    auto& archive = made[version];
    if (!archive.empty()) {
        return archive;
    }
    Workshop const workshop;
    workshop.write("vmlinuz", kernel_of(version));
    workshop.write("rootfs.img", rootfs_of(version));
    auto const fat = number(layout::boot_a);
    archive = workshop.archive(
        "meta-product = P\nmeta-platform = test\nmeta-version = \"" + std::to_string(version) + "\"\n" +
        content("grub.cfg", grub_cfg_of(version)) + "file-resource vmlinuz { host-path = vmlinuz }\n" +
        "file-resource rootfs.img { host-path = rootfs.img }\n" + content("state-a-copy", state('a', "")) +
        content("state-a", state('a', "")) + content("try-a-copy", state('b', "a")) +
        content("try-a", state('b', "a")) + content("try-b-copy", state('a', "b")) +
        content("try-b", state('a', "b")) + content("not-tried", grub_block("tried=0\n")) +
        environment_section() + mbr_section() + "task complete {\n  on-init { " + make_boot('a') + " }\n" +
        slot_payload('a', std::nullopt) + on_resource("not-tried", raw_write(layout::tried_block)) +
        on_resource("state-a-copy", raw_write(layout::state_copy_block)) +
        on_resource("state-a", raw_write(layout::state_block)) +
        "  on-finish { uboot_clearenv(env) uboot_setenv(env, \"nerves_fw_active\", \"a\") " +
        set_slot_variables('a') + " mbr_write(mbr) }\n}\n" + upgrade_task('b', 'a') + upgrade_task('a', 'b'));
    return archive;
}

Bytes delta_archive(int from, int to) {
    Workshop const workshop;
    workshop.write("old.fw", firmware_archive(from));
    workshop.write("new.fw", firmware_archive(to));
    DeltaOptions options;
    options.from = workshop.path("old.fw");
    options.to = workshop.path("new.fw");
    options.output = workshop.path("delta.fw");
    auto const report = must(make_delta_archive(options));
    if (report.patched.size() != 2) {
        throw std::runtime_error("kernel and root file system must come as patches");
    }
    return workshop.read("delta.fw");
}

Bytes const& operations_archive() {
    static Bytes archive;
    if (!archive.empty()) {
        return archive;
    }
    std::string script = "meta-product = P\nmeta-platform = test\n" + environment_section();
    for (char const slot : {'a', 'b'}) {
        std::string const name(1, slot);
        script +=
            content("state-" + name + "-copy", state(slot, "")) + content("state-" + name, state(slot, ""));
    }
    for (char const slot : {'a', 'b'}) {
        std::string const name(1, slot);
        std::string const before(1, slot == 'a' ? 'b' : 'a');
        auto const body = "{\n  require-uboot-variable(env, \"nerves_fw_active\", \"" + before + "\")\n" +
                          on_resource("state-" + name, "uboot_setenv(env, \"nerves_fw_active\", \"" + name +
                                                           "\") " + raw_write(layout::state_block)) +
                          on_resource("state-" + name + "-copy", raw_write(layout::state_copy_block)) + "}\n";
        script += "task validate." + name + " " + body;
        script += "task revert." + name + " " + body;
    }
    archive = Workshop().archive(script);
    return archive;
}

Booted boot(BlockDevice& disk) {
    auto variables = grub_variables(disk, layout::state_block);
    if (variables["whole"] != "yes") {
        variables = grub_variables(disk, layout::state_copy_block);
    }
    Booted booted;
    if (variables["whole"] != "yes" || variables["slot"].size() != 1 || variables["try"].size() > 1) {
        return booted;
    }
    booted.slot = variables["slot"][0];
    auto const trial = variables["try"];
    if (!trial.empty() && grub_variables(disk, layout::tried_block)["tried"] == "0") {
        booted.slot = trial[0];
        booted.trial = true;
    } else {
        booted.rolled_back = !trial.empty();
    }
    auto file_system = bytes_at(disk, boot_of(booted.slot), layout::boot_blocks * block_size_bytes);
    // The bootloader takes the other slot only if it can't load this one; it can't see whether a root file
    // system is whole.
    if (!read_fat_file(file_system, "vmlinuz") || !read_fat_file(file_system, "grub.cfg")) {
        booted.slot = booted.slot == 'a' ? 'b' : 'a';
        file_system = bytes_at(disk, boot_of(booted.slot), layout::boot_blocks * block_size_bytes);
    }
    booted.version = complete_version(
        file_system, bytes_at(disk, rootfs_of_slot(booted.slot), layout::rootfs_blocks * block_size_bytes));
    return booted;
}

void mark_tried(BlockDevice& disk) {
    must(disk.write_at(layout::tried_block * block_size_bytes, as_bytes(grub_block("tried=1\n"))));
}

} // namespace sinew::firmware::test
