/// Measures the update engine: each case runs in a process of its own, so that its CPU time and peak memory
/// are those of the whole process. Prints lines `firmware METRIC VALUE UNIT`.
///
/// The payload is a root file system of 64 MiB, half of it compressible, and a kernel of 12 MiB. Limits (what
/// no engine can beat) are measured in the same run. Threading: one thread; children one after the other.
#include <sinew/base/bytes.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware.hpp>

#include <fcntl.h>
#include <libdeflate.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace sinew;
using namespace sinew::firmware;

constexpr std::size_t rootfs_bytes = 64u << 20;
constexpr std::size_t kernel_bytes = 12u << 20;
constexpr std::size_t piece_bytes = 512u << 10;
constexpr int repetitions = 3;

template<typename T>
T must(Result<T> result) {
    if (!result) {
        throw std::runtime_error(result.error().message());
    }
    return *std::move(result);
}
void must(Result<> result) {
    if (!result) {
        throw std::runtime_error(result.error().message());
    }
}

class Random {
public:
    explicit Random(std::uint64_t seed)
        : m_state(seed * 0x9E3779B97F4A7C15ull + 1) {}
    std::uint64_t next() {
        m_state ^= m_state << 13;
        m_state ^= m_state >> 7;
        m_state ^= m_state << 17;
        return m_state;
    }

private:
    std::uint64_t m_state;
};

/// Alternating 4 KiB of noise and of words in random order, as a root file system has them.
Bytes half_compressible(std::size_t size, std::uint64_t seed) {
    constexpr std::array<std::string_view, 16> words{
        "return ", "static ",   "\x48\x89\xe5\x48", "\x0f\xb6\x44\x24", "error: ", "device", "/usr/lib/",
        "= ",      "\n      ",  "firmware",         "\x48\x8b\x45\xf8", "\xe8",    "0x7f",   "the ",
        "of ",     "GLIBC_2.34"};
    constexpr std::size_t piece = 4096;
    Random random(seed);
    Bytes bytes;
    bytes.reserve(size + piece);
    while (bytes.size() < size) {
        auto const end = bytes.size() + piece;
        bool const is_noise = bytes.size() / piece % 2 == 0;
        while (bytes.size() < end) {
            auto const value = random.next();
            if (is_noise) {
                bytes.push_back(static_cast<std::byte>(value >> 32));
                continue;
            }
            auto const word = as_bytes(words[value >> 60]);
            bytes.insert(bytes.end(), word.begin(), word.end());
        }
        bytes.resize(end);
    }
    bytes.resize(size);
    return bytes;
}

/// A release later: some files of 100 kB are new, and each is a little longer than before.
Bytes next_release(Bytes bytes, std::size_t files) {
    constexpr std::size_t file = 100'000;
    auto const distance = bytes.size() / (files + 2);
    for (std::size_t i = 1; i <= files; ++i) {
        auto const at = static_cast<std::ptrdiff_t>(i * distance);
        auto const content = half_compressible(file + 777, 1000 * files + i);
        bytes.erase(bytes.begin() + at, bytes.begin() + at + static_cast<std::ptrdiff_t>(file));
        bytes.insert(bytes.begin() + at, content.begin(), content.end());
    }
    return bytes;
}

/// As archives have them, but one after the other: the size in four bytes, then deflate.
Bytes compressed_pieces(BytesView content) {
    constexpr int level = 5;
    std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> const compressor(
        libdeflate_alloc_compressor(level), &libdeflate_free_compressor);
    Bytes bytes;
    for (std::size_t at = 0; at < content.size(); at += piece_bytes) {
        auto const piece = content.subspan(at, std::min(piece_bytes, content.size() - at));
        auto const header = bytes.size();
        bytes.resize(header + 4 + libdeflate_deflate_compress_bound(compressor.get(), piece.size()));
        auto const size = libdeflate_deflate_compress(compressor.get(), piece.data(), piece.size(),
                                                      bytes.data() + header + 4, bytes.size() - header - 4);
        store_le32(bytes, header, static_cast<std::uint32_t>(size));
        bytes.resize(header + 4 + size);
    }
    return bytes;
}

