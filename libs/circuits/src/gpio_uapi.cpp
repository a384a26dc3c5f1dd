// See gpio_uapi.hpp.
#include "gpio_uapi.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/clock.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/line.hpp>

#include <linux/gpio.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace sinew::circuits::uapi {

namespace {

/// Text of a fixed field, which the kernel ends with a zero when it is shorter than the field.
template<std::size_t Size>
std::string text_of(char const (&field)[Size]) { // NOLINT(modernize-avoid-c-arrays): the kernel's own type
    return {field, strnlen(field, Size)};
}

std::uint64_t flags_of(GpioOptions const& options) {
    std::uint64_t flags =
        options.direction == Direction::output ? GPIO_V2_LINE_FLAG_OUTPUT : GPIO_V2_LINE_FLAG_INPUT;
    if (options.polarity == Polarity::active_low) {
        flags |= GPIO_V2_LINE_FLAG_ACTIVE_LOW;
    }
    switch (options.bias) {
    case Bias::as_is:
        break;
    case Bias::disabled:
        flags |= GPIO_V2_LINE_FLAG_BIAS_DISABLED;
        break;
    case Bias::pull_up:
        flags |= GPIO_V2_LINE_FLAG_BIAS_PULL_UP;
        break;
    case Bias::pull_down:
        flags |= GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN;
        break;
    }
    if (options.drive == Drive::open_drain) {
        flags |= GPIO_V2_LINE_FLAG_OPEN_DRAIN;
    } else if (options.drive == Drive::open_source) {
        flags |= GPIO_V2_LINE_FLAG_OPEN_SOURCE;
    }
    if (options.edges == Edges::rising || options.edges == Edges::both) {
        flags |= GPIO_V2_LINE_FLAG_EDGE_RISING;
    }
    if (options.edges == Edges::falling || options.edges == Edges::both) {
        flags |= GPIO_V2_LINE_FLAG_EDGE_FALLING;
    }
    return flags;
}

} // namespace

gpio_v2_line_config make_config(GpioOptions const& options) {
    gpio_v2_line_config config{};
    config.flags = flags_of(options);
    if (options.direction == Direction::output) {
        gpio_v2_line_config_attribute& attribute = config.attrs[config.num_attrs++];
        attribute.attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
        attribute.attr.values = options.initial_value ? 1 : 0;
        attribute.mask = 1;
    }
    if (options.debounce.count() > 0) {
        gpio_v2_line_config_attribute& attribute = config.attrs[config.num_attrs++];
        attribute.attr.id = GPIO_V2_LINE_ATTR_ID_DEBOUNCE;
        attribute.attr.debounce_period_us = static_cast<std::uint32_t>(options.debounce.count());
        attribute.mask = 1;
    }
    return config;
}

gpio_v2_line_request make_request(std::uint32_t offset, GpioOptions const& options) {
    gpio_v2_line_request request{};
    request.offsets[0] = offset;
    request.num_lines = 1;
    // The last byte stays zero: the field is a C string.
    options.consumer.copy(static_cast<char*>(request.consumer), sizeof(request.consumer) - 1);
    request.config = make_config(options);
    request.event_buffer_size = options.edges == Edges::none ? 0 : options.event_buffer;
    return request;
}

ChipInfo read_chip_info(gpiochip_info const& info) {
    return {
        .name = text_of(info.name), .label = text_of(info.label), .line_count = info.lines, .open_errno = 0};
}

LineInfo read_line_info(gpio_v2_line_info const& info, ChipInfo const& chip) {
    LineInfo line;
    line.chip = chip.name;
    line.chip_label = chip.label;
    line.offset = info.offset;
    line.name = text_of(info.name);
    line.consumer = text_of(info.consumer);
    line.used = (info.flags & GPIO_V2_LINE_FLAG_USED) != 0;
    line.direction = (info.flags & GPIO_V2_LINE_FLAG_OUTPUT) != 0 ? Direction::output : Direction::input;
    line.polarity =
        (info.flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0 ? Polarity::active_low : Polarity::active_high;
    if ((info.flags & GPIO_V2_LINE_FLAG_BIAS_PULL_UP) != 0) {
        line.bias = Bias::pull_up;
    } else if ((info.flags & GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN) != 0) {
        line.bias = Bias::pull_down;
    } else if ((info.flags & GPIO_V2_LINE_FLAG_BIAS_DISABLED) != 0) {
        line.bias = Bias::disabled;
    }
    if ((info.flags & GPIO_V2_LINE_FLAG_OPEN_DRAIN) != 0) {
        line.drive = Drive::open_drain;
    } else if ((info.flags & GPIO_V2_LINE_FLAG_OPEN_SOURCE) != 0) {
        line.drive = Drive::open_source;
    }
    std::size_t const count = std::min<std::size_t>(info.num_attrs, GPIO_V2_LINE_NUM_ATTRS_MAX);
    for (std::size_t i = 0; i < count; ++i) {
        if (info.attrs[i].id == GPIO_V2_LINE_ATTR_ID_DEBOUNCE) {
            line.debounce = std::chrono::microseconds(info.attrs[i].debounce_period_us);
        }
    }
    return line;
}

std::vector<EdgeEvent> EdgeDecoder::decode(BytesView records) {
    std::vector<EdgeEvent> events;
    events.reserve(records.size() / sizeof(gpio_v2_line_event));
    for (; records.size() >= sizeof(gpio_v2_line_event);
         records = records.subspan(sizeof(gpio_v2_line_event))) {
        gpio_v2_line_event record{};
        std::memcpy(&record, records.data(), sizeof(record));
        if (record.id != GPIO_V2_LINE_EVENT_RISING_EDGE && record.id != GPIO_V2_LINE_EVENT_FALLING_EDGE) {
            continue;
        }
        EdgeEvent event;
        event.value = record.id == GPIO_V2_LINE_EVENT_RISING_EDGE;
        event.timestamp = MonotonicTime(Duration(static_cast<std::int64_t>(record.timestamp_ns)));
        event.sequence = record.line_seqno;
        // Unsigned on purpose: the counter wraps after 2^32 edges.
        event.missed = record.line_seqno - m_last_sequence - 1;
        m_last_sequence = record.line_seqno;
        events.push_back(event);
    }
    return events;
}

} // namespace sinew::circuits::uapi
