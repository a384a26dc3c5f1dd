/// Implements clock_floor.hpp.
#include "clock_floor.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace sinew::init {
namespace {

constexpr std::int64_t year_2100 = 4'102'444'800;
constexpr std::size_t max_file_bytes = 64;

} // namespace

std::optional<std::int64_t> parse_saved_time(std::string_view text) {
    if (text.ends_with('\n')) {
        text.remove_suffix(1);
    }
    return parse_int64(text, 0, year_2100 - 1);
}

Result<bool> raise_clock_to(std::int64_t floor) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec >= floor) {
        return false;
    }
    timespec const wanted{.tv_sec = floor, .tv_nsec = 0};
    if (::clock_settime(CLOCK_REALTIME, &wanted) != 0) {
        return std::unexpected(error_from_errno(errno, "can't set the clock"));
    }
    return true;
}

std::optional<std::int64_t> load_saved_time(std::filesystem::path const& file) {
    auto const text = read_text_file(file, max_file_bytes);
    return text ? parse_saved_time(*text) : std::nullopt;
}

Result<> save_time(std::filesystem::path const& file) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return write_file_atomically(file, as_bytes(std::to_string(now.tv_sec) + "\n"));
}

} // namespace sinew::init
