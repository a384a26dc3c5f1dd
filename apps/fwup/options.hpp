/// The command line of fwup.
///
/// Threading: plain values.
#pragma once

#include <sinew/base/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sinew::fwup {

enum class Command : unsigned char {
    none,
    apply,
    create,
    list,
    metadata,
    generate_keys,
    sign,
    verify,
    detect,
    print_card,
    version,
    help,
    sparse_check,
};

/// What --verify-writes and --no-verify-writes ask for; by default disks are verified and image files aren't.
enum class VerifyWrites : unsigned char { by_device, always, never };

enum class ProgressStyle : unsigned char { normal, numeric, quiet };

struct Options {
    Command command = Command::none;
    std::string device;
    std::string script = "fwupdate.conf";
    std::string input;
    std::string output;
    std::string task;
    std::vector<std::string> public_key_files;
    std::vector<std::string> public_keys;
    std::string private_key_file;
    std::string private_key;
    std::optional<std::string> platform;
    std::string reboot_param_path;
    ProgressStyle progress = ProgressStyle::normal;
    int progress_low = 0;
    int progress_high = 100;
    int compression_level = 5;
    bool zstd = false;
    bool partial = false;
    bool framing = false;
    bool exit_handshake = false;
    bool enable_trim = false;
    bool unsafe = false;
    bool minimize_writes = false;
    bool eject = false;
    VerifyWrites verify_writes = VerifyWrites::by_device;
    std::optional<std::uint64_t> most_blocks;
    std::string sparse_check_path;
    std::uint64_t sparse_check_bytes = 4096;
    bool unmount = true;
    bool accept_found_card = false;
    bool verbose = false;
};

/// Fills `options`, which keeps what was read before an error: whether that is to be framed, for example.
/// Error invalid_argument: an unknown option, a missing or a wrong argument.
[[nodiscard]] Result<> parse_options(int argc, char** argv, Options& options);

[[nodiscard]] std::string usage();

} // namespace sinew::fwup
