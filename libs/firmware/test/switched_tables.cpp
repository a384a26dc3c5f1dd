#include "switched_tables.hpp"

#include "boot_readers.hpp"
#include "grub.hpp"
#include "power_cut_disk.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/delta.hpp>
#include <sinew/firmware/io.hpp>

#include <sodium.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew::firmware::test {

namespace {

constexpr int most_versions = 3;
constexpr std::size_t kernel_bytes = 20'000;
constexpr std::size_t rootfs_bytes = switched::rootfs_blocks * block_size_bytes - 100;

struct Content {
    Bytes kernel;
    Bytes rootfs;
};

/// Noise with a mark of the version in every block, so that a mixture is recognised and a patch is small.
Bytes marked(Bytes bytes, int version) {
    for (std::size_t at = 0; at + 4 <= bytes.size(); at += block_size_bytes) {
        store_le32(bytes, at, static_cast<std::uint32_t>(version) * 0x01020304u);
    }
    return bytes;
}

Content const& content_of(int version) {
    static auto const all = [] {
        std::array<Content, most_versions + 1> made;
        for (int i = 0; i <= most_versions; ++i) {
            made[static_cast<std::size_t>(i)] = {marked(noise(kernel_bytes, 11), i),
                                                 marked(noise(rootfs_bytes, 12), i)};
        }
        return made;
    }();
    return all.at(static_cast<std::size_t>(version));
}

std::string number(std::uint64_t value) {
    return std::to_string(value);
}

std::uint64_t boot_of(char slot) {
    return slot == 'a' ? switched::boot_a : switched::boot_b;
}

std::uint64_t rootfs_at(char slot) {
    return slot == 'a' ? switched::rootfs_a : switched::rootfs_b;
}

bool uses_mbr(SwitchedBy by) {
    return by == SwitchedBy::mbr || by == SwitchedBy::mbr_at_first;
}

std::string partition(SwitchedBy by, int index, std::uint64_t block, std::uint64_t count, bool bootable) {
    auto const identity =
        uses_mbr(by)
            ? std::string(" type = 0x83")
            : " type = \"0fc63daf-8483-4772-8e79-3d69d8477de4\" guid = \"" + number(10'000'000 + block) +
                  "-0000-4000-8000-000000000000\" name = part" + number(static_cast<std::uint64_t>(index));
    return "  partition " + std::to_string(index) + " { block-offset = " + number(block) +
           " block-count = " + number(count) + identity + (bootable ? " boot = true" : "") + " }\n";
}

/// The table that starts `slot`: its partitions come first.
std::string table(SwitchedBy by, std::string const& name, char slot, bool validated) {
    char const other = slot == 'a' ? 'b' : 'a';
    auto const head = uses_mbr(by)
                          ? "mbr " + name + " {\n  signature = 0x01020304\n"
                          : "gpt " + name + " {\n  guid = \"b443fbeb-2c93-481b-88b3-0ecb0aeba911\"\n";
    return head + partition(by, 0, boot_of(slot), switched::boot_blocks, validated) +
           partition(by, 1, rootfs_at(slot), switched::rootfs_blocks, false) +
           partition(by, 2, boot_of(other), switched::boot_blocks, false) +
           partition(by, 3, rootfs_at(other), switched::rootfs_blocks, false) + "}\n";
}

std::string set(std::string const& name, std::string const& value) {
    return "uboot_setenv(env, " + name + ", \"" + value + "\") ";
}

/// What makes `slot` the one that starts.
std::string decide(SwitchedBy by, char slot, bool validated) {
    auto const name = std::string(1, slot) + (validated ? "" : "-trial");
    switch (by) {
    case SwitchedBy::environment_on_gpt:
        return "gpt_write(a) " + set("validated", validated ? "1" : "0") +
               set("active", std::string(1, slot));
    case SwitchedBy::mbr:
    case SwitchedBy::mbr_at_first:
        return "mbr_write(" + name + ")";
    default:
        return "gpt_write(" + name + ")";
    }
}

std::string payload(char slot, std::optional<char> from) {
    auto const old_kernel = from ? patched_from_file(boot_of(*from), "vmlinuz") : "";
    auto const old_rootfs = from ? patched_from_blocks(rootfs_at(*from), switched::rootfs_blocks) : "";
    return "  on-resource vmlinuz { " + old_kernel + "fat_write(" + number(boot_of(slot)) + ", vmlinuz) }\n" +
           "  on-resource rootfs.img { " + old_rootfs + "raw_write(" + number(rootfs_at(slot)) + ") }\n";
}

std::string make_boot(char slot) {
    return "fat_mkfs(" + number(boot_of(slot)) + ", " + number(switched::boot_blocks) + ") ";
}

std::string tasks_from(SwitchedBy by, char from) {
    char const to = from == 'a' ? 'b' : 'a';
    bool const is_first = by == SwitchedBy::mbr_at_first || by == SwitchedBy::gpt_at_first;
    auto const decision = decide(by, to, false);
    auto const running = "  require-path-at-offset(\"/\", " + number(rootfs_at(from)) + ")\n";
    return std::string("task upgrade.") + to + " {\n" + running + "  on-init { " + make_boot(to) +
           (is_first ? decision : "") + " }\n" + payload(to, from) + "  on-finish { " +
           (is_first ? "" : decision) + " }\n}\n" + "task validate." + from + " {\n" + running +
           "  on-init { " + decide(by, from, true) + " }\n}\n" + "task revert." + to + " {\n" + running +
           "  on-init { " + decide(by, to, true) + " }\n}\n";
}

std::optional<Variables> environment_of(Bytes const& disk) {
    auto const copy = [&](std::uint64_t block) {
        return BytesView(disk).subspan(block * block_size_bytes,
                                       switched::environment_blocks * block_size_bytes);
    };
    return read_uboot_environment(copy(switched::environment_block), copy(switched::environment_copy_block));
}

int version_in(Bytes const& disk, TableEntry const& boot, TableEntry const& rootfs) {
    auto const blocks = [&](TableEntry const& entry) {
        return BytesView(disk).subspan(entry.first_block * block_size_bytes,
                                       (entry.end_block - entry.first_block) * block_size_bytes);
    };
    auto const kernel = read_fat_file(blocks(boot), "vmlinuz");
    auto const root = blocks(rootfs).first(rootfs_bytes);
    for (int version = 1; version <= most_versions; ++version) {
        auto const& content = content_of(version);
        // As text: comparing bytes one by one takes long without optimisation.
        if (kernel && as_text(*kernel) == as_text(content.kernel) &&
            as_text(root) == as_text(content.rootfs)) {
            return version;
        }
    }
    return 0;
}

constexpr std::uint64_t whole_rootfs_blocks = rootfs_bytes / block_size_bytes;

std::string sha256(BytesView bytes) {
    Bytes digest(crypto_hash_sha256_BYTES);
    crypto_hash_sha256(reinterpret_cast<unsigned char*>(digest.data()),
                       reinterpret_cast<unsigned char const*>(bytes.data()), bytes.size());
    return to_hex(digest);
}

std::string partition_of_grub(SwitchedBy by, int number_from_1) {
    return std::string("(@,") + (uses_mbr(by) ? "msdos" : "gpt") + std::to_string(number_from_1) + ")";
}

char slot_by_fw_printenv(Bytes const& disk) {
    Workshop const workshop;
    workshop.write("disk", disk);
    static_assert(switched::environment_blocks * block_size_bytes == 0x800);
    std::string config;
    for (auto const block : {switched::environment_block, switched::environment_copy_block}) {
        config += workshop.text_path("disk") + " " + number(block * block_size_bytes) + " 0x800\n";
    }
    workshop.write("config", config);
    return tool({"fw_printenv", "-n", "-c", workshop.text_path("config"), "active"}).at(0);
}

/// Where the partition of the kernel begins, and whose hashes kernel and root file system have.
StartedSlot slot_in_answer(std::string const& answer) {
    static std::regex const form(R"(Partition\s+start\s+at\s+(\d+)KiB.*?([0-9a-f]{64})\s+\S+/vmlinuz)"
                                 R"(.*?([0-9a-f]{64})\s+\S+\)0\+)");
    std::smatch found;
    if (!std::regex_search(answer, found, form)) {
        return {};
    }
    StartedSlot started;
    started.slot = std::stoull(found[1]) * 1024 == boot_of('a') * block_size_bytes ? 'a' : 'b';
    for (int version = 1; version <= most_versions; ++version) {
        auto const& content = content_of(version);
        if (found[2] == sha256(content.kernel) &&
            found[3] == sha256(BytesView(content.rootfs).first(whole_rootfs_blocks * block_size_bytes))) {
            started.version = version;
        }
    }
    return started;
}

} // namespace

