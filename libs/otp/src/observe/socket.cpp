// Where the observe sockets are, how one is made and found.
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/unix_socket.hpp>
#include <sinew/otp/observe.hpp>
#include <sinew/otp/observe_socket.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace sinew::observe {
namespace {

/// A folder that others can't write to, so that nobody can put a socket of theirs there.
Result<> make_private_folder(std::filesystem::path const& folder) {
    if (::mkdir(folder.c_str(), 0700) == 0) {
        return {};
    }
    if (errno != EEXIST) {
        return std::unexpected(error_from_errno(errno, folder.string()));
    }
    struct stat status{};
    if (::lstat(folder.c_str(), &status) != 0) {
        return std::unexpected(error_from_errno(errno, folder.string()));
    }
    if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 022U) != 0) {
        return failure(ErrorCode::denied,
                       folder.string() + " is not a folder of this user that only this user may write");
    }
    return {};
}

/// "blinky" of "blinky.1234.sock"; empty when it is no such name.
std::string application_of(std::filesystem::path const& socket) {
    std::string const name = socket.stem().string();
    return socket.extension() == ".sock" ? name.substr(0, name.rfind('.')) : std::string();
}

bool is_writable_folder(std::filesystem::path const& path) {
    std::error_code error;
    return std::filesystem::is_directory(path, error) && ::access(path.c_str(), W_OK) == 0;
}

} // namespace

std::filesystem::path socket_folder() {
    if (is_writable_folder("/run/sinew")) {
        return "/run/sinew";
    }
    char const* const runtime = std::getenv("XDG_RUNTIME_DIR"); // NOLINT(concurrency-mt-unsafe): never set
    if (runtime != nullptr && is_writable_folder(runtime)) {
        return std::filesystem::path(runtime) / "sinew";
    }
    return "/tmp/sinew-" + std::to_string(::geteuid());
}

Result<FileDescriptor> listen_at(std::filesystem::path const& path) {
    TRY_OK(make_private_folder(path.parent_path()));
    return listen_on_unix_socket(path);
}

Result<std::filesystem::path> find_socket(std::filesystem::path const& folder, std::string const& name) {
    std::vector<std::filesystem::path> found;
    std::string known;
    std::error_code error;
    for (auto const& entry : std::filesystem::directory_iterator(folder, error)) {
        std::string const application = application_of(entry.path());
        // A socket that a killed program left behind answers nobody.
        if (application.empty() || !connect_to_unix_socket(entry.path())) {
            continue;
        }
        known += (known.empty() ? "" : ", ") + entry.path().stem().string();
        if (name.empty() || name == application || name == entry.path().stem()) {
            found.push_back(entry.path());
        }
    }
    if (found.size() == 1) {
        return found.front();
    }
    if (!found.empty()) {
        return failure(ErrorCode::invalid_argument, "several applications are running, name one: " + known);
    }
    return failure(ErrorCode::not_found,
                   known.empty() ? "no application is running: no socket in " + folder.string()
                                 : "no application '" + name + "' is running; there are: " + known);
}

} // namespace sinew::observe
