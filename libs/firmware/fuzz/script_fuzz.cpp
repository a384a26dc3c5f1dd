/// Any text as an update script, and as a meta.conf; what was accepted must read back to the same text.
#include "script/config.hpp"
#include "script/parser.hpp"
#include "script/variables.hpp"

#include <sinew/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sinew;
    using namespace sinew::firmware;
    auto const text = as_text(std::as_bytes(std::span(data, size)));
    for (auto const unknown : {Unknown::refused, Unknown::ignored}) {
        Variables variables;
        ParseOptions options;
        // No file may be included while fuzzing: the folder doesn't exist.
        options.directives = unknown == Unknown::refused ? Directives::followed : Directives::refused;
        auto const script = parse_script(text, "/nonexistent/fuzz.conf", variables, options);
        if (!script) {
            continue;
        }
        auto const config = build_config(*script, unknown);
        if (!config) {
            continue;
        }
        auto const meta_conf = format_meta_conf(*config);
        if (meta_conf.contains("${")) {
            continue; // would be expanded when read back
        }
        Variables none;
        auto const again = parse_script(meta_conf, "meta.conf", none, {});
        if (!again) {
            std::abort();
        }
        auto const same = build_config(*again, Unknown::ignored);
        if (!same || format_meta_conf(*same) != meta_conf) {
            std::abort();
        }
    }
    return 0;
}
