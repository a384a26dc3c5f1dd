/// Implements Process::start(): all that a program gets is made before it exists.
///
/// Invariant: every descriptor made here is close-on-exec.
#include "spawn.hpp"

#include <sinew/base/command.hpp>
#include <sinew/base/file_descriptor.hpp>
#include <sinew/base/process.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew {
namespace {

bool is_program(std::string const& path) {
    struct stat facts{};
    return ::stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

std::optional<std::string> search_path(std::string_view program) {
    char const* const path = ::getenv("PATH"); // NOLINT(concurrency-mt-unsafe): nothing here changes it
    std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
    while (!rest.empty()) {
        auto const end = rest.find(':');
        std::string candidate(rest.substr(0, end));
        candidate.append(candidate.empty() || candidate.back() == '/' ? "" : "/").append(program);
        if (is_program(candidate)) {
            return candidate;
        }
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    return std::nullopt;
}

Result<std::string> place_of(std::string const& program) {
    if (program.find('/') != std::string::npos) {
        return program;
    }
    if (auto found = search_path(program)) {
        return *std::move(found);
    }
    return failure(ErrorCode::not_found, "no program '" + program + "' in PATH");
}

std::vector<std::string> environment_of(ProcessOptions const& options) {
    std::vector<std::string> environment;
    bool const is_added = options.environment_is == ProcessOptions::Environment::added;
    for (char** entry = environ; is_added && *entry != nullptr; ++entry) {
        std::string_view const text(*entry);
        auto const name = text.substr(0, text.find('='));
        if (std::ranges::none_of(options.environment, [&](auto const& set) { return set.first == name; })) {
            environment.emplace_back(text);
        }
    }
    for (auto const& [name, value] : options.environment) {
        environment.emplace_back(name).append("=").append(value);
    }
    return environment;
}

/// As execve(2) wants them.
std::vector<char*> pointers_to(std::vector<std::string> const& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (auto const& text : texts) {
        pointers.push_back(const_cast<char*>(text.c_str())); // execve(2) promises not to write to them.
    }
    pointers.push_back(nullptr);
    return pointers;
}

/// The standard streams on their way to the program; closed here once it has them.
class StandardStreams {
public:
    enum class Direction { into_program, out_of_program };

    /// Sets up stream `number`; `ours` gets our end if it is a pipe.
    Result<> connect(int number, Redirect redirect, Direction direction, FileDescriptor& ours) {
        switch (redirect.kind()) {
        case Redirect::Kind::inherited:
            return {};
        case Redirect::Kind::output:
            m_placed.emplace_back(place_of_output(), number);
            return {};
        case Redirect::Kind::descriptor:
            m_placed.emplace_back(redirect.descriptor(), number);
            return {};
        case Redirect::Kind::null:
            m_theirs.emplace_back(::open("/dev/null", O_RDWR | O_CLOEXEC));
            break;
        case Redirect::Kind::pipe:
            TRY_OK(make_pipe(direction, ours));
            break;
        }
        if (!m_theirs.back()) {
            return std::unexpected(error_from_errno(errno, "can't open /dev/null"));
        }
        m_placed.emplace_back(m_theirs.back().get(), number);
        return {};
    }
    [[nodiscard]] std::vector<std::pair<int, int>> placed() const { return m_placed; }

private:
    [[nodiscard]] int place_of_output() const {
        auto const is_output = [](auto const& entry) { return entry.second == STDOUT_FILENO; };
        auto const found = std::ranges::find_if(m_placed, is_output);
        return found != m_placed.end() ? found->first : STDOUT_FILENO;
    }
    Result<> make_pipe(Direction direction, FileDescriptor& ours) {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            return std::unexpected(error_from_errno(errno, "can't make a pipe"));
        }
        bool const is_input = direction == Direction::into_program;
        ours = FileDescriptor(is_input ? ends[1] : ends[0]);
        m_theirs.emplace_back(is_input ? ends[0] : ends[1]);
        (void)::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
        return {};
    }
    std::vector<FileDescriptor> m_theirs;
    std::vector<std::pair<int, int>> m_placed;
};

} // namespace

std::optional<std::filesystem::path> find_program(std::string_view program) {
    if (program.find('/') == std::string_view::npos) {
        return search_path(program);
    }
    return ::access(std::string(program).c_str(), X_OK) == 0 ? std::optional<std::filesystem::path>(program)
                                                             : std::nullopt;
}

Result<Process> Process::start(ProcessOptions const& options) {
    if (options.command.empty() || options.command.front().empty()) {
        return failure(ErrorCode::invalid_argument, "no command is given");
    }
    TRY(auto const program, place_of(options.command.front()));
    Process process;
    process.m_group = options.group;
    StandardStreams streams;
    using enum StandardStreams::Direction;
    TRY_OK(streams.connect(STDIN_FILENO, options.input, into_program, process.m_input));
    TRY_OK(streams.connect(STDOUT_FILENO, options.output, out_of_program, process.m_output));
    TRY_OK(streams.connect(STDERR_FILENO, options.error_output, out_of_program, process.m_error_output));
    auto descriptors = streams.placed();
    descriptors.insert(descriptors.end(), options.descriptors.begin(), options.descriptors.end());
    auto const environment = environment_of(options);
    auto const arguments = pointers_to(options.command);
    auto const variables = pointers_to(environment);
    auto const& folder = options.working_directory;
    TRY(process.m_pid, detail::spawn({.program = program.c_str(),
                                      .arguments = arguments.data(),
                                      .environment = variables.data(),
                                      .working_directory = folder.empty() ? nullptr : folder.c_str(),
                                      .descriptors = std::move(descriptors),
                                      .ignored_signals = options.ignored_signals,
                                      .group = options.group,
                                      .signal_at_owners_end = options.signal_at_owners_end}));
    // glibc 2.36 declares pidfd_open() without extern "C".
    process.m_ended = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, process.m_pid, 0)));
    if (!process.m_ended && errno == ESRCH) { // It has ended, and wasn't kept for us: SIGCHLD is ignored.
        process.m_status = ExitStatus::lost();
        process.m_ended = FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); // always readable
    }
    if (!process.m_ended) {
        return std::unexpected(error_from_errno(errno, "can't watch " + program));
    }
    return process;
}

} // namespace sinew
