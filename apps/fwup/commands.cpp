/// The commands over libs/firmware.
#include "commands.hpp"

#include "cards.hpp"
#include "console.hpp"
#include "options.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>
#include <sinew/firmware.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::fwup {

namespace {

constexpr std::size_t most_public_keys = 10;

std::unexpected<Error> usage_error(std::string const& what) {
    return failure(ErrorCode::invalid_argument, what + "; see fwup --help");
}

Result<std::vector<firmware::PublicKey>> public_keys(Options const& options, Console& console) {
    std::vector<firmware::PublicKey> keys;
    for (auto const& file : options.public_key_files) {
        TRY(auto const key, firmware::PublicKey::load(file));
        keys.push_back(key);
    }
    for (auto const& text : options.public_keys) {
        auto key = firmware::PublicKey::parse(as_bytes(text));
        if (!key) {
            return std::unexpected(std::move(key).error().with_context("--public-key"));
        }
        keys.push_back(*key);
    }
    if (keys.size() > most_public_keys) {
        console.warning("only the first 10 public keys are used");
        keys.resize(most_public_keys);
    }
    return keys;
}

Result<std::optional<firmware::PrivateKey>> private_key(Options const& options) {
    if (!options.private_key_file.empty()) {
        return firmware::PrivateKey::load(options.private_key_file);
    }
    if (!options.private_key.empty()) {
        return firmware::PrivateKey::parse(as_bytes(options.private_key));
    }
    return std::nullopt;
}

Result<std::unique_ptr<firmware::InputStream>> open_input(Options const& options) {
    if (options.engine.archive.empty() && ::isatty(STDIN_FILENO) != 0) {
        return usage_error("say which update to read with -i; - is standard input");
    }
    if (options.engine.archive.empty() || options.engine.archive == "-") {
        FileDescriptor input(::dup(STDIN_FILENO));
        if (!input) {
            return failure(ErrorCode::io, "standard input is closed; name a file with -i");
        }
        if (options.framing) {
            return std::make_unique<FramedInput>(std::move(input));
        }
        return std::make_unique<firmware::FileInput>(std::move(input));
    }
    TRY(auto file, firmware::FileInput::open(options.engine.archive));
    return file;
}

Result<std::string> only_card() {
    auto cards = find_cards();
    if (cards.size() == 1) {
        return cards.front().path;
    }
    return failure(ErrorCode::not_found, cards.empty()
                                             ? "no memory card was found; insert one, or name a disk with -d"
                                             : "several memory cards were found; name one of them with -d");
}

Result<std::string> choose_device(Options const& options) {
    if (!options.engine.disk.empty()) {
        return options.engine.disk;
    }
    TRY(auto card, only_card());
    if (options.accept_found_card) {
        return card;
    }
    if (::isatty(STDIN_FILENO) == 0) {
        return failure(ErrorCode::invalid_argument,
                       "nobody can be asked whether to write to " + card + "; name it with -d, or give -y");
    }
    std::cout << "Write to " << card << "? [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    if (answer != "y" && answer != "Y") {
        return failure(ErrorCode::cancelled, "nothing was written");
    }
    return card;
}

firmware::Listener listener(Console& console, bool with_progress) {
    firmware::Listener listener;
    if (with_progress) {
        listener.on_progress = [&](firmware::Progress const& progress) { console.progress(progress); };
    }
    listener.on_message = [&](firmware::MessageKind kind, std::string const& text) {
        kind == firmware::MessageKind::info ? console.info(text) : console.warning(text);
    };
    return listener;
}

Result<> apply(Options const& options, Console& console) {
    if (options.engine.task.empty()) {
        return usage_error("say which task to apply with -t");
    }
    auto wanted = options.engine;
    TRY(wanted.public_keys, public_keys(options, console));
    TRY(auto const input, open_input(options));
    TRY(wanted.disk, choose_device(options));
    if (options.unmount) {
        TRY_OK(unmount_disk(wanted.disk));
    }
    TRY(auto const report, firmware::run_apply(wanted, *input, listener(console, true)));
    if (options.verbose) {
        console.info("applied task " + report.task + " of " + report.metadata.uuid);
    }
    console.applied();
    if (options.eject) {
        eject_disk(wanted.disk);
    }
    return {};
}

Result<> create_file(Options const& options, std::string const& output, Console& console) {
    auto wanted = options.engine;
    wanted.output = output;
    if (wanted.script == "-") {
        wanted.script = "standard input";
        wanted.script_text = std::string(std::istreambuf_iterator<char>(std::cin), {});
    }
    TRY(wanted.private_key, private_key(options));
    TRY(auto const report, firmware::run_create(wanted, listener(console, false)));
    if (options.verbose) {
        for (auto const& resource : report.resources) {
            console.info(resource.name + ": " + std::to_string(resource.size_bytes) + " bytes, " +
                         std::to_string(resource.compressed_bytes) + " compressed");
        }
    }
    if (options.framing) {
        console.result("");
    }
    return {};
}

/// An archive appears whole or not at all, on standard output too.
Result<> create_to_standard_output(Options const& options, Console& console) {
    TRY(auto const folder, TemporaryDirectory::create("fwup"));
    auto const path = folder.path() / "archive.fw";
    TRY_OK(create_file(options, path.string(), console));
    TRY(auto const file, firmware::FileInput::open(path));
    FileDescriptor const output(::dup(STDOUT_FILENO));
    Bytes buffer(256u << 10);
    while (true) {
        TRY(auto const count, file->read(buffer));
        if (count == 0) {
            return {};
        }
        TRY_OK(write_all(output, BytesView(buffer).first(count)));
    }
}