Bytes const& switched_archive(SwitchedBy by, int version) {
    static std::map<std::pair<SwitchedBy, int>, Bytes> made;
    auto& archive = made[{by, version}];
    if (!archive.empty()) {
        return archive;
    }
    Workshop const workshop;
    workshop.write("vmlinuz", content_of(version).kernel);
    workshop.write("rootfs.img", content_of(version).rootfs);
    bool const has_environment = by == SwitchedBy::environment_on_gpt;
    archive = workshop.archive(
        "file-resource vmlinuz { host-path = vmlinuz skip-holes = false }\n"
        "file-resource rootfs.img { host-path = rootfs.img skip-holes = false }\n"
        "uboot-environment env { block-offset = " +
        number(switched::environment_block) + " block-count = " + number(switched::environment_blocks) +
        " block-offset-redund = " + number(switched::environment_copy_block) + " }\n" +
        table(by, "a", 'a', true) + table(by, "a-trial", 'a', false) + table(by, "b", 'b', true) +
        table(by, "b-trial", 'b', false) + "task complete {\n  on-init { " + make_boot('a') + " }\n" +
        payload('a', std::nullopt) + "  on-finish { " + (has_environment ? "uboot_clearenv(env) " : "") +
        decide(by, 'a', true) + " }\n}\n" + tasks_from(by, 'a') + tasks_from(by, 'b'));
    return archive;
}

