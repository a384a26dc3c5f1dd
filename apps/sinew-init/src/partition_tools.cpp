/// Implements Ext4Tools.
///
/// Invariant: every program has a limit; a check of a large card may take minutes.
#include "partition_tools.hpp"

#include "data_partition.hpp"
#include "mounts.hpp"
#include "partition_content.hpp"
#include "program.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace sinew::init {
namespace {

constexpr std::chrono::minutes check_limit{15};
constexpr std::chrono::minutes format_limit{5};
// In memory, because what is being repaired is the only medium there is.
constexpr char const* undo_file = "/run/data.e2undo";
constexpr std::size_t largest_undo_bytes = 32u << 20;
// e2fsck(8): from here on a status says that it couldn't do its work.
constexpr int not_run = 8;

Result<std::uint64_t> size_of(FileDescriptor const& device) {
    auto const end = ::lseek(device.get(), 0, SEEK_END);
    if (end < 0) {
        return std::unexpected(error_from_errno(errno, "can't tell the size of the data partition"));
    }
    return static_cast<std::uint64_t>(end);
}

class DeviceBytes final : public PartitionBytes {
public:
    DeviceBytes(FileDescriptor file, std::uint64_t size_bytes)
        : m_file(std::move(file))
        , m_size_bytes(size_bytes) {}
    [[nodiscard]] std::uint64_t size_bytes() const override { return m_size_bytes; }
    Result<> read_at(std::uint64_t offset, MutableBytesView into) override {
        return read_exactly_at(m_file, into, offset);
    }
    Result<> write_at(std::uint64_t offset, BytesView bytes) override {
        return write_all_at(m_file, bytes, offset);
    }
    Result<> sync() override { return sync_file(m_file); }

private:
    FileDescriptor m_file;
    std::uint64_t m_size_bytes;
};

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

Result<PartitionBytes*> Ext4Tools::bytes() {
    auto opened = open_file(m_device, O_RDWR);
    if (!opened) {
        opened = open_file(m_device, O_RDONLY); // A medium that can't be written can still be read.
    }
    TRY(auto file, std::move(opened));
    TRY(auto const size_bytes, size_of(file));
    m_bytes = std::make_unique<DeviceBytes>(std::move(file), size_bytes);
    return m_bytes.get();
}

Result<> Ext4Tools::mount(Access access) {
    if (access == Access::read_only) {
        return mount_file_system(
            {m_device, m_mount_point, "ext4", MS_RDONLY | MS_NOSUID | MS_NODEV, "noload"});
    }
    TRY_OK(mount_file_system(
        {m_device, m_mount_point, "ext4", MS_NOSUID | MS_NODEV | MS_NOATIME, "errors=remount-ro"}));
    keep_undo_file();
    return {};
}

Result<int> Ext4Tools::check(Repair repair, std::optional<SuperblockCopy> const& copy) {
    TRY(auto const tool, find_tool("e2fsck"));
    std::vector<std::string> command{tool, repair == Repair::safe ? "-p" : "-y"};
    if (copy) {
        command.insert(command.end(),
                       {"-b", std::to_string(copy->block), "-B", std::to_string(copy->block_size_bytes)});
    }
    if (repair == Repair::thorough && ::access(undo_file, F_OK) != 0) {
        auto with_undo = command;
        with_undo.insert(with_undo.end(), {"-z", undo_file, m_device});
        TRY(auto const status, run_program(with_undo, check_limit, m_while_waiting));
        if (status < not_run) {
            return status;
        }
        (void)::unlink(undo_file); // The likeliest reason is that there is no room for it.
    }
    command.push_back(m_device);
    return run_program(command, check_limit, m_while_waiting);
}

Result<> Ext4Tools::make_file_system() {
    TRY(auto const tool, find_tool("mke2fs"));
    TRY(auto const file, open_file(m_device, O_RDONLY));
    TRY(auto const size_bytes, size_of(file));
    auto const size = std::to_string((size_bytes - reserved_tail_bytes) / 1024) + "k";
    TRY(auto const status, run_program({tool, "-q", "-F", "-t", "ext4", "-L", "data", "-m", "1", "-E",
                                        "lazy_itable_init=1,lazy_journal_init=1", m_device, size},
                                       format_limit, m_while_waiting));
    if (status != 0) {
        return failure(ErrorCode::io,
                       "mke2fs on " + m_device + " ended with status " + std::to_string(status));
    }
    return {};
}

void Ext4Tools::keep_undo_file() const {
    struct stat file{};
    struct statvfs data{};
    if (::stat(undo_file, &file) != 0 || ::statvfs(m_mount_point.c_str(), &data) != 0) {
        return;
    }
    auto const room = static_cast<std::uint64_t>(data.f_bavail) * data.f_frsize;
    std::error_code error;
    if (static_cast<std::uint64_t>(file.st_size) < room / 4) {
        auto const folder = std::filesystem::path(m_mount_point) / "sinew";
        std::filesystem::create_directory(folder, error);
        if (auto const undo = read_file(undo_file, largest_undo_bytes)) {
            std::ignore = write_file_atomically(folder / "before-repair.e2undo", *undo, 0600);
        }
    }
    (void)::unlink(undo_file);
}

} // namespace sinew::init
