// See kernel_line.hpp. Each operation is one ioctl, but for lines that are debounced here.
#include "kernel_line.hpp"

#include "closing_lines.hpp"
#include "debouncer.hpp"
#include "gpio_errors.hpp"
#include "gpio_kernel.hpp"
#include "gpio_uapi.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/clock.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/may_block.hpp>
#include <sinew/base/result.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/line.hpp>

#include <fcntl.h>
#include <linux/gpio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <expected>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace sinew::circuits {

namespace {

constexpr std::size_t most_events_a_read = 64;

bool kernel_may_lack_debounce(int sys_errno, GpioOptions const& options) {
    return options.debounce.count() > 0 && (sys_errno == EINVAL || sys_errno == EOPNOTSUPP);
}

/// What is asked of the kernel for a line that is debounced here.
GpioOptions without_debounce(GpioOptions const& options) {
    GpioOptions raw = options;
    raw.debounce = std::chrono::microseconds(0);
    raw.edges = Edges::both;
    return raw;
}

/// See ClosingLines.
bool must_not_disturb_polls(LineInfo const& line) {
    return line.chip_label == "cp2112_gpio";
}

void set_timer(FileDescriptor const& timer, std::optional<MonotonicTime> when) {
    itimerspec setting{};
    if (when) {
        auto const since_start = when->time_since_epoch();
        auto const seconds = std::chrono::floor<std::chrono::seconds>(since_start);
        setting.it_value.tv_sec = static_cast<std::time_t>(seconds.count());
        setting.it_value.tv_nsec = (since_start - seconds).count();
    }
    // A time that is over fires at once; it can't fail for a valid time.
    ::timerfd_settime(timer.get(), TFD_TIMER_ABSTIME, &setting, nullptr);
}

} // namespace

Result<LineInfo> kernel_line_info(GpioKernel& kernel, FileDescriptor const& chip, ChipInfo const& info,
                                  std::uint32_t offset) {
    gpio_v2_line_info found{};
    found.offset = offset;
    if (int const error = kernel.control(chip.get(), GPIO_V2_GET_LINEINFO_IOCTL, &found)) {
        LineInfo line;
        line.chip = info.name;
        line.offset = offset;
        return std::unexpected(error == ENOTTY ? request_failure(error, line, {})
                                               : line_failure(error, "look at", line));
    }
    return uapi::read_line_info(found, info);
}

KernelLine::KernelLine(LineInfo line, FileDescriptor descriptor, std::shared_ptr<GpioKernel> kernel)
    : m_line(std::move(line))
    , m_descriptor(std::move(descriptor))
    , m_kernel(std::move(kernel)) {}

Result<std::unique_ptr<KernelLine>> KernelLine::open(LineInfo const& line, GpioOptions const& options,
                                                     FileDescriptor const& chip,
                                                     std::shared_ptr<GpioKernel> kernel) {
    if (must_not_disturb_polls(line)) {
        kernel->closing()->wait_for({line.chip, line.offset});
    }
    bool debounce_here = false;
    gpio_v2_line_request request = uapi::make_request(line.offset, options);
    int error = kernel->control(chip.get(), GPIO_V2_GET_LINE_IOCTL, &request);
    if (kernel_may_lack_debounce(error, options)) {
        debounce_here = true;
        request = uapi::make_request(line.offset, without_debounce(options));
        error = kernel->control(chip.get(), GPIO_V2_GET_LINE_IOCTL, &request);
    }
    if (error != 0) {
        // Asked again: who holds it may have come after `line` was read.
        auto const now = kernel_line_info(*kernel, chip, {line.chip, line.chip_label, 0, 0}, line.offset);
        return std::unexpected(request_failure(error, now ? *now : line, options));
    }
    FileDescriptor descriptor(request.fd);
    int const flags = ::fcntl(descriptor.get(), F_GETFL);
    if (flags < 0 || ::fcntl(descriptor.get(), F_SETFL, flags | O_NONBLOCK) < 0) {
        return std::unexpected(line_failure(errno, "set up", line));
    }
    std::unique_ptr<KernelLine> opened(new KernelLine(line, std::move(descriptor), std::move(kernel)));
    if (debounce_here) {
        TRY_OK(opened->debounce_here(options));
    }
    return opened;
}

KernelLine::~KernelLine() {
    if (must_not_disturb_polls(m_line)) {
        m_own_debounce.reset();
        ClosingLines::close(m_kernel->closing(), {m_line.chip, m_line.offset}, std::move(m_descriptor));
    }
}