/// Reads what compressed_pieces() made, and inflates it piece after piece into the same memory.
void inflate_pieces(std::filesystem::path const& path) {
    std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> const decompressor(
        libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
    auto const file = must(open_file(path, O_RDONLY));
    Bytes compressed(2 * piece_bytes);
    Bytes out(piece_bytes);
    auto const end = std::filesystem::file_size(path);
    for (std::uint64_t at = 0; at < end;) {
        must(read_exactly_at(file, std::span(compressed).first(4), at));
        auto const piece = std::span(compressed).first(load_le32(compressed, 0));
        must(read_exactly_at(file, piece, at + 4));
        std::size_t inflated = 0;
        if (libdeflate_deflate_decompress(decompressor.get(), piece.data(), piece.size(), out.data(),
                                          out.size(), &inflated) != LIBDEFLATE_SUCCESS) {
            throw std::runtime_error("can't inflate");
        }
        at += 4 + piece.size();
    }
}

/// What the original does for each byte, to compare with in the same run: zlib at level 9, CRC-32, BLAKE2b-256,
/// writes of 128 KiB that are read back if asked for. It isn't the original, whose overhead is on top.
class Peer {
public:
    static constexpr std::size_t segment_bytes = 128u << 10;

    /// Files are read twice: for the hash, and to be compressed.
    static void create(std::filesystem::path const& from, std::filesystem::path const& to) {
        auto const content = must(read_file(from, 1u << 30));
        hash(content);
        auto const again = must(read_file(from, 1u << 30));
        uLong const sum =
            crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<Bytef const*>(again.data()), again.size());
        auto const file = must(open_file(to, O_WRONLY | O_CREAT | O_TRUNC));
        z_stream stream{};
        constexpr int level = 9;
        constexpr int raw = -15;
        deflateInit2(&stream, level, Z_DEFLATED, raw, 8, Z_DEFAULT_STRATEGY);
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(again.data()));
        stream.avail_in = static_cast<uInt>(again.size());
        Bytes out(segment_bytes);
        for (int status = Z_OK; status != Z_STREAM_END;) {
            stream.next_out = reinterpret_cast<Bytef*>(out.data());
            stream.avail_out = static_cast<uInt>(out.size());
            status = deflate(&stream, Z_FINISH);
            must(write_all(file, BytesView(out).first(out.size() - stream.avail_out)));
        }
        deflateEnd(&stream);
        must(write_all(file, std::as_bytes(std::span(&sum, 1))));
    }

    static void apply(std::filesystem::path const& from, std::filesystem::path const& to, bool reads_back) {
        auto const input = must(open_file(from, O_RDONLY));
        auto const disk = must(open_file(to, O_RDWR | O_CREAT));
        z_stream stream{};
        constexpr int raw = -15;
        inflateInit2(&stream, raw);
        Bytes in(segment_bytes);
        Bytes out(segment_bytes);
        Bytes present(segment_bytes);
        uLong sum = crc32_z(0, nullptr, 0);
        crypto_generichash_state state{};
        crypto_generichash_init(&state, nullptr, 0, 32);
        std::uint64_t at = 0;
        for (int status = Z_OK; status != Z_STREAM_END;) {
            stream.next_out = reinterpret_cast<Bytef*>(out.data());
            stream.avail_out = static_cast<uInt>(out.size());
            while (stream.avail_out > 0 && status != Z_STREAM_END) {
                if (stream.avail_in == 0) {
                    stream.avail_in = static_cast<uInt>(must(read_some(input, in)));
                    stream.next_in = reinterpret_cast<Bytef*>(in.data());
                }
                status = inflate(&stream, Z_NO_FLUSH);
            }
            auto const made = BytesView(out).first(out.size() - stream.avail_out);
            sum = crc32_z(sum, reinterpret_cast<Bytef const*>(made.data()), made.size());
            crypto_generichash_update(&state, reinterpret_cast<unsigned char const*>(made.data()),
                                      made.size());
            must(write_all_at(disk, made, at));
            if (reads_back) {
                auto const back = MutableBytesView(present).first(made.size());
                must(read_exactly_at(disk, back, at));
                if (!std::ranges::equal(made, back)) {
                    throw std::runtime_error("the disk holds something else");
                }
            }
            at += made.size();
        }
        inflateEnd(&stream);
        must(sync_file(disk));
    }

