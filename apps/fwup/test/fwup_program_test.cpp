/// The program itself: what callers of the original rely on, and kill -9 before any of its writes.
#include "support.hpp"
#include "two_slots.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::firmware::test {

namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

class FwupProgram : public ::testing::Test {
protected:
    static CommandResult run(std::vector<std::string> arguments,
                             std::optional<std::string> const& input = {}) {
        arguments.insert(arguments.begin(), FWUP_PROGRAM);
        CommandOptions options;
        options.input = input;
        return must(run_command(arguments, options));
    }
    [[nodiscard]] std::string path(std::string const& name) const { return m_workshop.text_path(name); }
    void make_archive(std::string const& script) const {
        m_workshop.write("f.conf", script);
        auto const created = run({"-c", "-f", path("f.conf"), "-o", path("f.fw")});
        ASSERT_EQ(created.status, 0) << created.output;
    }

    Workshop m_workshop;
};

std::string frame(std::string_view type, std::uint16_t code, std::string_view text) {
    Bytes bytes(8);
    store_be32(bytes, 0, static_cast<std::uint32_t>(4 + text.size()));
    bytes[4] = static_cast<std::byte>(type[0]);
    bytes[5] = static_cast<std::byte>(type[1]);
    bytes[6] = static_cast<std::byte>(code >> 8);
    bytes[7] = static_cast<std::byte>(code & 0xFF);
    return std::string(as_text(bytes)) + std::string(text);
}

TEST_F(FwupProgram, version_is_the_compatible_release) {
    auto const result = run({"--version"});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.output, "1.16.0\n");
}

TEST_F(FwupProgram, create_metadata_list_and_verify) {
    make_archive("meta-product = P\nmeta-version = 1\ntask complete { }\ntask upgrade.a { }\n");
    auto const metadata = run({"-m", "-i", path("f.fw")});
    EXPECT_THAT(metadata.output,
                MatchesRegex("meta-product=P\nmeta-version=1\nmeta-creation-date=\"[0-9T:Z-]+\"\n"
                             "meta-uuid=\"[0-9a-f-]+\"\nmeta-nickname=\"[a-z]+-[a-z]+\"\n"));
    EXPECT_EQ(run({"-l", "-i", path("f.fw")}).output, "complete\nupgrade.a\n");
    EXPECT_EQ(run({"-V", "-i", path("f.fw")}).output, "Valid archive without a signature\n");
    EXPECT_EQ(run({"--metadata", "-i", "-"}, std::string(as_text(m_workshop.read("f.fw")))).output,
              metadata.output);
}

TEST_F(FwupProgram, keys_sign_and_verify) {
    make_archive("task t { }\n");
    EXPECT_EQ(run({"-g", "-o", path("k")}).status, 0);
    EXPECT_EQ(run({"-g", "-o", path("k")}).status, 1) << "keys are never overwritten";
    EXPECT_EQ(run({"-V", "-p", path("k.pub"), "-i", path("f.fw")}).status, 1);
    EXPECT_EQ(run({"-S", "-s", path("k.priv"), "-i", path("f.fw"), "-o", path("s.fw")}).status, 0);
    EXPECT_EQ(run({"-V", "-p", path("k.pub"), "-i", path("s.fw")}).output,
              "Valid archive with a good signature\n");
    auto const key = std::string(as_text(m_workshop.read("k.pub")));
    EXPECT_EQ(run({"--verify", "--public-key", key, "-i", path("s.fw")}).status, 0);
}

TEST_F(FwupProgram, errors_go_to_standard_output_and_the_status_is_one) {
    auto const result = run({"-V", "-i", path("none.fw")});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.output, StartsWith("fwup: "));
    EXPECT_EQ(result.error_output, "");
    auto const apply = run({"-a", "-i", path("none.fw"), "-d", path("d.img"), "-t", "t"});
    EXPECT_EQ(apply.status, 1);
    EXPECT_EQ(apply.error_output, "\n");
    EXPECT_EQ(run({"-a", "-q", "-i", path("none.fw"), "-d", path("d.img"), "-t", "t"}).error_output, "");
    EXPECT_EQ(run({"--frobnicate"}).status, 1);
    EXPECT_EQ(run({}).status, 1);
    EXPECT_EQ(run({"-q", "-n", "-m"}).status, 1);
}