Result<> KernelLine::debounce_here(GpioOptions const& options) {
    TRY(auto value, read_raw());
    OwnDebounce own{.debouncer = Debouncer(options.debounce, options.edges, value),
                    .timer = FileDescriptor(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
                    .both = FileDescriptor(::epoll_create1(EPOLL_CLOEXEC))};
    for (int const part : {m_descriptor.get(), own.timer.get()}) {
        epoll_event event{};
        event.events = EPOLLIN;
        if (::epoll_ctl(own.both.get(), EPOLL_CTL_ADD, part, &event) != 0) {
            return std::unexpected(line_failure(errno, "debounce", m_line));
        }
    }
    m_own_debounce = std::move(own);
    return {};
}

Result<bool> KernelLine::read_raw() {
    gpio_v2_line_values values{.bits = 0, .mask = 1};
    if (int const error = m_kernel->control(m_descriptor.get(), GPIO_V2_LINE_GET_VALUES_IOCTL, &values)) {
        return std::unexpected(line_failure(error, "read", m_line));
    }
    return (values.bits & 1) != 0;
}

Result<bool> KernelLine::read() {
    if (!m_own_debounce) {
        return read_raw();
    }
    TRY(auto edges, read_debounced_edges(*m_own_debounce));
    m_waiting.insert(m_waiting.end(), edges.begin(), edges.end());
    if (!m_waiting.empty()) {
        // They were taken from the line, so the descriptor has to tell of them in another way: the timer, at
        // once.
        set_timer(m_own_debounce->timer, MonotonicTime(Duration(1)));
    }
    return m_own_debounce->debouncer.value();
}

Result<> KernelLine::write(bool value) {
    gpio_v2_line_values values{.bits = value ? 1U : 0U, .mask = 1};
    if (int const error = m_kernel->control(m_descriptor.get(), GPIO_V2_LINE_SET_VALUES_IOCTL, &values)) {
        return std::unexpected(line_failure(error, "write", m_line));
    }
    return {};
}

int KernelLine::set_config(GpioOptions const& options) {
    gpio_v2_line_config config = uapi::make_config(options);
    int error = 0;
    auto const set = [&] {
        error = m_kernel->control(m_descriptor.get(), GPIO_V2_LINE_SET_CONFIG_IOCTL, &config);
    };
    if (must_not_disturb_polls(m_line)) {
        AllowBlocking const permission("the caller needs the answer; only lines of a cp2112 come here");
        run_after_all_others(set);
    } else {
        set();
    }
    return error;
}

Result<> KernelLine::configure(GpioOptions const& options) {
    int error = set_config(options);
    bool const debounce_now = kernel_may_lack_debounce(error, options);
    if (debounce_now) {
        error = set_config(without_debounce(options));
    }
    if (error != 0) {
        return std::unexpected(request_failure(error, m_line, options));
    }
    m_own_debounce.reset();
    m_waiting.clear();
    return debounce_now ? debounce_here(options) : Result<>();
}

int KernelLine::edge_descriptor() const noexcept {
    return m_own_debounce ? m_own_debounce->both.get() : m_descriptor.get();
}

Result<std::vector<EdgeEvent>> KernelLine::read_edges() {
    return m_own_debounce ? read_debounced_edges(*m_own_debounce) : read_raw_edges();
}

Result<std::vector<EdgeEvent>> KernelLine::read_raw_edges() {
    alignas(gpio_v2_line_event) std::array<std::byte, most_events_a_read * sizeof(gpio_v2_line_event)>
        records{};
    auto const count = m_kernel->read(m_descriptor.get(), records);
    if (!count) {
        if (count.error() == EAGAIN) {
            return std::vector<EdgeEvent>();
        }
        return std::unexpected(line_failure(count.error(), "read edges of", m_line));
    }
    return m_decoder.decode(BytesView(records).first(*count));
}

Result<std::vector<EdgeEvent>> KernelLine::read_debounced_edges(OwnDebounce& own) {
    // The time first: an edge that comes in between is then not taken for one that has lasted.
    MonotonicTime const now = SystemClock().now();
    TRY(auto raw, read_raw_edges());
    for (EdgeEvent const& edge : raw) {
        own.debouncer.add(edge);
    }
    std::vector<EdgeEvent> edges = std::exchange(m_waiting, {});
    for (EdgeEvent const& edge : own.debouncer.take(now)) {
        edges.push_back(edge);
    }
    set_timer(own.timer, own.debouncer.due());
    return edges;
}

} // namespace sinew::circuits
