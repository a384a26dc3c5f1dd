// See file_lock.hpp.
#include <sinew/base/file.hpp>
#include <sinew/base/file_lock.hpp>
#include <sinew/base/may_block.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <filesystem>
#include <functional>

namespace sinew {

Result<FileDescriptor> lock_file(std::filesystem::path const& path, std::function<void()> const& on_wait) {
    assert_may_block("a file lock");
    TRY(auto file, open_file(path, O_RDWR | O_CREAT));
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
        return file;
    }
    if (on_wait) {
        on_wait();
    }
    while (::flock(file.get(), LOCK_EX) != 0) {
        if (errno != EINTR) {
            return std::unexpected(error_from_errno(errno, "locking " + path.string()));
        }
    }
    return file;
}

} // namespace sinew
