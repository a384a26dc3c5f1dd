/// Every fault at every write of the tasks that x86_64's update scripts have, as they are generated, with
/// small stand-ins for kernel, initramfs and root file system.
#include "fault_injection.hpp"
#include "power_cut_disk.hpp"
#include "support.hpp"
#include "update_scripts.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/firmware.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

namespace sinew::system {
namespace {

using firmware::test::inject_everywhere;
using firmware::test::PowerCutDisk;

class UpdateScriptPowerCut : public UpdateScriptTest {
protected:
    static Bytes bytes_of(fs::path const& path) {
        auto bytes = read_file(path, 64u << 20);
        return bytes ? *std::move(bytes) : throw std::runtime_error(bytes.error().message());
    }
    firmware::ApplyOptions options(std::string const& task, Slot running) {
        auto& system = running == Slot::a ? m_in_a : m_in_b;
        firmware::ApplyOptions options;
        options.task = task;
        options.running_system = &system;
        return options;
    }
    Bytes applied(Bytes const& archive, Bytes const& before, std::string const& task, Slot running) {
        return firmware::test::after({archive, before, options(task, running)});
    }
    Bytes with_trial_started(Bytes disk) const {
        start_trial(disk);
        return disk;
    }
    Bytes delta(std::string const& from, std::string const& to) {
        firmware::DeltaOptions options;
        options.from = m_folder.path() / ("fw-" + from + ".fw");
        options.to = m_folder.path() / ("fw-" + to + ".fw");
        options.output = m_folder.path() / "delta.fw";
        auto const report = firmware::make_delta_archive(options);
        if (!report || report->patched.size() < 3) {
            throw std::runtime_error("kernel, initramfs and root file system must come as patches");
        }
        return bytes_of(options.output);
    }
    /// The mark of what the decided slot holds; '?' if its parts are damaged or don't belong together.
    char started(Bytes const& disk) const {
        auto const decision = decide(disk);
        if (decision.slot != "a" && decision.slot != "b") {
            return '?';
        }
        auto const slot = decision.slot == "a" ? Slot::a : Slot::b;
        auto const boot = area(disk, m_layout.boot(slot));
        auto const rootfs = as_text(area(disk, m_layout.rootfs(slot)));
        auto const file_is = [&](char const* name, std::size_t size, char mark) {
            auto const file = firmware::test::read_fat_file(boot, name);
            return file && as_text(*file) == as_text(content(size, mark));
        };
        for (char const mark : {'A', 'B', 'C'}) {
            if (rootfs.starts_with(as_text(content(rootfs_bytes, mark))) &&
                file_is("vmlinuz", kernel_bytes, mark) && file_is("initramfs", initramfs_bytes, mark) &&
                file_is("grub.cfg", 300, mark)) {
                return mark;
            }
        }
        return '?';
    }
    /// Whatever happens, `old_mark` or `new_mark` starts; and both do.
    void expect_either(Bytes const& archive, Bytes const& before, firmware::ApplyOptions const& options,
                       char old_mark, char new_mark) {
        bool was_old = false;
        bool was_new = false;
        inject_everywhere({archive, before, options}, m_plan, [&](PowerCutDisk& left) {
            auto const mark = started(left.content());
            ASSERT_TRUE(mark == old_mark || mark == new_mark) << mark;
            was_old = was_old || mark == old_mark;
            was_new = was_new || mark == new_mark;
        });
        EXPECT_TRUE(was_old);
        EXPECT_TRUE(was_new) << "the commit point was never crossed";
        EXPECT_EQ(started(firmware::test::after({archive, before, options})), new_mark);
    }
    /// Tears each write of one sector at every byte, from either side: the decision is the one before or
    /// after.
    void expect_torn_sectors_do_no_harm(fs::path const& archive, Bytes const& before, std::string const& task,
                                        Slot running) {
        RecordingDevice disk(before);
        ASSERT_TRUE(apply(archive, disk, task, running));
        Bytes medium = before;
        for (auto const& write : disk.writes) {
            auto const old_decision = decide(medium);
            auto sector = MutableBytesView(medium).subspan(write.offset, block_size_bytes);
            Bytes const old_sector(sector.begin(), sector.end());
            Bytes const new_sector(write.bytes.begin(), write.bytes.begin() + block_size_bytes);
            RecordingDevice::apply(write, medium);
            auto const new_decision = decide(medium);
            if (write.bytes.size() != block_size_bytes) {
                continue;
            }
            for (std::size_t at = 0; at < block_size_bytes; ++at) {
                for (auto const& [head, tail] :
                     {std::pair(new_sector, old_sector), {old_sector, new_sector}}) {
                    std::ranges::copy(BytesView(head).first(at), sector.begin());
                    std::ranges::copy(BytesView(tail).subspan(at),
                                      sector.begin() + static_cast<std::ptrdiff_t>(at));
                    auto const decision = decide(medium);
                    ASSERT_TRUE(decision == old_decision || decision == new_decision)
                        << task << ": block " << write.offset / block_size_bytes << ", byte " << at
                        << " decides " << decision.slot;
                }
            }
            RecordingDevice::apply(write, medium);
        }
    }

