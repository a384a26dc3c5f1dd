/// What other programs say to the daemon: notifications, output, end records, status files, the bootloader's block.
#include <sinew/base/bytes.hpp>
#include <sinew/device/boot_counters.hpp>
#include <sinew/device/boot_report.hpp>
#include <sinew/device/line_splitter.hpp>
#include <sinew/device/log_line.hpp>
#include <sinew/device/notify_socket.hpp>
#include <sinew/device/update.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sinew::device;
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    if (says_ready(text) && text.find("READY=1") == std::string_view::npos) {
        std::abort();
    }
    std::size_t handed_on = 0;
    auto const on_line = [&](std::string_view line) {
        handed_on += line.size();
        if (line.empty() || line.size() > LineSplitter::max_line_bytes ||
            line.find('\x1b') != std::string_view::npos) {
            std::abort();
        }
    };
    LineSplitter splitter;
    splitter.feed(text.substr(0, size / 2), on_line);
    splitter.feed(text.substr(size / 2), on_line);
    splitter.finish(on_line);
    if (handed_on > size) {
        std::abort();
    }
    if (!text.ends_with(read_log_line(text).text)) {
        std::abort();
    }
    (void)find_end_record(text);
    auto const counters = parse_boot_counters(sinew::as_bytes(text));
    if (counters && parse_boot_counters(sinew::as_bytes(format_boot_counters(*counters))) != counters) {
        std::abort();
    }
    auto const boot = understand_boot_report(text.substr(0, size / 2), text.substr(size / 2));
    (void)check_updatable(text.substr(size / 2), boot);
    return 0;
}
