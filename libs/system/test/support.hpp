/// What the tests of this library share: the real target, and texts made from its file.
#pragma once

#include <sinew/base/file.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/layout.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace sinew::system {

inline std::string x86_64_text() {
    auto text = read_text_file(std::string(SINEW_SYSTEMS) + "/x86_64/system.toml");
    return text ? *std::move(text) : throw std::runtime_error(text.error().message());
}

/// `text` with the first `from` replaced; throws if it isn't there, so that a test can't pass by accident.
inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
    auto const at = text.find(from);
    if (at == std::string::npos) {
        throw std::runtime_error("'" + std::string(from) + "' is not in the text");
    }
    return text.replace(at, from.size(), to);
}

inline Description description_of(std::string const& text) {
    auto description = parse_description(text, "system.toml");
    return description ? *std::move(description) : throw std::runtime_error(description.error().message());
}

inline Layout layout_of(Description const& description) {
    auto layout = compute_layout(description);
    return layout ? *std::move(layout) : throw std::runtime_error(layout.error().message());
}

} // namespace sinew::system
