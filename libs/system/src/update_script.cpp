/// Writing the update scripts.
///
/// Invariant: in every task the last thing touched is the one that makes it count.
#include <sinew/device/boot_counters.hpp>
#include <sinew/device/data_mark.hpp>
#include <sinew/system/boot_script.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/layout.hpp>
#include <sinew/system/update_script.hpp>

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace sinew::system {

namespace {

/// Blocks overwritten at the start of the data partition, behind the mark, so that nobody mounts what was there.
constexpr std::uint64_t data_wipe_blocks = 255;

/// A double-quoted string of the update script language.
std::string quote(std::string_view text) {
    std::string quoted = "\"";
    for (auto const c : text) {
        if (c == '\n') {
            quoted += "\\n";
            continue;
        }
        if (c == '"' || c == '\\' || c == '$') {
            quoted += '\\';
        }
        quoted += c;
    }
    return quoted + "\"";
}

/// Builds the text, one construct a function.
class Writer {
public:
    Writer(Description const& description, Layout const& layout)
        : m_description(description)
        , m_layout(layout) {}

    void line(std::string const& text) { m_text += std::string(std::size_t{m_depth} * 4, ' ') + text + "\n"; }
    void open(std::string const& head) {
        line(head + " {");
        ++m_depth;
    }
    void close() {
        --m_depth;
        line("}");
    }
    void option(std::string_view key, std::string_view value) {
        if (!value.empty()) {
            line(fmt::format("{} = {}", key, quote(value)));
        }
    }
    void identity(FirmwareIdentity const& identity) {
        line("# Generated from systems/" + m_description.name + "/system.toml; don't edit.");
        option("meta-product", identity.product);
        option("meta-description", identity.description);
        option("meta-version", identity.version);
        option("meta-author", identity.author);
        option("meta-platform", m_description.name);
        option("meta-architecture", m_description.gnu_triplet.substr(0, m_description.gnu_triplet.find('-')));
        option("meta-vcs-identifier", identity.vcs_identifier);
    }
    void environment() {
        open("uboot-environment uboot-env");
        line(fmt::format("block-offset = {}", m_description.environment.block));
        line(fmt::format("block-count = {}", m_description.environment.block_count));
        line(fmt::format("block-offset-redund = {}", m_description.environment.redundant_block));
        close();
    }
    void set(std::string const& key, std::string const& value) {
        line(fmt::format("uboot_setenv(uboot-env, {}, {})", quote(key), quote(value)));
    }
    /// A value that is only known when the update is applied.
    void set_deferred(std::string const& key, std::string const& variable) {
        line(fmt::format("uboot_setenv(uboot-env, {}, \"\\${{{}}}\")", quote(key), variable));
    }
    void require_variable(std::string const& key, std::string const& value) {
        line(fmt::format("require-uboot-variable(uboot-env, {}, {})", quote(key), quote(value)));
    }
    void require_running(Slot slot) {
        line(fmt::format("require-path-at-offset(\"/\", {})", m_layout.rootfs(slot).block_offset));
    }
    void file(std::string const& name, std::filesystem::path const& path, std::uint64_t limit_blocks) {
        open("file-resource " + name);
        option("host-path", path.string());
        line(fmt::format("assert-size-lte = {}", limit_blocks));
        close();
    }
    void content(std::string const& name, std::string const& bytes) {
        open("file-resource " + name);
        line("contents = " + quote(bytes));
        close();
    }
    /// `on-resource name { lines... }`
    void on_resource(std::string const& name, std::string const& function) {
        line(fmt::format("on-resource {} {{ {} }}", name, function));
    }
    [[nodiscard]] std::string take() { return std::move(m_text); }
    [[nodiscard]] Description const& description() const { return m_description; }
    [[nodiscard]] Layout const& layout() const { return m_layout; }

private:
    Description const& m_description;
    Layout const& m_layout;
    std::string m_text;
    unsigned m_depth = 0;
};

std::string slot_key(Slot slot, std::string_view key) {
    return fmt::format("{}.nerves_fw_{}", to_string(slot), key);
}

void write_mbr(Writer& out, std::string const& boot_code_hex) {
    auto const& layout = out.layout();
    out.open("mbr mbr");
    out.option("bootstrap-code", boot_code_hex);
    out.line("signature = 0x" + out.description().disk.signature);
    out.line("# what the bootloader writes");
    out.open(fmt::format("partition {}", tried_partition_number - 1));
    out.line(fmt::format("block-offset = {}", layout.tried_archive_offset));
    out.line(fmt::format("block-count = {}", tried_archive_blocks));
    out.line("type = 0xda");
    out.close();
    bool extended_written = false;
    for (auto const& partition : layout.partitions) {
        if (partition.number > 4 && !extended_written) {
            extended_written = true;
            out.open("partition 3");
            out.line(fmt::format("block-offset = {}", layout.extended_block_offset));
            out.line("type = 0x0f");
            out.close();
        }
        out.line(fmt::format("# {}", partition.name));
        out.open(fmt::format("partition {}", partition.number - 1));
        out.line(fmt::format("block-offset = {}", partition.block_offset));
        out.line(fmt::format("block-count = {}", partition.block_count));
        out.line(fmt::format("type = {:#04x}", partition.type));
        if (partition.number == 1) {
            out.line("boot = true"); // some BIOSes want an active partition
        }
        if (partition.expand) {
            out.line("expand = true");
        }
        out.close();
    }
    out.close();
}

/// What is known about a slot's firmware, in the names that Nerves uses.
void write_slot_variables(Writer& out, Slot slot, bool validated) {
    auto const deferred = std::to_array<std::pair<std::string_view, std::string_view>>({
        {"product", "FWUP_META_PRODUCT"},
        {"description", "FWUP_META_DESCRIPTION"},
        {"version", "FWUP_META_VERSION"},
        {"author", "FWUP_META_AUTHOR"},
        {"platform", "FWUP_META_PLATFORM"},
        {"architecture", "FWUP_META_ARCHITECTURE"},
        {"vcs_identifier", "FWUP_META_VCS_IDENTIFIER"},
        {"misc", "FWUP_META_MISC"},
        {"uuid", "FWUP_META_UUID"},
    });
    auto const data_number = out.layout().at("data").number;
    out.set(slot_key(slot, "application_part0_devpath"), fmt::format("/dev/rootdisk0p{}", data_number));
    out.set(slot_key(slot, "application_part0_fstype"), "ext4");
    out.set(slot_key(slot, "application_part0_target"), "/data");
    for (auto const& [key, variable] : deferred) {
        out.set_deferred(slot_key(slot, key), std::string(variable));
    }
    out.set(slot_key(slot, "validated"), validated ? "1" : "0");
}

void forget_slot(Writer& out, Slot slot) {
    for (auto const* key : {"version", "platform", "architecture", "uuid", "validated"}) {
        out.line(fmt::format("uboot_unsetenv(uboot-env, {})", quote(slot_key(slot, key))));
    }
}

/// Where the old file lies on the device, so that the new one may come as a patch of it.
std::string fat_source(Writer const& out, std::optional<Slot> from, std::string_view name) {
    return from ? fmt::format("delta-source-fat-offset = {} delta-source-fat-path = {} ",
                              out.layout().boot(*from).block_offset, quote(name))
                : "";
}

std::string rootfs_source(Writer const& out, std::optional<Slot> from) {
    if (!from) {
        return "";
    }
    auto const& old = out.layout().rootfs(*from);
    return fmt::format("delta-source-raw-offset = {} delta-source-raw-count = {} ", old.block_offset,
                       old.block_count);
}

/// `from` is the slot that runs; nothing: the disk is written anew.
void write_boot_files(Writer& out, Slot slot, std::optional<Slot> from) {
    auto const offset = out.layout().boot(slot).block_offset;
    for (auto const* name : {"grub.cfg", "vmlinuz", "initramfs"}) {
        out.on_resource(name,
                        fat_source(out, from, name) + fmt::format("fat_write({}, {})", offset, quote(name)));
    }
    out.on_resource("rootfs.img", rootfs_source(out, from) +
                                      fmt::format("raw_write({})", out.layout().rootfs(slot).block_offset));
}

void make_boot_file_system(Writer& out, Slot slot) {
    auto const& boot = out.layout().boot(slot);
    out.line(fmt::format("fat_mkfs({}, {})", boot.block_offset, boot.block_count));
    out.line(fmt::format("fat_setlabel({}, \"BOOT-{}\")", boot.block_offset, slot == Slot::a ? "A" : "B"));
}

enum class Data : std::uint8_t { keep, wipe };

/// Without the mark PID 1 never makes a file system where one may have been.
void mark_data(Writer& out) {
    out.on_resource("data-mark", fmt::format("raw_write({})", out.layout().at("data").block_offset));
}

void write_complete(Writer& out, std::string const& name, Data data) {
    auto const& boot = out.description().bootloader;
    out.open("task " + name);
    out.open("on-init");
    make_boot_file_system(out, Slot::a);
    if (data == Data::wipe) {
        auto const& partition = out.layout().at("data");
        out.line(fmt::format("raw_memset({}, {}, 0xff)", partition.block_offset + 1, data_wipe_blocks));
    }
    out.close();
    out.on_resource("core.img", fmt::format("raw_write({})", out.layout().core_block_offset));
    write_boot_files(out, Slot::a, std::nullopt);
    if (data == Data::wipe) {
        mark_data(out);
    }
    out.on_resource("state-a-copy", fmt::format("raw_write({})", boot.state_copy_block));
    out.on_resource("state-a", fmt::format("raw_write({})", boot.state_block));
    out.on_resource("tried.tar", fmt::format("raw_write({})", out.layout().tried_archive_offset));
    out.open("on-finish");
    out.line("uboot_clearenv(uboot-env)");
    out.set("nerves_fw_active", "a");
    out.set("nerves_fw_devpath", "/dev/rootdisk0");
    write_slot_variables(out, Slot::a, true);
    out.line("mbr_write(mbr)");
    out.close();
    out.close();
}

/// From where an update knows which slot runs: the mounted root file system, or (on an image) the environment
/// alone.
enum class Running : std::uint8_t { mounted, recorded };

void write_upgrade(Writer& out, Slot to, Running running) {
    auto const& boot = out.description().bootloader;
    auto const from = other(to);
    auto const to_name = std::string(to_string(to));
    out.open(fmt::format("task upgrade.{}{}", running == Running::mounted ? "" : "image.", to_name));
    if (running == Running::mounted) {
        out.require_running(from);
    }
    out.require_variable("nerves_fw_active", std::string(to_string(from)));
    out.require_variable(slot_key(from, "platform"), out.description().name);
    out.open("on-init");
    out.line(fmt::format("info(\"Writing slot {}\")", to_name));
    out.line("# From here on, slot " + to_name + " can't be started; it would be one half old.");
    out.line(fmt::format("raw_memset({}, 1, 0xff)", boot.tried_block));
    forget_slot(out, to);
    make_boot_file_system(out, to);
    out.close();
    write_boot_files(out, to, from);
    out.open("on-resource try-" + to_name + "-copy");
    write_slot_variables(out, to, false);
    out.line(fmt::format("raw_write({})", boot.state_copy_block));
    out.close();
    out.on_resource("try-" + to_name, fmt::format("raw_write({})", boot.state_block));
    out.line("# The commit point: the bootloader may now start slot " + to_name + ", once.");
    out.on_resource("not-tried-" + to_name, fmt::format("raw_write({})", boot.tried_block));
    out.open("on-error");
    out.line(fmt::format("info(\"Slot {} was not written; slot {} stays\")", to_name, to_string(from)));
    out.close();
    out.close();
}

/// Tasks that only say why an upgrade isn't possible; reached when none before them was.
void write_upgrade_refusals(Writer& out) {
    for (auto const slot : {Slot::a, Slot::b}) {
        out.open(fmt::format("task upgrade.unvalidated.{}", to_string(slot)));
        out.require_running(slot);
        out.require_variable(slot_key(slot, "platform"), out.description().name);
        out.line(
            "on-init { error(\"The running firmware is still on trial; wait until it is validated, or reboot "
            "into the old one\") }");
        out.close();
    }
}

void write_wrong_device(Writer& out) {
    out.open("task upgrade.wrong");
    out.line(fmt::format(
        "on-init {{ error(\"This is not a Sinew device of platform {}, or its environment is damaged; "
        "write the disk anew with the task complete\") }}",
        out.description().name));
    out.close();
}

} // namespace

std::string update_script(Description const& description, Layout const& layout,
                          FirmwareIdentity const& identity, FirmwareFiles const& files) {
    Writer out(description, layout);
    out.identity(identity);
    out.file("core.img", files.core_image, layout.core_block_count);
    auto const boot_blocks = layout.boot(Slot::a).block_count;
    out.file("grub.cfg", files.slot_script, 128);
    out.file("vmlinuz", files.kernel, boot_blocks);
    out.file("initramfs", files.initramfs, boot_blocks);
    out.file("rootfs.img", files.rootfs, layout.rootfs(Slot::a).block_count);
    out.file("tried.tar", files.tried_archive, tried_archive_blocks);
    // The order of these is the order in which they reach the disk.
    out.content("data-mark", device::data_mark());
    out.content("state-a-copy", boot_state_block(Slot::a, std::nullopt));
    out.content("state-a", boot_state_block(Slot::a, std::nullopt));
    out.content("try-a-copy", boot_state_block(Slot::b, Slot::a));
    out.content("try-a", boot_state_block(Slot::b, Slot::a));
    out.content("try-b-copy", boot_state_block(Slot::a, Slot::b));
    out.content("try-b", boot_state_block(Slot::a, Slot::b));
    for (auto const slot : {Slot::a, Slot::b}) {
        out.content(fmt::format("not-tried-{}", to_string(slot)),
                    device::format_boot_counters(counters_after_update(slot)));
    }
    out.environment();
    write_mbr(out, files.boot_code_hex);
    write_complete(out, "complete", Data::wipe);
    write_complete(out, "complete-keep-data", Data::keep);
    write_upgrade(out, Slot::a, Running::mounted);
    write_upgrade(out, Slot::b, Running::mounted);
    write_upgrade_refusals(out);
    write_upgrade(out, Slot::a, Running::recorded);
    write_upgrade(out, Slot::b, Running::recorded);
    write_wrong_device(out);
    return out.take();
}

namespace {

/// Makes `slot` the validated one: the copy first, so that a torn state block leaves the new decision.
void write_decision(Writer& out, std::string const& resource, std::string const& active) {
    auto const& boot = out.description().bootloader;
    out.open("on-resource " + resource + "-copy");
    out.set("nerves_fw_active", active);
    out.set(active + ".nerves_fw_validated", "1");
    out.line(fmt::format("raw_write({})", boot.state_copy_block));
    out.close();
    out.on_resource(resource, fmt::format("raw_write({})", boot.state_block));
}

} // namespace

std::string operations_script(Description const& description, Layout const& layout,
                              FirmwareIdentity const& identity, std::string const& boot_code_hex) {
    Writer out(description, layout);
    out.identity(identity);
    out.environment();
    write_mbr(out, boot_code_hex);
    for (auto const slot : {Slot::a, Slot::b}) {
        auto const name = fmt::format("state-{}", to_string(slot));
        out.content(name + "-copy", boot_state_block(slot, std::nullopt));
        out.content(name, boot_state_block(slot, std::nullopt));
    }
    out.content("data-mark", device::data_mark());
    for (auto const slot : {Slot::a, Slot::b}) {
        out.open(fmt::format("task validate.{}", to_string(slot)));
        out.require_running(slot);
        write_decision(out, fmt::format("state-{}", to_string(slot)), std::string(to_string(slot)));
        out.close();
    }
    for (auto const slot : {Slot::a, Slot::b}) {
        out.open(fmt::format("task revert.{}", to_string(slot)));
        out.require_running(other(slot));
        out.require_variable(slot_key(slot, "platform"), description.name);
        out.require_variable(slot_key(slot, "validated"), "1");
        write_decision(out, fmt::format("state-{}", to_string(slot)), std::string(to_string(slot)));
        out.close();
    }
    out.open("task revert.none");
    out.line("on-init { error(\"The other slot holds no firmware that was ever validated\") }");
    out.close();
    out.open("task factory-reset");
    out.line(fmt::format("on-init {{ raw_memset({}, {}, 0xff) }}", layout.at("data").block_offset + 1,
                         data_wipe_blocks));
    mark_data(out);
    out.open("on-finish");
    out.line("info(\"/data is wiped; reboot at once, without unmounting it\")");
    out.close();
    out.close();
    out.line("task restore-table { on-finish { mbr_write(mbr) } }");
    for (auto const slot : {Slot::a, Slot::b}) {
        out.open(fmt::format("task status.{}", to_string(slot)));
        out.require_running(slot);
        out.line(fmt::format("on-init {{ info({}) }}", quote(to_string(slot))));
        out.close();
    }
    return out.take();
}

} // namespace sinew::system