Bytes switched_delta(SwitchedBy by, int from, int to) {
    Workshop const workshop;
    workshop.write("old.fw", switched_archive(by, from));
    workshop.write("new.fw", switched_archive(by, to));
    DeltaOptions options;
    options.from = workshop.path("old.fw");
    options.to = workshop.path("new.fw");
    options.output = workshop.path("delta.fw");
    if (must(make_delta_archive(options)).patched.size() != 2) {
        throw std::runtime_error("kernel and root file system must come as patches");
    }
    return workshop.read("delta.fw");
}

StartedSlot started_slot(PowerCutDisk const& disk, SwitchedBy by) {
    auto const& bytes = disk.content();
    auto const entries = uses_mbr(by) ? read_mbr_entries(bytes) : read_gpt_entries(bytes);
    if (!entries) {
        return {};
    }
    auto boot = (*entries)[0];
    auto rootfs = (*entries)[1];
    StartedSlot started{boot.first_block == switched::boot_a ? 'a' : 'b', boot.bootable, 0};
    if (by == SwitchedBy::environment_on_gpt) {
        auto variables = environment_of(bytes);
        if (!variables || (*variables)["active"].size() != 1) {
            return {};
        }
        started.slot = (*variables)["active"][0];
        started.is_validated = (*variables)["validated"] == "1";
        if (started.slot == 'b') {
            boot = (*entries)[2];
            rootfs = (*entries)[3];
        }
    }
    if (boot.first_block != boot_of(started.slot) || rootfs.first_block != rootfs_at(started.slot)) {
        return {};
    }
    started.version = version_in(bytes, boot, rootfs);
    return started;
}

std::vector<StartedSlot> slots_started_by_grub(std::vector<Bytes> const& disks, SwitchedBy by) {
    std::vector<GrubDisk> questions;
    for (auto const& disk : disks) {
        bool const is_second_pair = by == SwitchedBy::environment_on_gpt && slot_by_fw_printenv(disk) == 'b';
        auto const boot = partition_of_grub(by, is_second_pair ? 3 : 1);
        auto const rootfs = partition_of_grub(by, is_second_pair ? 4 : 2);
        questions.push_back({disk,
                             {"ls -l " + boot, "sha256sum " + boot + "/vmlinuz",
                              "sha256sum " + rootfs + "0+" + number(whole_rootfs_blocks)}});
    }
    std::vector<StartedSlot> started;
    for (auto const& answer : ask_grub(questions)) {
        started.push_back(slot_in_answer(answer));
    }
    return started;
}

} // namespace sinew::firmware::test
