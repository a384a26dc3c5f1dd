// A program with a file streamed into it. See feed_command.hpp.
#include <sinew/base/file.hpp>
#include <sinew/tooling/feed_command.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace sinew::tooling {

Result<CommandResult> feed_command(std::vector<std::string> const& arguments,
                                   std::filesystem::path const& file,
                                   std::function<void(std::uint64_t, std::uint64_t)> const& on_progress) {
    TRY(auto const opened, open_file(file, O_RDONLY));
    struct stat facts{};
    if (fstat(opened.get(), &facts) != 0) {
        return std::unexpected(error_from_errno(errno, file.string()));
    }
    std::uint64_t fed = 0;
    CommandOptions options;
    options.output_limit_bytes = 1u << 20;
    options.read_input = [&](MutableBytesView into) -> Result<std::size_t> {
        // Asked for more, it has taken all that was read before.
        if (on_progress) {
            on_progress(fed, static_cast<std::uint64_t>(facts.st_size));
        }
        TRY(auto const count, read_some(opened, into));
        fed += count;
        return count;
    };
    return run_command(arguments, options);
}

} // namespace sinew::tooling
