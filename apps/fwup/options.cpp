/// Reads the command line with getopt_long(3). Invariant: every option of the original is known here, even
/// where it has no effect. Threading: getopt keeps global state; called once, from main.
#include "options.hpp"

#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>

#include <getopt.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sinew::fwup {

namespace {

enum LongOnly : int {
    long_version = 256,
    long_progress_low,
    long_progress_high,
    long_exit_handshake,
    long_enable_trim,
    long_public_key,
    long_private_key,
    long_partial,
    long_platform,
    long_reboot_param_path,
    long_max_size,
    long_minimize_writes,
    long_no_minimize_writes,
    long_verify_writes,
    long_no_verify_writes,
    long_no_eject,
    long_sparse_check,
    long_sparse_check_size,
    long_unsafe,
    long_zstd,
    long_metadata_key,
    long_allow_overlaps,
};

constexpr std::array long_options{
    option{"allow-overlaps", no_argument, nullptr, long_allow_overlaps},
    option{"apply", no_argument, nullptr, 'a'},
    option{"create", no_argument, nullptr, 'c'},
    option{"detect", no_argument, nullptr, 'D'},
    option{"eject", no_argument, nullptr, 'E'},
    option{"enable-trim", no_argument, nullptr, long_enable_trim},
    option{"exit-handshake", no_argument, nullptr, long_exit_handshake},
    option{"framing", no_argument, nullptr, 'F'},
    option{"gen-keys", no_argument, nullptr, 'g'},
    option{"help", no_argument, nullptr, 'h'},
    option{"list", no_argument, nullptr, 'l'},
    option{"max-size", required_argument, nullptr, long_max_size},
    option{"metadata", no_argument, nullptr, 'm'},
    option{"metadata-key", required_argument, nullptr, long_metadata_key},
    option{"minimize-writes", no_argument, nullptr, long_minimize_writes},
    option{"no-eject", no_argument, nullptr, long_no_eject},
    option{"no-minimize-writes", no_argument, nullptr, long_no_minimize_writes},
    option{"no-unmount", no_argument, nullptr, 'U'},
    option{"no-verify-writes", no_argument, nullptr, long_no_verify_writes},
    option{"partial", no_argument, nullptr, long_partial},
    option{"platform", required_argument, nullptr, long_platform},
    option{"private-key", required_argument, nullptr, long_private_key},
    option{"private-key-file", required_argument, nullptr, 's'},
    option{"progress-high", required_argument, nullptr, long_progress_high},
    option{"progress-low", required_argument, nullptr, long_progress_low},
    option{"public-key", required_argument, nullptr, long_public_key},
    option{"public-key-file", required_argument, nullptr, 'p'},
    option{"quiet", no_argument, nullptr, 'q'},
    option{"reboot-param-path", required_argument, nullptr, long_reboot_param_path},
    option{"sign", no_argument, nullptr, 'S'},
    option{"sparse-check", required_argument, nullptr, long_sparse_check},
    option{"sparse-check-size", required_argument, nullptr, long_sparse_check_size},
    option{"task", required_argument, nullptr, 't'},
    option{"unmount", no_argument, nullptr, 'u'},
    option{"unsafe", no_argument, nullptr, long_unsafe},
    option{"verbose", no_argument, nullptr, 'v'},
    option{"verify", no_argument, nullptr, 'V'},
    option{"verify-writes", no_argument, nullptr, long_verify_writes},
    option{"version", no_argument, nullptr, long_version},
    option{"zstd", no_argument, nullptr, long_zstd},
    option{nullptr, 0, nullptr, 0},
};

constexpr char const* short_options = ":acd:DEf:Fghi:lmno:p:qSs:t:uUvVyz123456789";

constexpr std::int64_t most_size = std::int64_t{1} << 50;

/// As C has numbers: decimal, hexadecimal (0x10) or octal (010).
Result<std::int64_t> number(std::string_view name, std::string_view text, std::int64_t least,
                            std::int64_t most) {
    bool const is_hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    bool const is_octal = !is_hexadecimal && text.size() > 1 && text.front() == '0';
    int const base = is_hexadecimal ? 16 : is_octal ? 8 : 10;
    auto const value = parse_int64(text.substr(is_hexadecimal ? 2 : 0), least, most, base);
    if (!value) {
        return failure(ErrorCode::invalid_argument,
                       std::string(name) + " takes a number from " + std::to_string(least) + " to " +
                           std::to_string(most) + ", not '" + std::string(text) + "'");
    }
    return *value;
}

Result<int> percent(std::string_view name, std::string_view text) {
    TRY(auto const value, number(name, text, 0, 100));
    return static_cast<int>(value);
}

/// The command a letter stands for; none if it is another option.
Command command_of(int letter) {
    switch (letter) {
    case 'a':
        return Command::apply;
    case 'c':
        return Command::create;
    case 'D':
        return Command::detect;
    case 'g':
        return Command::generate_keys;
    case 'h':
        return Command::help;
    case 'l':
        return Command::list;
    case 'm':
    case long_metadata_key:
        return Command::metadata;
    case 'S':
        return Command::sign;
    case 'V':
        return Command::verify;
    case 'z':
        return Command::print_card;
    case long_version:
        return Command::version;
    case long_sparse_check:
        return Command::sparse_check;
    default:
        return Command::none;
    }
}

/// Options that only store their argument; false if `letter` is none of them.
bool take_value(int letter, char const* value, Options& options) {
    switch (letter) {
    case 'd':
        options.engine.disk = value;
        return true;
    case 'f':
        options.engine.script = value;
        return true;
    case 'i':
        options.engine.archive = value;
        return true;
    case 'o':
        options.engine.output = value;
        return true;
    case 'p':
        options.public_key_files.emplace_back(value);
        return true;
    case 's':
        options.private_key_file = value;
        return true;
    case 't':
        options.engine.task = value;
        return true;
    case long_public_key:
        options.public_keys.emplace_back(value);
        return true;
    case long_private_key:
        options.private_key = value;
        return true;
    case long_platform:
        options.engine.platform = value;
        return true;
    case long_reboot_param_path:
        options.engine.reboot_param_path = value;
        return true;
    default:
        return false;
    }
}

Result<> take_switch(int letter, std::string_view word, Options& options) {
    switch (letter) {
    case 'F':
        options.framing = true;
        return {};
    case 'n':
    case 'q': {
        auto const wanted = letter == 'n' ? ProgressStyle::numeric : ProgressStyle::quiet;
        if (options.progress != ProgressStyle::normal && options.progress != wanted) {
            return failure(ErrorCode::invalid_argument, "pick either -n or -q, not both");
        }
        options.progress = wanted;
        return {};
    }
    case 'u':
    case 'U':
        options.unmount = letter == 'u';
        return {};
    case 'v':
        options.verbose = true;
        options.engine.explain_conditions = true;
        return {};
    case 'y':
        options.accept_found_card = true;
        return {};
    case 'E':
    case long_no_eject:
        options.eject = letter == 'E';
        return {};
    case long_minimize_writes:
    case long_no_minimize_writes:
        options.engine.minimize_writes = letter == long_minimize_writes;
        return {};
    case long_verify_writes:
    case long_no_verify_writes:
        options.engine.verify_writes = letter == long_verify_writes;
        options.engine.no_verify_writes = letter == long_no_verify_writes;
        return {};
    case long_unsafe:
        options.engine.unsafe = true;
        return {};
    case long_partial:
        options.partial = true;
        return {};
    case long_zstd:
        options.engine.zstd = true;
        return {};
    case long_allow_overlaps:
        options.engine.allow_overlaps = true;
        return {};
    case long_exit_handshake:
        options.exit_handshake = true;
        return {};
    case long_enable_trim:
        options.engine.trim = true;
        return {};
    case ':':
        return failure(ErrorCode::invalid_argument, std::string(word) + " needs a value; see fwup --help");
    default:
        return failure(ErrorCode::invalid_argument,
                       "unknown option " + std::string(word) + "; see fwup --help");
    }
}

/// Then an archive may stand alone: `fwup blinky.fw`.
bool is_only_about_applying(Options const& options) {
    return options.command == Command::none && options.engine.archive.empty() &&
           options.engine.output.empty() && options.engine.script == Options().engine.script &&
           options.private_key_file.empty() && options.private_key.empty();
}

} // namespace

