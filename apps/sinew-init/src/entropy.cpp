/// Implements entropy.hpp with RNDADDENTROPY and getrandom(2).
///
/// A new seed depends one-way on the old one, because the old one went into the kernel's pool (BLAKE2s)
/// first. Invariant: getrandom(2) is never called in a way that blocks. Threading: one thread.
#include "entropy.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <linux/random.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

namespace sinew::init {
namespace {

constexpr std::string_view creditable_mark = "SEED1";
constexpr std::string_view uncounted_mark = "SEED0";

/// rand_pool_info with room for a seed.
struct PoolInput {
    int entropy_bits;
    int size_bytes;
    std::array<std::byte, seed_bytes> seed;
};

/// Removes `file` so that it stays removed after a power cut.
Result<> remove_for_good(std::filesystem::path const& file) {
    if (::unlink(file.c_str()) != 0) {
        return std::unexpected(error_from_errno(errno, "can't remove " + file.string()));
    }
    TRY(auto const folder, open_file(file.parent_path(), O_RDONLY | O_DIRECTORY));
    if (::fsync(folder.get()) != 0) {
        return std::unexpected(error_from_errno(errno, "can't sync " + file.parent_path().string()));
    }
    return {};
}

Result<> give_to_kernel(Seed const& seed) {
    TRY(auto const device, open_file("/dev/urandom", O_RDWR));
    PoolInput input{};
    input.entropy_bits = seed.creditable ? static_cast<int>(seed_bytes * 8) : 0;
    input.size_bytes = static_cast<int>(seed_bytes);
    std::ranges::copy(seed.bytes, input.seed.begin());
    if (::ioctl(device.get(), RNDADDENTROPY, &input) != 0) {
        return std::unexpected(error_from_errno(errno, "the kernel refuses the entropy seed"));
    }
    return {};
}

} // namespace

Bytes format_seed(Seed const& seed) {
    auto file = to_bytes(seed.creditable ? creditable_mark : uncounted_mark);
    file.insert(file.end(), seed.bytes.begin(), seed.bytes.end());
    return file;
}

std::optional<Seed> parse_seed(BytesView file) {
    if (file.size() != creditable_mark.size() + seed_bytes) {
        return std::nullopt;
    }
    auto const mark = as_text(file.first(creditable_mark.size()));
    if (mark != creditable_mark && mark != uncounted_mark) {
        return std::nullopt;
    }
    auto const bytes = file.subspan(creditable_mark.size());
    return Seed{.bytes = Bytes(bytes.begin(), bytes.end()), .creditable = mark == creditable_mark};
}

Result<> restore_seed(std::filesystem::path const& file) {
    auto const content = read_file(file, 4096);
    if (!content) {
        return {}; // The first boot has none.
    }
    auto seed = parse_seed(*content);
    auto removed = remove_for_good(file);
    if (!seed) {
        return removed;
    }
    seed->creditable = seed->creditable && removed;
    TRY_OK(give_to_kernel(*seed));
    return removed;
}

Result<> save_seed(std::filesystem::path const& file) {
    Seed seed{.bytes = Bytes(seed_bytes), .creditable = true};
    if (::getrandom(seed.bytes.data(), seed_bytes, GRND_NONBLOCK) != static_cast<ssize_t>(seed_bytes)) {
        seed.creditable = false;
        if (::getrandom(seed.bytes.data(), seed_bytes, GRND_INSECURE) != static_cast<ssize_t>(seed_bytes)) {
            return std::unexpected(error_from_errno(errno, "can't draw an entropy seed"));
        }
    }
    return write_file_atomically(file, format_seed(seed), 0600);
}

} // namespace sinew::init