Result<> create(Options const& options, Console& console) {
    auto const& output = options.engine.output;
    if (!output.empty() && output != "-") {
        return create_file(options, output, console);
    }
    if (options.framing || (output.empty() && ::isatty(STDOUT_FILENO) != 0)) {
        return usage_error("say which file to write with -o");
    }
    auto silent = options;
    silent.verbose = false; // what is printed would be part of the archive
    return create_to_standard_output(silent, console);
}

Result<> generate_keys(Options const& options, Console& console) {
    auto const name = options.engine.output.empty() ? std::string("fwup-key") : options.engine.output;
    TRY_OK(firmware::save_keys(firmware::generate_keys(), name));
    console.result("The keys are in " + name + ".pub, for devices, and " + name +
                   ".priv, for nobody but you.\n");
    return {};
}

/// Whether a hole of the size that was asked for can be made and found where `path` is.
Result<> check_sparse(Options const& options, Console& console) {
    std::filesystem::path const path = options.sparse_check_path;
    auto const hole_bytes = options.sparse_check_bytes;
    auto const folder = std::filesystem::is_directory(path) ? path : path.parent_path();
    TRY(auto const file, open_file(folder.empty() ? "." : folder, O_TMPFILE | O_RDWR, 0600));
    TRY_OK(write_all_at(file, as_bytes("x"), hole_bytes));
    auto const data = ::lseek(file.get(), 0, SEEK_DATA);
    if (data > 0) {
        console.result("Sparse files supported\n");
        return {};
    }
    return failure(ErrorCode::unsupported, "holes of " + std::to_string(hole_bytes) +
                                               " bytes aren't kept in " +
                                               (folder.empty() ? "." : folder.string()) +
                                               "; use another file system, or no skip-holes");
}

Result<> sign(Options const& options, Console& console) {
    auto wanted = options.engine;
    TRY(wanted.private_key, private_key(options));
    if (!wanted.private_key) {
        return usage_error("say which key to sign with, -s FILE");
    }
    if (wanted.archive.empty() || wanted.archive == "-") {
        return usage_error("say which file to sign with -i");
    }
    TRY_OK(firmware::run_sign(wanted));
    if (options.framing) {
        console.result("");
    }
    return {};
}

/// For people a line, for programs the text.
std::string as_result(Options const& options, std::string text) {
    return options.framing ? std::move(text) : std::move(text) + "\n";
}

/// -m, -l: with a key, only of an archive that it has signed. Reads no further than meta.conf.
Result<> print_head(Options const& options, Console& console) {
    TRY(auto const keys, public_keys(options, console));
    TRY(auto const input, open_input(options));
    TRY(auto metadata, firmware::read_metadata(*input, keys));
    if (options.command == Command::metadata && !options.metadata_key.empty()) {
        auto const value = firmware::metadata_value(metadata, options.metadata_key);
        console.result(as_result(options, value.value_or("(null)")));
        return {};
    }
    if (options.command == Command::metadata) {
        console.result(firmware::format_metadata(metadata));
        return {};
    }
    std::ranges::sort(metadata.tasks);
    std::string text;
    for (auto const& task : metadata.tasks) {
        text += printable(task) + "\n";
    }
    console.result(text);
    return {};
}

Result<> verify(Options const& options, Console& console) {
    if (options.engine.archive.empty()) {
        return usage_error("say which update to verify with -i; - is standard input");
    }
    auto wanted = options.engine;
    TRY(wanted.public_keys, public_keys(options, console));
    TRY(auto const input, open_input(options));
    if (options.partial) {
        TRY(auto const report, firmware::run_verify_part(wanted, *input, {}));
        console.result(std::to_string(report.good_bytes) + "\n");
        return {};
    }
    TRY(auto const metadata, firmware::run_verify(wanted, *input, {}));
    std::string_view const verdict =
        !metadata.is_signed ? "Valid archive without a signature"
        : wanted.public_keys.empty()
            ? "Valid archive with an unverified signature. Specify a public key to authenticate."
            : "Valid archive with a good signature";
    console.result(as_result(options, std::string(verdict)));
    return {};
}

Result<> detect(Console& console) {
    std::string text;
    for (auto const& card : find_cards()) {
        text += card.path + "," + std::to_string(card.size_bytes) + "\n";
    }
    console.result(text);
    return {};
}

} // namespace

Result<> run_command(Options const& options, Console& console) {
    switch (options.command) {
    case Command::apply:
        return apply(options, console);
    case Command::create:
        return create(options, console);
    case Command::list:
    case Command::metadata:
        return print_head(options, console);
    case Command::generate_keys:
        return generate_keys(options, console);
    case Command::sign:
        return sign(options, console);
    case Command::verify:
        return verify(options, console);
    case Command::detect:
        return detect(console);
    case Command::print_card: {
        TRY(auto card, only_card());
        console.result(card + "\n");
        return {};
    }
    case Command::sparse_check:
        return check_sparse(options, console);
    case Command::version:
        std::cout << firmware::compatible_fwup_version() << "\n";
        return {};
    case Command::help:
        std::cout << usage();
        return {};
    case Command::none:
        break;
    }
    return usage_error("say what to do: -a, -c, -g, -l, -m, -S, -V, -D or -z");
}

} // namespace sinew::fwup