TEST_F(FwupProgram, help_shows_examples) {
    auto const result = run({"--help"});
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.output, HasSubstr("fwup -c -f fwup.conf -o blinky.fw"));
}

TEST_F(FwupProgram, progress_comes_as_a_bar_as_numbers_or_not_at_all) {
    make_archive("task t { on-init { raw_memset(0, 2048, 0) info(hello) } }\n");
    std::vector<std::string> const apply{"-a", "-i", path("f.fw"), "-d", path("d.img"), "-t", "t"};
    auto const with = [&](std::vector<std::string> const& more) {
        auto arguments = apply;
        arguments.insert(arguments.end(), more.begin(), more.end());
        auto const result = run(arguments);
        EXPECT_EQ(result.status, 0);
        return result.output;
    };
    auto const bar = with({});
    EXPECT_THAT(bar, StartsWith("\r  0% [                                    ] "));
    EXPECT_THAT(bar, HasSubstr("\r\033[Kfwup: hello\n"));
    EXPECT_THAT(bar, HasSubstr("\r100% [====================================] "));
    EXPECT_THAT(bar, HasSubstr("\nSuccess!\nElapsed time: "));
    auto const numbers = with({"-n"});
    EXPECT_THAT(numbers, StartsWith("0\n"));
    EXPECT_THAT(numbers, ::testing::EndsWith("99\nfwup: hello\n100\n"));
    EXPECT_EQ(with({"-q"}), "fwup: hello\n");
    EXPECT_THAT(with({"-n", "--progress-low", "40", "--progress-high", "60"}), StartsWith("40\n"));
}

TEST_F(FwupProgram, framing_carries_progress_messages_and_results) {
    make_archive("task t { on-init { info(\"a->b\") } }\ntask bad { on-init { error(\"no\") } }\n");
    auto const good = run({"-a", "-F", "-q", "-i", path("f.fw"), "-d", path("d.img"), "-t", "t"});
    EXPECT_EQ(good.output, frame("WN", 0, "a->b") + frame("OK", 0, ""));
    auto const progress = run({"-a", "--framing", "-i", path("f.fw"), "-d", path("d.img"), "-t", "t"});
    EXPECT_EQ(progress.output,
              frame("PR", 0, "") + frame("WN", 0, "a->b") + frame("PR", 100, "") + frame("OK", 0, ""));
    auto const bad = run({"-a", "--framing", "-q", "-i", path("f.fw"), "-d", path("d.img"), "-t", "bad"});
    EXPECT_EQ(bad.output, frame("ER", 0, "no"));
    EXPECT_EQ(bad.status, 1);
}

TEST_F(FwupProgram, framed_input_is_an_archive_in_pieces) {
    make_archive("task t { }\n");
    auto const archive = m_workshop.read("f.fw");
    std::string framed;
    for (std::size_t at = 0; at < archive.size(); at += 100) {
        auto const piece = BytesView(archive).subspan(at, std::min<std::size_t>(100, archive.size() - at));
        Bytes length(4);
        store_be32(length, 0, static_cast<std::uint32_t>(piece.size()));
        framed += std::string(as_text(length)) + std::string(as_text(piece));
    }
    framed += std::string(4, '\0');
    EXPECT_EQ(run({"-V", "--framing", "-i", "-"}, framed).output,
              frame("OK", 0, "Valid archive without a signature"));
}

