/// The command line of fwup.
///
/// Threading: plain values.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/firmware/command_line.hpp>

#include <cstdint>
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

enum class ProgressStyle : unsigned char { normal, numeric, quiet };

struct Options {
    Command command = Command::none;
    /// What the engine is asked for; the keys are read from the files and texts below.
    firmware::CommandLine engine{.script = "fwupdate.conf"};
    std::vector<std::string> public_key_files;
    std::vector<std::string> public_keys;
    std::string private_key_file;
    std::string private_key;
    /// -m prints only this field.
    std::string metadata_key;
    ProgressStyle progress = ProgressStyle::normal;
    int progress_low = 0;
    int progress_high = 100;
    bool partial = false;
    bool framing = false;
    bool exit_handshake = false;
    bool eject = false;
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
