/// Create and apply of a 64 MiB resource of which half compresses, beside the limits in the same run: writing
/// and syncing the same bytes, inflating them, hashing them. MB are of 10^6 bytes of payload; CPU time is the
/// process's.
#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware.hpp>

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sodium.h>
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace sinew;
using namespace sinew::firmware;

constexpr std::size_t payload_size = 64u << 20;

template<typename T>
T must(Result<T> result) {
    if (!result) {
        throw std::runtime_error(result.error().message());
    }
    return *std::move(result);
}

/// Alternating 4 KiB of noise and of text, as a root file system has them.
Bytes make_payload() {
    Bytes bytes(payload_size);
    std::uint64_t state = 88172645463325252ull;
    constexpr std::size_t piece = 4096;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        if (at / piece % 2 == 0) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes[at] = static_cast<std::byte>(state >> 32);
        } else {
            bytes[at] =
                static_cast<std::byte>("the quick brown fox jumps over the lazy dog\n"[(at + at / 37) % 44]);
        }
    }
    return bytes;
}

struct Files {
    TemporaryDirectory folder = must(TemporaryDirectory::create("sinew-bench"));
    Bytes payload = make_payload();

    Files() {
        if (!write_file_atomically(path("rootfs.img"), payload)) {
            throw std::runtime_error("cannot write the payload");
        }
    }
    [[nodiscard]] std::filesystem::path path(std::string const& name) const { return folder.path() / name; }
    void create(int level) const {
        CreateOptions options;
        options.script = path("fwup.conf");
        options.script_text = "file-resource rootfs.img { host-path = rootfs.img }\n"
                              "task complete { on-resource rootfs.img { raw_write(2048) } }\n";
        options.output = path("out.fw");
        options.compression_level = level;
        must(create_archive(options));
    }
};

Files const& files() {
    static Files const instance;
    return instance;
}

void finish(benchmark::State& state) {
    state.counters["MB/s"] =
        benchmark::Counter(static_cast<double>(payload_size) / 1e6 * static_cast<double>(state.iterations()),
                           benchmark::Counter::kIsRate);
}

void create(benchmark::State& state) {
    for (auto _ : state) {
        files().create(static_cast<int>(state.range(0)));
    }
    finish(state);
    state.counters["archive_MB"] =
        static_cast<double>(std::filesystem::file_size(files().path("out.fw"))) / 1e6;
}
BENCHMARK(create)
    ->Arg(1)
    ->Arg(6)
    ->Arg(9)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

void apply_to_file(benchmark::State& state) {
    files().create(6);
    for (auto _ : state) {
        auto const input = must(FileInput::open(files().path("out.fw")));
        std::filesystem::remove(files().path("disk.img"));
        auto const disk = must(FileDevice::open(files().path("disk.img"), DeviceAccess::create));
        must(apply_archive(*input, *disk, {.task = "complete"}));
    }
    finish(state);
}
BENCHMARK(apply_to_file)
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

void limit_write_and_sync(benchmark::State& state) {
    for (auto _ : state) {
        std::filesystem::remove(files().path("plain"));
        auto const file = must(open_file(files().path("plain"), O_WRONLY | O_CREAT));
        if (!write_all(file, files().payload) || !sync_file(file)) {
            state.SkipWithError("cannot write");
        }
    }
    finish(state);
}
BENCHMARK(limit_write_and_sync)
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

void limit_inflate(benchmark::State& state) {
    auto bound = compressBound(payload_size);
    std::vector<unsigned char> compressed(bound);
    auto const* const source = reinterpret_cast<unsigned char const*>(files().payload.data());
    compress2(compressed.data(), &bound, source, payload_size, 6);
    std::vector<unsigned char> out(payload_size);
    for (auto _ : state) {
        auto size = static_cast<uLongf>(out.size());
        uncompress(out.data(), &size, compressed.data(), bound);
    }
    finish(state);
}
BENCHMARK(limit_inflate)
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

void limit_blake2b(benchmark::State& state) {
    unsigned char digest[32];
    for (auto _ : state) {
        crypto_generichash(digest, sizeof digest,
                           reinterpret_cast<unsigned char const*>(files().payload.data()), payload_size,
                           nullptr, 0);
        benchmark::DoNotOptimize(digest);
    }
    finish(state);
}
BENCHMARK(limit_blake2b)
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

} // namespace

BENCHMARK_MAIN();
