/// lock_by_name(): the file holds the process id of whoever locked it last.
#include <sinew/base/file.hpp>
#include <sinew/base/file_lock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/named_lock.hpp>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace sinew::system {

namespace {

constexpr std::size_t longest_command = 60;

/// The command line of a process as one would type it, without the path of the program; empty when there is
/// none.
std::string command_of(std::string const& process_id) {
    auto text = read_text_file("/proc/" + process_id + "/cmdline");
    if (!text || text->empty()) {
        return {};
    }
    while (text->ends_with('\0')) {
        text->pop_back();
    }
    std::string const program = std::filesystem::path(text->substr(0, text->find('\0'))).filename().string();
    auto const first_end = std::min(text->find('\0'), text->size());
    std::string command = program + text->substr(first_end);
    std::ranges::replace(command, '\0', ' ');
    return command.size() <= longest_command ? command : command.substr(0, longest_command) + "…";
}

std::string holder_of(std::filesystem::path const& path) {
    auto text = read_text_file(path);
    std::string const process_id = text ? text->substr(0, text->find('\n')) : std::string();
    bool const is_number =
        !process_id.empty() && process_id.find_first_not_of("0123456789") == std::string::npos;
    std::string const command = is_number ? command_of(process_id) : std::string();
    return command.empty() ? "another process" : "process " + process_id + " (" + command + ")";
}

} // namespace

Result<FileDescriptor> lock_by_name(std::filesystem::path const& path,
                                    std::function<void(std::string const&)> const& on_wait) {
    TRY(auto lock, lock_file(path, [&] { on_wait(holder_of(path)); }));
    std::string const name = std::to_string(::getpid()) + "\n";
    if (::ftruncate(lock.get(), 0) == 0) {
        // Without it a waiter only says "another process".
        (void)!::pwrite(lock.get(), name.data(), name.size(), 0);
    }
    return lock;
}

} // namespace sinew::system
