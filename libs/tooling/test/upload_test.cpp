// `sinew upload` against a device that is a shell script called ssh.
#include "tool_fixture.hpp"

#include <sinew/firmware/create.hpp>
#include <sinew/tooling/feed_command.hpp>
#include <sinew/tooling/upload.hpp>

#include <gmock/gmock.h>

#include <cstdint>
#include <cstdlib>

namespace sinew::tooling {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

/// The device: keeps its state in files of the folder it lies in. `after` is what it says once it was
/// updated.
constexpr std::string_view fake_ssh = R"(#!/bin/sh
here=$(dirname "$0")
for command in "$@"; do :; done
case "$command" in
sinew-update)
    cat > "$here/received"
    if [ -f "$here/refuse-once" ]; then mv "$here/refuse-once" "$here/refused"; cat "$here/refused" >&2; exit 1; fi
    if [ -f "$here/refuse" ]; then cat "$here/refuse" >&2; exit 1; fi
    if [ -f "$here/break" ]; then echo "Connection closed" >&2; exit 255; fi
    echo 'sinew-update: installed 0.2.0 (new); rebooting'
    cp "$here/after" "$here/now"
    [ -f "$here/torn" ] && exit 255
    exit 0 ;;
"sinew-update --check")
    if [ -f "$here/busy" ]; then cat "$here/busy" >&2; exit 1; fi
    if [ -f "$here/older" ]; then echo "sinewd: unknown argument '--check'; see sinewd --help" >&2; exit 2; fi
    echo "sinew-update: ready" ;;
*)
    if [ -f "$here/away" ]; then echo "ssh: connect to host nowhere port 22: Connection refused" >&2; exit 255; fi
    cat "$here/now" ;;
esac
)";

std::string status_text(std::string_view boot, std::string_view version, std::string_view uuid,
                        std::string_view slot, std::string_view more) {
    return std::string(boot) + "\n{\"product\":\"blinky\",\"version\":\"" + std::string(version) +
           "\",\"uuid\":\"" + std::string(uuid) + "\",\"platform\":\"x86_64\",\"slot\":\"" +
           std::string(slot) + "\"," + std::string(more) + "}\n";
}

