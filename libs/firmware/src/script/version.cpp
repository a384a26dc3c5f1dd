/// Compares releases number by number.
#include "script/version.hpp"

#include <sinew/base/result.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sinew::firmware {

namespace {

using Version = std::array<unsigned, 3>;

std::optional<Version> parse(std::string_view text) {
    Version version{};
    text = text.substr(0, text.find_first_of("-+")); // without pre-release and build
    for (std::size_t i = 0; i < version.size(); ++i) {
        auto const dot = text.find('.');
        auto const part = text.substr(0, dot);
        auto const parsed = std::from_chars(part.data(), part.data() + part.size(), version[i]);
        if (parsed.ec != std::errc() || parsed.ptr != part.data() + part.size()) {
            return std::nullopt;
        }
        if (dot == std::string_view::npos) {
            return version;
        }
        text.remove_prefix(dot + 1);
    }
    return std::nullopt;
}

} // namespace

Result<> check_required_version(std::string_view required) {
    auto const wanted = parse(required);
    if (!wanted) {
        return failure(ErrorCode::invalid_argument,
                       "require-fwup-version: '" + std::string(required.substr(0, 40)) + "' is no version");
    }
    if (wanted > parse(compatible_version)) {
        return failure(ErrorCode::unsupported, "the archive requires fwup " + std::string(required) +
                                                   ", but this program is compatible with " +
                                                   std::string(compatible_version) + "; update it first");
    }
    return {};
}

} // namespace sinew::firmware
