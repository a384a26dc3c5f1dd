/// Implements the policy of data_partition.hpp.
///
/// Invariant: make_file_system() is reached from `marked` and `empty` only, and never on trial.
#include "data_partition.hpp"

#include "log.hpp"
#include "partition_content.hpp"

#include <sinew/base/result.hpp>
#include <sinew/device/boot_report.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinew::init {
namespace {

using device::DataState;
using Access = PartitionTools::Access;
using Repair = PartitionTools::Repair;

// e2fsck(8). Below 4, whatever was wrong has been corrected. What isn't listed there (8 and more, signals, a
// shell's 127) says that it couldn't do its work.
constexpr int errors_left = 4;
constexpr int all_verdicts = 7;

/// What mount(2) says of a file system that may be damaged. ENODEV is a kernel without this file system, ENOENT
/// one that lacks a part of it (crc32c); neither says anything about the data.
bool may_be_damage(int sys_errno) {
    constexpr std::array damage{EINVAL, EIO, EUCLEAN, EBADMSG};
    return std::ranges::find(damage, sys_errno) != damage.end();
}

enum class Check : std::uint8_t { in_order, damaged, impossible };

class Bringer {
public:
    Bringer(PartitionTools& tools, OnTrial trial, Log& log)
        : m_tools(tools)
        , m_trial(trial)
        , m_log(log) {}

    DataReport run() {
        auto const bytes = m_tools.bytes();
        if (!bytes) {
            return missing("it can't be read: " + bytes.error().message());
        }
        m_bytes = *bytes;
        auto const probe = probe_partition(*m_bytes);
        if (!probe) {
            return missing("it can't be read: " + probe.error().message());
        }
        switch (probe->content) {
        case PartitionContent::marked:
        case PartitionContent::empty:
            return format(*m_bytes, probe->content);
        case PartitionContent::file_system:
            return mount_or_repair();
        case PartitionContent::file_system_with_errors:
            m_log.warning("data partition: the kernel has noted errors in its file system; checking it");
            return repair("the kernel has noted errors in it");
        case PartitionContent::superblock_copy:
            m_log.error("data partition: its superblock is destroyed; repairing with a copy of it");
            m_copies = probe->copies;
            return repair("its superblock is destroyed");
        case PartitionContent::unknown:
            break;
        }
        return missing("it holds something that is no ext4 file system; the task factory-reset makes one");
    }

private:
    DataReport format(PartitionBytes& bytes, PartitionContent content) {
        if (m_trial == OnTrial::yes) {
            return missing("it has no file system yet, and none is made on trial");
        }
        m_log.notice(content == PartitionContent::marked
                         ? "data partition: marked as without content; making a file system"
                         : "data partition: never used; making a file system");
        if (auto const made = make_file_system(bytes); !made) {
            return missing("no file system could be made: " + made.error().message());
        }
        if (auto const mounted = m_tools.mount(Access::read_write); !mounted) {
            return missing(mounted.error().message());
        }
        return {DataState::formatted, "it was without content"};
    }

    Result<> make_file_system(PartitionBytes& bytes) {
        TRY_OK(begin_format(bytes));
        TRY_OK(m_tools.make_file_system());
        return end_format(bytes);
    }

    DataReport mount_or_repair() {
        auto const mounted = m_tools.mount(Access::read_write);
        if (mounted) {
            return {DataState::mounted, {}};
        }
        if (!may_be_damage(mounted.error().sys_errno())) {
            return missing(mounted.error().message());
        }
        m_log.warning("data partition: " + mounted.error().message() + "; checking it");
        return repair(mounted.error().message());
    }

    /// Gently first; then, unless on trial, whatever it takes.
    DataReport repair(std::string const& why) {
        auto result = check(Repair::safe);
        if (result == Check::damaged && m_trial == OnTrial::yes) {
            return missing("it is damaged (" + why + "), and isn't repaired on trial");
        }
        // A second thorough pass finds what the first has uncovered.
        for (int pass = 0; pass < 2 && result == Check::damaged; ++pass) {
            m_log.error("data partition: damaged; repairing all that can be");
            result = check(Repair::thorough);
        }
        if (result != Check::damaged) {
            auto const mounted = m_tools.mount(Access::read_write);
            if (mounted && result == Check::in_order) {
                m_log.error("data partition: repaired; files that had lost their names are in lost+found");
                return {DataState::repaired, why};
            }
            if (mounted) {
                return {DataState::mounted, "unchecked, though " + why + ": " + m_obstacle};
            }
            return missing(result == Check::in_order
                               ? "e2fsck finds it in order, but: " + mounted.error().message()
                               : "it couldn't be checked: " + m_obstacle);
        }
        return keep_for_its_owner(why);
    }

    /// It stays as it is, for somebody with better tools; read only, the application still has its files.
    DataReport keep_for_its_owner(std::string const& why) {
        if (m_tools.mount(Access::read_only)) {
            return {DataState::read_only, say("it can't be repaired (" + why + "); it is mounted read-only")};
        }
        return missing("it can't be repaired (" + why + "); it is left as it is for its owner");
    }

    /// With the superblock, unless that is known to be useless; then with each copy.
    Check check(Repair how) {
        auto result = m_copies.empty() ? check_with(how, std::nullopt) : Check::impossible;
        if (result == Check::impossible && m_copies.empty()) {
            m_copies = find_superblock_copies(*m_bytes).value_or(std::vector<SuperblockCopy>{});
        }
        for (std::size_t at = 0; at < m_copies.size() && result == Check::impossible; ++at) {
            result = check_with(how, m_copies[at]);
        }
        if (how == Repair::thorough && result != Check::impossible) {
            m_copies.clear(); // It has written the superblock anew.
        }
        return result;
    }

    Check check_with(Repair how, std::optional<SuperblockCopy> const& copy) {
        auto const status = m_tools.check(how, copy);
        if (status && *status >= 0 && *status <= all_verdicts) {
            return (*status & errors_left) != 0 ? Check::damaged : Check::in_order;
        }
        m_obstacle =
            status ? "e2fsck ended with status " + std::to_string(*status) : status.error().message();
        m_log.warning("data partition: the check couldn't be made: " + m_obstacle);
        return Check::impossible;
    }

    DataReport missing(std::string const& why) { return {DataState::missing, say(why)}; }

    std::string say(std::string const& why) {
        m_log.critical("data partition: " + why + "; NOTHING OF IT WAS ERASED");
        return why;
    }

    PartitionTools& m_tools;
    OnTrial m_trial;
    Log& m_log;
    PartitionBytes* m_bytes = nullptr;
    std::vector<SuperblockCopy> m_copies;
    /// Why a check couldn't be made.
    std::string m_obstacle;
};

} // namespace

DataReport bring_up_data(PartitionTools& tools, OnTrial trial, Log& log) {
    return Bringer(tools, trial, log).run();
}

} // namespace sinew::init