Result<> parse_options(int argc, char** argv, Options& options) {
    opterr = 0;
    while (true) {
        auto const at = static_cast<std::size_t>(optind);
        // NOLINTNEXTLINE(concurrency-mt-unsafe)
        int const letter = getopt_long(argc, argv, short_options, long_options.data(), nullptr);
        if (letter == -1) {
            break;
        }
        auto const word = static_cast<int>(at) < argc ? std::string_view(argv[at]) : std::string_view();
        if (auto const command = command_of(letter); command != Command::none) {
            options.command = command;
            if (command == Command::sparse_check) {
                options.sparse_check_path = optarg;
            } else if (letter == long_metadata_key) {
                options.metadata_key = optarg;
            }
        } else if (letter >= '1' && letter <= '9') {
            options.engine.compression_level = letter - '0';
        } else if (letter == long_progress_low) {
            TRY(options.progress_low, percent("--progress-low", optarg));
        } else if (letter == long_progress_high) {
            TRY(options.progress_high, percent("--progress-high", optarg));
        } else if (letter == long_max_size) {
            TRY(options.engine.max_size_blocks, number("--max-size", optarg, 0, most_size));
        } else if (letter == long_sparse_check_size) {
            TRY(auto const bytes, number("--sparse-check-size", optarg, 1, most_size));
            options.sparse_check_bytes = static_cast<std::uint64_t>(bytes);
        } else if (!take_value(letter, optarg, options)) {
            TRY_OK(take_switch(letter, word, options));
        }
    }
    if (optind + 1 == argc && is_only_about_applying(options)) {
        options.command = Command::apply;
        options.engine.archive = argv[optind++];
        options.engine.task = options.engine.task.empty() ? "complete" : options.engine.task;
    }
    if (optind < argc) {
        return failure(ErrorCode::invalid_argument,
                       std::string("unexpected parameter '") + argv[optind] + "'");
    }
    if (options.progress_low > options.progress_high) {
        return failure(ErrorCode::invalid_argument, "--progress-low must not be above --progress-high");
    }
    return {};
}