TEST_F(FwupProgram, the_exit_handshake_ends_the_output) {
    make_archive("task t { }\n");
    EXPECT_EQ(run({"-V", "--exit-handshake", "-i", path("f.fw")}, "rest of the input").output,
              std::string("Valid archive without a signature\n\x1A\0", 36));
    EXPECT_THAT(run({"-V", "--exit-handshake", "-i", path("none")}, "").output,
                ::testing::EndsWith("\x1A\x01"));
}

/// How the program ended, and how often it wrote to a file.
struct Traced {
    int wait_status = 0;
    int writes = 0;
};

/// In the child: becomes the program, traced by its parent.
[[noreturn]] void become_traced(std::vector<char*> const& words) {
    int const null = ::open("/dev/null", O_RDWR);
    ::dup2(null, STDIN_FILENO);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
    ::setenv("ASAN_OPTIONS", "detect_leaks=0", 1); // Leaks can't be looked for under a tracer.
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::execv(words[0], words.data());
    ::_exit(127);
}

/// Runs the program to its end, or up to its write number `deadly_write` (from 1), before which it is killed.
Traced run_traced(std::vector<std::string> const& arguments, int deadly_write) {
    std::vector<std::string> all{FWUP_PROGRAM};
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::vector<char*> words;
    for (auto& word : all) {
        words.push_back(word.data());
    }
    words.push_back(nullptr);
    auto const child = ::fork();
    if (child == 0) {
        become_traced(words);
    }
    Traced traced;
    ::waitpid(child, &traced.wait_status, 0); // It stops when it has become the program.
    ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    while (WIFSTOPPED(traced.wait_status)) {
        int const signal = WSTOPSIG(traced.wait_status);
        if (signal == (SIGTRAP | 0x80)) {
            __ptrace_syscall_info call{};
            ::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof call, &call);
            traced.writes += call.op == PTRACE_SYSCALL_INFO_ENTRY && call.entry.nr == SYS_pwrite64 ? 1 : 0;
            if (traced.writes == deadly_write) {
                ::kill(child, SIGKILL);
            }
        }
        // A signal is handed on; the stops of the tracer's own are none.
        bool const is_real = (signal & 0x80) == 0 && signal != SIGTRAP;
        ::ptrace(PTRACE_SYSCALL, child, nullptr, is_real ? signal : 0);
        ::waitpid(child, &traced.wait_status, 0);
    }
    return traced;
}

TEST_F(FwupProgram, killed_before_any_write_leaves_a_slot_that_boots) {
    m_workshop.write("1.fw", firmware_archive(1));
    m_workshop.write("2.fw", firmware_archive(2));
    m_workshop.write("disk", Bytes(layout::disk_blocks * block_size_bytes));
    ASSERT_EQ(run({"-a", "-q", "-i", path("1.fw"), "-d", path("disk"), "-t", "complete"}).status, 0);
    auto const before = m_workshop.read("disk");
    std::vector<std::string> const upgrade{"-a", "-q",         "-i", path("2.fw"),
                                           "-d", path("disk"), "-t", "upgrade"};
    auto const boots = [&](int write) {
        auto const disk = must(FileDevice::open(m_workshop.path("disk"), DeviceAccess::read_write));
        auto const booted = boot(*disk);
        EXPECT_EQ(booted.version, booted.slot == 'a' ? 1 : 2) << "killed before write " << write;
        return booted.version;
    };
    constexpr int never = -1;
    auto const whole = run_traced(upgrade, never);
    ASSERT_TRUE(WIFEXITED(whole.wait_status) && WEXITSTATUS(whole.wait_status) == 0);
    EXPECT_EQ(boots(never), 2);
    ASSERT_GT(whole.writes, 5);

    constexpr int most_kills = 25;
    int const step = std::max(1, whole.writes / most_kills);
    for (int write = 1; write <= whole.writes; write += step) {
        m_workshop.write("disk", before);
        auto const killed = run_traced(upgrade, write);
        EXPECT_TRUE(WIFSIGNALED(killed.wait_status)) << "before write " << write;
        (void)boots(write);
    }
}

} // namespace

} // namespace sinew::firmware::test