class UploadTest : public ToolFixture {
protected:
    UploadTest() {
        write("bin/ssh", fake_ssh, 0755);
        write("bin/now", status_text("boot-1", "0.1.0", "old", "a", R"("validated":true,"trial":false)"));
        m_path = environment("PATH");
        // Tests run one after another on one thread.
        setenv("PATH", ((folder() / "bin").string() + ":" + m_path).c_str(),
               1); // NOLINT(concurrency-mt-unsafe)
        write("payload", std::string(300'000, 'x'));
        auto made = firmware::create_archive(
            {.script = folder() / "fwup.conf",
             .script_text = "meta-product=blinky\nmeta-version=0.2.0\nmeta-platform=x86_64\n"
                            "file-resource payload { host-path=payload }\n"
                            "task upgrade { on-resource payload { raw_write(0) } }\n",
             .output = folder() / "new.fw",
             .variables = {},
             .private_key = {},
             .on_warning = {},
             .on_progress = {}});
        EXPECT_TRUE(made.has_value()) << made.error().message();
        m_uuid = made ? made->metadata.uuid : "";
    }
    ~UploadTest() override { setenv("PATH", m_path.c_str(), 1); } // NOLINT(concurrency-mt-unsafe)

public:
    UploadTest(UploadTest const&) = delete;
    UploadTest& operator=(UploadTest const&) = delete;
    UploadTest(UploadTest&&) = delete;
    UploadTest& operator=(UploadTest&&) = delete;

protected:
    void afterwards(std::string_view slot, std::string_view uuid, std::string_view more) {
        write("bin/after", status_text("boot-2", slot == "b" ? "0.2.0" : "0.1.0", uuid, slot, more));
    }
    /// Two archives of a payload that hardly compresses and hardly changes; the device runs the first.
    void make_two_releases() {
        std::string payload;
        std::uint32_t state = 1;
        while (payload.size() < 300'000) {
            state = state * 1664525 + 1013904223;
            payload += static_cast<char>(state >> 24);
        }
        for (std::string const version : {"0.1.0", "0.2.0"}) {
            write("payload", payload);
            firmware::CreateOptions wanted;
            wanted.script = folder() / "fwup.conf";
            wanted.script_text = "meta-product=blinky\nmeta-version=" + version +
                                 "\nmeta-platform=x86_64\nfile-resource payload { host-path=payload }\n"
                                 "task upgrade { on-resource payload { delta-source-raw-offset = 2048 "
                                 "delta-source-raw-count = 1024 raw_write(4096) } }\n";
            wanted.output = folder() / (version == "0.1.0" ? "old.fw" : "new.fw");
            auto const made = firmware::create_archive(wanted);
            ASSERT_TRUE(made.has_value()) << made.error().message();
            if (version == "0.1.0") {
                write("bin/now", status_text("boot-1", version, made->metadata.uuid, "a",
                                             R"("validated":true,"trial":false)"));
            }
            m_uuid = made->metadata.uuid;
            payload[1000] = 'x';
        }
        afterwards("b", m_uuid, R"("validated":true,"trial":false)");
    }
    Result<UploadReport> run_upload(fs::path const& previous = {}) {
        UploadOptions options;
        options.previous = previous;
        options.host = "localhost";
        options.limit = std::chrono::seconds(1);
        options.poll_interval = std::chrono::milliseconds(1);
        return upload(console(), KeyStore(folder() / "home"), folder() / "new.fw", options);
    }
    [[nodiscard]] std::string const& uuid() const { return m_uuid; }

private:
    std::string m_path;
    std::string m_uuid;
};

TEST_F(UploadTest, sends_the_whole_archive_and_reports_the_new_version) {
    afterwards("b", uuid(), R"("validated":true,"trial":false)");
    auto const done = run_upload();
    ASSERT_TRUE(done.has_value()) << done.error().message();
    EXPECT_EQ(done->before.version, "0.1.0");
    EXPECT_EQ(done->after.version, "0.2.0");
    EXPECT_EQ(done->after.slot, "b");
    EXPECT_EQ(*read_file(folder() / "bin/received"), *read_file(folder() / "new.fw"));
}

TEST_F(UploadTest, sends_only_what_changed_to_a_device_that_runs_the_previous_archive) {
    make_two_releases();
    auto const done = run_upload(folder() / "old.fw");
    ASSERT_TRUE(done.has_value()) << done.error().message();
    EXPECT_TRUE(done->as_delta);
    auto const received = *read_file(folder() / "bin/received");
    EXPECT_EQ(received.size(), done->sent_bytes);
    EXPECT_LT(received.size(), fs::file_size(folder() / "new.fw") / 10);
}

TEST_F(UploadTest, sends_everything_when_the_device_refuses_what_changed) {
    make_two_releases();
    write("bin/refuse-once", "error: the device holds something else than what it was made for\n");
    auto const done = run_upload(folder() / "old.fw");
    ASSERT_TRUE(done.has_value()) << done.error().message();
    EXPECT_FALSE(done->as_delta);
    EXPECT_TRUE(fs::exists(folder() / "bin/refused"));
    EXPECT_EQ(*read_file(folder() / "bin/received"), *read_file(folder() / "new.fw"));
}

TEST_F(UploadTest, sends_everything_to_a_device_that_runs_something_else) {
    make_two_releases();
    write("bin/now", status_text("boot-1", "0.0.9", "other", "a", R"("validated":true,"trial":false)"));
    auto const done = run_upload(folder() / "old.fw");
    ASSERT_TRUE(done.has_value()) << done.error().message();
    EXPECT_FALSE(done->as_delta);
    EXPECT_EQ(*read_file(folder() / "bin/received"), *read_file(folder() / "new.fw"));
}

TEST_F(UploadTest, takes_a_connection_torn_by_the_reboot_for_success) {
    afterwards("b", uuid(), R"("validated":true,"trial":false)");
    write("bin/torn", "");
    EXPECT_TRUE(run_upload().has_value());
}

TEST_F(UploadTest, fails_when_the_device_goes_back) {
    afterwards("a", "old", R"("validated":true,"trial":false,"rolled_back":true,"boot_reason":"watchdog")");
    auto const done = run_upload();
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code(), ErrorCode::denied);
    EXPECT_THAT(done.error().message(), HasSubstr("went back to 0.1.0 on slot a"));
}

TEST_F(UploadTest, passes_on_why_the_device_refused) {
    write("bin/refuse", "warming up\nerror: the archive is signed by none of the keys\n");
    auto const done = run_upload();
    ASSERT_FALSE(done.has_value());
    EXPECT_THAT(done.error().message(),
                HasSubstr("refused the update: error: the archive is signed by none"));
    EXPECT_THAT(done.error().message(), Not(HasSubstr("warming")));
}

TEST_F(UploadTest, is_told_at_once_that_another_one_is_on_its_way) {
    make_two_releases();
    write("bin/busy", "sinew-update: another update is being installed, or waits for its reboot\n");
    auto const done = run_upload(folder() / "old.fw");
    ASSERT_FALSE(done.has_value());
    EXPECT_THAT(done.error().message(),
                HasSubstr("takes no update now: sinew-update: another update is being installed"));
    EXPECT_FALSE(fs::exists(folder() / "bin/received"));
    EXPECT_THAT(said(), Not(HasSubstr("Only what changed"))) << "no delta was made";
}

TEST_F(UploadTest, goes_on_with_a_device_that_can_not_be_asked_first) {
    afterwards("b", uuid(), R"("validated":true,"trial":false)");
    write("bin/older", "");
    EXPECT_TRUE(run_upload().has_value());
}

TEST_F(UploadTest, tells_a_broken_connection_from_a_refusal) {
    write("bin/break", "");
    auto const done = run_upload();
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code(), ErrorCode::io);
    EXPECT_THAT(done.error().message(), HasSubstr("still runs its old firmware"));
}