private:
    static void hash(BytesView bytes) {
        std::array<unsigned char, 32> digest{};
        crypto_generichash(digest.data(), digest.size(), reinterpret_cast<unsigned char const*>(bytes.data()),
                           bytes.size(), nullptr, 0);
    }
};

struct Usage {
    double wall_s = 0;
    double cpu_s = 0;
    double peak_mb = 0;
};

/// Runs `action` in a process of its own, with `input` as its standard input.
Usage measure(std::function<void()> const& action, std::filesystem::path const& input = "/dev/null") {
    auto const began = std::chrono::steady_clock::now();
    auto const child = ::fork();
    if (child == 0) {
        int status = 0;
        try {
            auto const file = must(open_file(input, O_RDONLY));
            ::dup2(file.get(), STDIN_FILENO);
            action();
        } catch (std::exception const& error) {
            std::fprintf(stderr, "firmware_bench: %s\n", error.what());
            status = 1;
        }
        std::_Exit(status);
    }
    int status = 0;
    rusage used{};
    if (child < 0 || ::wait4(child, &status, 0, &used) != child || status != 0) {
        throw std::runtime_error("a case failed");
    }
    auto const seconds = [](timeval const& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return {std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(),
            seconds(used.ru_utime) + seconds(used.ru_stime),
            static_cast<double>(used.ru_maxrss) * 1024 / 1e6};
}

void print(std::string const& metric, double value, char const* unit) {
    std::printf("firmware %s %.4g %s\n", metric.c_str(), value, unit);
}

/// The best of some runs: what it costs when nobody else is in the way.
void report(std::string const& name, std::function<void()> const& action,
            std::filesystem::path const& input = "/dev/null") {
    auto best = measure(action, input);
    for (int i = 1; i < repetitions; ++i) {
        auto const again = measure(action, input);
        best = {std::min(best.wall_s, again.wall_s), std::min(best.cpu_s, again.cpu_s),
                std::max(best.peak_mb, again.peak_mb)};
    }
    print(name + "_wall", best.wall_s, "s");
    print(name + "_cpu", best.cpu_s, "s");
    print(name + "_peak", best.peak_mb, "MB");
}

/// The files of the cases. They are made in child processes too: memory that was in use when a child is
/// forked would count as the child's.
class Bench {
public:
    void run() {
        measure([this] { write_inputs(); });
        for (auto const* version : {"old", "new"}) {
            measure([this, version] { create(version, 5); });
        }
        report_create();
        report_apply();
        report_deltas();
        report_peer_delta();
        report_limits();
    }

private:
    [[nodiscard]] std::filesystem::path path(std::string const& name) const { return m_folder.path() / name; }

    [[nodiscard]] double file_mb(std::string const& name) const {
        return static_cast<double>(std::filesystem::file_size(path(name))) / 1e6;
    }

    void write_inputs() const {
        auto const old = half_compressible(rootfs_bytes, 1);
        must(write_file_atomically(path("rootfs-old"), old));
        must(write_file_atomically(path("rootfs-new"), next_release(old, 24)));
        auto const kernel = half_compressible(kernel_bytes, 2);
        must(write_file_atomically(path("vmlinuz-old"), kernel));
        must(write_file_atomically(path("vmlinuz-new"), next_release(kernel, 6)));
        must(write_file_atomically(path("pieces"), compressed_pieces(old)));
        must(write_file_atomically(path("pieces-kernel"), compressed_pieces(kernel)));
    }

    void create(std::string const& version, int level, Compression compression = Compression::deflate,
                std::string const& output = "") const {
        CreateOptions options;
        options.script = path("fwup.conf");
        options.script_text =
            "file-resource vmlinuz { host-path = vmlinuz-" + version +
            " }\n"
            "file-resource rootfs.img { host-path = rootfs-" +
            version +
            " }\n"
            "task complete { on-resource vmlinuz { raw_write(2048) } on-resource rootfs.img { "
            "raw_write(32768) } }\n"
            "task kernel { on-resource vmlinuz { raw_write(2048) } }\n"
            "task upgrade { on-resource vmlinuz { delta-source-raw-offset = 2048 "
            "delta-source-raw-count = 30000 raw_write(330000) }\n"
            "  on-resource rootfs.img { delta-source-raw-offset = 32768 delta-source-raw-count = 140000 "
            "raw_write(180000) } }\n";
        options.output = path(output.empty() ? version + ".fw" : output);
        options.compression = compression;
        options.compression_level = level;
        must(create_archive(options));
    }

    void apply(std::string const& archive, std::string const& task, std::string const& disk_name,
               VerifyWrites verify = VerifyWrites::no) const {
        auto const input = archive.empty() ? std::make_unique<FileInput>(FileDescriptor(STDIN_FILENO))
                                           : must(FileInput::open(path(archive)));
        auto const disk = must(FileDevice::open(path(disk_name), DeviceAccess::create));
        ApplyOptions options;
        options.task = task;
        options.verify_writes = verify;
        must(apply_archive(*input, *disk, options));
    }

    void make_delta(DeltaForm form, std::string const& output) const {
        DeltaOptions options;
        options.from = path("old.fw");
        options.to = path("new.fw");
        options.output = path(output);
        options.form = form;
        must(make_delta_archive(options));
    }

    void report_create() const {
        for (auto const compression : {Compression::deflate, Compression::zstd}) {
            for (int const level : {1, 3, 5, 6, 9}) {
                bool const is_zstd = compression == Compression::zstd;
                auto const name = (is_zstd ? "create_zstd_" : "create_") + std::to_string(level);
                report(name, [=, this] { create("old", level, compression, "made.fw"); });
                print(name + "_archive", file_mb("made.fw"), "MB");
            }
        }
        measure([this] { create("old", 5, Compression::zstd, "zstd.fw"); });
        report("peer_create_9", [this] {
            Peer::create(path("vmlinuz-old"), path("peer-kernel"));
            Peer::create(path("rootfs-old"), path("peer-rootfs"));
        });
        print("peer_create_9_archive", file_mb("peer-kernel") + file_mb("peer-rootfs"), "MB");
    }

    /// An archive as other tools make it: one stream, without a list of pieces.
    void repack() const {
        auto const folder = path("repacked");
        CommandOptions options;
        options.timeout = std::chrono::minutes(5);
        auto const done = must(run_command(
            {"sh", "-c",
             "mkdir '" + folder.string() + "' && cd '" + folder.string() +
                 "' && unzip -q ../old.fw && zip -q -9 ../zip.fw meta.conf data/vmlinuz data/rootfs.img"},
            options));
        if (done.status != 0) {
            throw std::runtime_error("can't repack: " + done.error_output);
        }
    }

    void report_apply() const {
        report("apply_file", [this] { apply("old.fw", "complete", "disk.img"); });
        report("apply_stdin", [this] { apply("", "complete", "disk.img"); }, path("old.fw"));
        report("apply_verified", [this] { apply("old.fw", "complete", "disk.img", VerifyWrites::yes); });
        for (bool const reads_back : {false, true}) {
            report(reads_back ? "peer_apply_verified" : "peer_apply", [=, this] {
                Peer::apply(path("peer-kernel"), path("peer-disk-1"), reads_back);
                Peer::apply(path("peer-rootfs"), path("peer-disk-2"), reads_back);
            });
        }
        report("apply_zstd", [this] { apply("zstd.fw", "complete", "disk.img"); });
        measure([this] { repack(); });
        report("apply_zip", [this] { apply("zip.fw", "complete", "disk.img"); });
        report("apply_kernel_only", [this] { apply("old.fw", "kernel", "other.img"); });
    }

    void report_deltas() const {
        for (auto const& [form, name] : {std::pair{DeltaForm::segments, std::string("delta")},
                                         {DeltaForm::vcdiff, std::string("vcdiff")}}) {
            auto const archive = name + ".fw";
            auto const used = measure([&] { make_delta(form, archive); });
            print(name + "_make_wall", used.wall_s, "s");
            print(name + "_make_cpu", used.cpu_s, "s");
            print(name + "_make_peak", used.peak_mb, "MB");
            print(name + "_archive", file_mb(archive), "MB");
            report(name + "_apply", [&] { apply(archive, "upgrade", "disk.img"); });
        }
    }

    /// As update tools for the original make them: of files, then compressed once more by `zip -9`.
    void report_peer_delta() const {
        CommandOptions options;
        options.timeout = std::chrono::minutes(5);
        auto const used = measure([&] {
            auto const in_folder = "cd '" + m_folder.path().string() + "' && ";
            auto const done = must(run_command(
                {"sh", "-c",
                 in_folder +
                     "for f in vmlinuz rootfs; do xdelta3 -q -f -e -S none -s $f-old $f-new $f.vcdiff || "
                     "exit 1; done; rm -f xdelta.zip; zip -q -9 xdelta.zip vmlinuz.vcdiff rootfs.vcdiff"},
                options));
            if (done.status != 0) {
                throw std::runtime_error("xdelta3 or zip: " + done.error_output);
            }
        });
        print("peer_xdelta3_make_wall", used.wall_s, "s");
        print("peer_xdelta3_make_cpu", used.cpu_s, "s");
        print("peer_xdelta3_make_peak", used.peak_mb, "MB");
        print("peer_xdelta3_archive", file_mb("xdelta.zip"), "MB");
    }

    void report_limits() const {
        report("limit_write_sync", [this] {
            Bytes const piece(1u << 20, std::byte{0x5A});
            auto const file = must(open_file(path("plain"), O_WRONLY | O_CREAT | O_TRUNC));
            for (std::size_t done = 0; done < rootfs_bytes + kernel_bytes; done += piece.size()) {
                must(write_all(file, piece));
            }
            must(sync_file(file));
        });
        report("limit_inflate", [this] {
            inflate_pieces(path("pieces"));
            inflate_pieces(path("pieces-kernel"));
        });
        report("limit_blake2b", [] {
            Bytes const piece(1u << 20, std::byte{0x5A});
            crypto_generichash_state state{};
            crypto_generichash_init(&state, nullptr, 0, 32);
            for (std::size_t done = 0; done < rootfs_bytes + kernel_bytes; done += piece.size()) {
                crypto_generichash_update(&state, reinterpret_cast<unsigned char const*>(piece.data()),
                                          piece.size());
            }
            std::array<unsigned char, 32> digest{};
            crypto_generichash_final(&state, digest.data(), digest.size());
        });
    }

    TemporaryDirectory m_folder = must(TemporaryDirectory::create("sinew-bench"));
};

} // namespace

int main() {
    try {
        Bench().run();
        return 0;
    } catch (std::exception const& error) {
        std::fprintf(stderr, "firmware_bench: %s\n", error.what());
        return 1;
    }
}
