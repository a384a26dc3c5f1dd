/// Implements Ext4Tools.
///
/// Invariant: every program has a limit; a check of a large card may take minutes.
#include "partition_tools.hpp"

#include "data_partition.hpp"
#include "mounts.hpp"
#include "program.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>

namespace sinew::init {
namespace {

constexpr std::chrono::minutes check_limit{15};
constexpr std::chrono::minutes format_limit{5};

/// Debian moved the programs from /sbin to /usr/sbin, minimal systems have either.
Result<std::string> find_tool(std::string_view name) {
    for (auto const* folder : {"/sbin/", "/usr/sbin/", "/bin/", "/usr/bin/"}) {
        auto path = std::string(folder) + std::string(name);
        if (::access(path.c_str(), X_OK) == 0) {
            return path;
        }
    }
    return failure(ErrorCode::not_found,
                   std::string(name) + " is not in this firmware; add its package to the system");
}

} // namespace

Result<PartitionContent> Ext4Tools::probe() {
    TRY(auto const device, open_file(m_device, O_RDONLY));
    Bytes start(partition_probe_bytes);
    TRY_OK(read_exactly_at(device, start, 0));
    return classify_partition(start);
}

Result<> Ext4Tools::mount() {
    return mount_file_system(
        {m_device, m_mount_point, "ext4", MS_NOSUID | MS_NODEV | MS_NOATIME, "errors=remount-ro"});
}

Result<int> Ext4Tools::check(Repair repair) {
    TRY(auto const tool, find_tool("e2fsck"));
    auto const* answer = repair == Repair::safe ? "-p" : "-y";
    return run_program({tool, answer, m_device}, check_limit, m_while_waiting);
}

Result<> Ext4Tools::format() {
    TRY(auto const tool, find_tool("mke2fs"));
    TRY(auto const status, run_program({tool, "-q", "-F", "-t", "ext4", "-L", "data", "-m", "1", "-E",
                                        "lazy_itable_init=1,lazy_journal_init=1", m_device},
                                       format_limit, m_while_waiting));
    if (status != 0) {
        return failure(ErrorCode::io,
                       "mke2fs on " + m_device + " ended with status " + std::to_string(status));
    }
    return {};
}

} // namespace sinew::init