    /// The disk is larger than those of other tests, so fewer ways.
    firmware::test::FaultPlan m_plan{.ways_to_lose_power = 4};
    MountedAt m_in_a{m_layout.rootfs(Slot::a).block_offset};
    MountedAt m_in_b{m_layout.rootfs(Slot::b).block_offset};
    Bytes m_device = installed();
    fs::path m_second = pack("2.0", 'B');
    fs::path m_operations = pack_operations();
};

TEST_F(UpdateScriptPowerCut, an_upgrade_leaves_a_slot_that_starts_whole) {
    expect_either(bytes_of(m_second), m_device, options("upgrade", Slot::a), 'A', 'B');
}

TEST_F(UpdateScriptPowerCut, a_delta_upgrade_leaves_a_slot_that_starts_whole) {
    expect_either(delta("1.0", "2.0"), m_device, options("upgrade", Slot::a), 'A', 'B');
}

TEST_F(UpdateScriptPowerCut, an_upgrade_over_one_that_was_never_started_does_too) {
    auto const pending = applied(bytes_of(m_second), m_device, "upgrade", Slot::a);
    inject_everywhere({bytes_of(pack("3.0", 'C')), pending, options("upgrade", Slot::a)}, m_plan,
                      [&](PowerCutDisk& left) { ASSERT_NE(started(left.content()), '?'); });
}

TEST_F(UpdateScriptPowerCut, a_validation_keeps_the_trial_or_goes_back) {
    auto const on_trial = with_trial_started(applied(bytes_of(m_second), m_device, "upgrade", Slot::a));
    expect_either(bytes_of(m_operations), on_trial, options("validate", Slot::b), 'A', 'B');
}

TEST_F(UpdateScriptPowerCut, a_revert_leaves_one_slot_or_the_other) {
    auto const on_trial = with_trial_started(applied(bytes_of(m_second), m_device, "upgrade", Slot::a));
    auto const validated = applied(bytes_of(m_operations), on_trial, "validate", Slot::b);
    expect_either(bytes_of(m_operations), validated, options("revert", Slot::b), 'B', 'A');
}

TEST_F(UpdateScriptPowerCut, a_boot_state_torn_at_any_byte_decides_as_before_or_after) {
    expect_torn_sectors_do_no_harm(m_second, m_device, "upgrade", Slot::a);
    auto const upgraded = applied(bytes_of(m_second), m_device, "upgrade", Slot::a);
    auto const on_trial = with_trial_started(upgraded);
    expect_torn_sectors_do_no_harm(m_operations, on_trial, "validate", Slot::b);
    expect_torn_sectors_do_no_harm(m_operations, on_trial, "validate", Slot::a); // rolled back
    expect_torn_sectors_do_no_harm(m_second, on_trial, "upgrade", Slot::a);      // tried again
    auto const validated = applied(bytes_of(m_operations), on_trial, "validate", Slot::b);
    expect_torn_sectors_do_no_harm(m_operations, validated, "revert", Slot::b);
    expect_torn_sectors_do_no_harm(pack("3.0", 'C'), validated, "upgrade", Slot::b);
}

} // namespace
} // namespace sinew::system