TEST_F(UploadTest, says_when_the_device_can_not_be_reached) {
    write("bin/away", "");
    auto const done = run_upload();
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code(), ErrorCode::unavailable);
    EXPECT_THAT(done.error().message(), HasSubstr("Connection refused"));
    EXPECT_FALSE(fs::exists(folder() / "bin/received"));
}

TEST_F(UploadTest, does_not_send_firmware_for_another_platform) {
    write("bin/now", "boot-1\n{\"platform\":\"rpi4\",\"slot\":\"a\"}\n");
    auto const done = run_upload();
    ASSERT_FALSE(done.has_value());
    EXPECT_THAT(done.error().message(), HasSubstr("a device of platform rpi4"));
    EXPECT_FALSE(fs::exists(folder() / "bin/received"));
}

TEST_F(UploadTest, gives_up_on_a_device_that_never_reboots) {
    fs::copy_file(folder() / "bin/now", folder() / "bin/after");
    auto const done = run_upload();
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code(), ErrorCode::timed_out);
}

TEST_F(UploadTest, checks_the_host_key_of_every_device) {
    KeyStore const keys(folder() / "home");
    for (auto const* host :
         {"127.0.0.1.somewhere.example", "127.0.0.1", "localhost", "root@::1", "blinky.local"}) {
        auto const words = ssh_command(keys, {.host = host, .ssh_options = {}});
        EXPECT_THAT(words, Contains("StrictHostKeyChecking=accept-new")) << host;
        EXPECT_THAT(words, Not(Contains("UserKnownHostsFile=/dev/null"))) << host;
        EXPECT_THAT(words, Contains("IdentitiesOnly=yes")) << host;
    }
    EXPECT_THAT(ssh_command(keys, {.host = "me@127.0.0.2", .port = 2222, .ssh_options = {}}),
                Contains("HostKeyAlias=port-2222-of-this-machine"));
    for (auto const* name :
         {"127.0.0.1.somewhere.example", "127.evil", "localhost.example", "blinky.local"}) {
        EXPECT_THAT(ssh_command(keys, {.host = name, .ssh_options = {}}),
                    Not(Contains(HasSubstr("HostKeyAlias"))))
            << name;
    }
}

TEST_F(UploadTest, forgets_who_was_behind_a_port_when_an_emulated_device_takes_it) {
    KeyStore const keys(folder() / "home");
    std::string const key =
        " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC1Tgm7gjCJcbIJ2bfOJthdwrD0Pa3hN1jHDnNVIhfF7\n";
    write("home/ssh/known_hosts", "port-2222-of-this-machine" + key + "port-2223-of-this-machine" + key);
    forget_local_host(keys, 2222);
    forget_local_host(keys, 2224);
    EXPECT_EQ(*read_text_file(keys.known_hosts_path()), "port-2223-of-this-machine" + key);
}

TEST_F(UploadTest, remembers_hosts_apart_and_offers_the_keys_it_is_told_of) {
    KeyStore const keys(folder() / "home");
    EXPECT_THAT(ssh_command(keys, {.host = "a", .ssh_options = {}, .identities = {"/home/me/laptop.pub"}}),
                Contains("/home/me/laptop.pub"));
    auto const words =
        ssh_command(keys, {.host = "me@blinky.local", .port = 2222, .ssh_options = {"-o", "X=y"}});
    EXPECT_EQ(words.back(), "me@blinky.local");
    EXPECT_THAT(words, Contains("StrictHostKeyChecking=accept-new"));
    EXPECT_THAT(words, Contains("2222"));
    EXPECT_THAT(words, Contains("X=y"));
}

TEST_F(UploadTest, a_program_that_stops_reading_is_heard_out) {
    auto const result = feed_command({"sh", "-c", "head -c 10 >/dev/null; echo enough >&2; exit 3"},
                                     folder() / "payload", {});
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->status, 3);
    EXPECT_EQ(result->error_output, "enough\n");
}

} // namespace
} // namespace sinew::tooling