std::string usage() {
    return R"(fwup: create, sign, verify and apply firmware updates

Usage: fwup COMMAND [options]
       fwup UPDATE.fw [options]                          The same as -a -t complete -i UPDATE.fw

Commands
  -a, --apply            Apply a task of an update          (-i, -d, -t)
  -c, --create           Create an update from a script     (-f, -o)
  -g, --gen-keys         Make fwup-key.pub and fwup-key.priv (-o another name)
  -l, --list             List the tasks of an update        (-i)
  -m, --metadata         Print what an update says of itself (-i)
      --metadata-key KEY Print one field of it, e.g. meta-version (-i)
  -S, --sign             Sign an update, or sign it anew    (-s, -i, -o)
  -V, --verify           Check signature and content        (-i, -p)
  -D, --detect           List memory cards with their sizes
  -z                     Print the one memory card there is
      --version, -h, --help

Options
  -i FILE                The update; - is standard input
  -o FILE                The file to write; - is standard output
  -d DEVICE              The disk or image file to write to
  -t, --task TASK        The first task beginning so, whose conditions hold
  -f FILE                The script (default fwupdate.conf); - is standard input
  -1 .. -9               Fast or small (default -5; up to 4 % larger than -9 of the original)
      --zstd             Compress by zstd: smaller, made faster, but the original refuses it
  -p, --public-key-file FILE, --public-key TEXT     Require a signature by one of these
  -s, --private-key-file FILE, --private-key TEXT   Sign with this
      --allow-overlaps   With -c: let a task write the same blocks, or a resource, twice
      --partial          With -V: print how many bytes of a broken download are good, to go on from there
      --platform NAME    Refuse an update for another platform
  -n / -q                Numbers instead of a progress bar / no progress
      --progress-low N, --progress-high N           Scale progress to this range
  -F, --framing          Framed input and output, for programs
      --exit-handshake   0x1A and the status at the end, then wait for the end of input
  -u, --unmount / -U, --no-unmount                  Unmount the disk first (default) or not
  -y                     Use the memory card that is found without asking
      --enable-trim      Let trim() discard blocks of a real disk
      --max-size BLOCKS  Write nothing behind this; partitions expand up to it (0: no limit)
      --minimize-writes / --no-minimize-writes      Leave blocks alone that are right already, or not (default)
      --verify-writes / --no-verify-writes          Read back what was written (default on disks)
      --unsafe           Allow path_write, pipe_write, execute, ubi_volume_write, require-execute
  -E, --eject / --no-eject                          Eject the medium afterwards or not (default)
      --reboot-param-path FILE                      Where reboot_param() writes
  -v, --verbose          Say more: which conditions of a task aren't met, for example
      --sparse-check PATH, --sparse-check-size BYTES
                         Tell by the exit status whether holes of this size work where PATH is

Examples
  fwup -c -f fwup.conf -o blinky.fw -s my.priv
  fwup -a -i blinky.fw -d /dev/sdX -t complete
  fwup -a -i blinky.fw -d card.img -t complete
  ssh device fwup -a -U -d /dev/rootdisk0 -t upgrade -p /etc/key.pub -i - < blinky.fw
  fwup -V -p my.pub -i blinky.fw
)";
}

} // namespace sinew::fwup
