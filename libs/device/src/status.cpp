/// Implements the status file and its text for people.
///
#include <sinew/base/bytes.hpp>
#include <sinew/base/clock.hpp>
#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/device/application_monitor.hpp>
#include <sinew/device/boot_report.hpp>
#include <sinew/device/status.hpp>
#include <sinew/otp.hpp>

#include <boost/describe/enum_to_string.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace sinew::device {
namespace {

constexpr Duration refresh_interval = std::chrono::seconds(30);

std::string slot_text(DeviceStatus const& status) {
    if (status.slot.empty()) {
        return "unknown";
    }
    std::string text = status.slot;
    text += status.validated ? ", validated" : ", on trial";
    return text + (status.rolled_back ? ", rolled back" : "");
}

std::string application_text(DeviceStatus::Application const& application) {
    std::string text = application.name + ": " + boost::describe::enum_to_string(application.state, "?");
    if (application.pid != 0) {
        text += " (process " + std::to_string(application.pid) + ")";
    }
    if (application.restarts > 0) {
        text += application.restarts == 1 ? ", restarted once"
                                          : ", restarted " + std::to_string(application.restarts) + " times";
    }
    return text + (application.last_end.empty() ? "" : ", it last " + application.last_end);
}

} // namespace

std::string describe_for_people(DeviceStatus const& status) {
    std::string text = status.product + " " + status.version + " on " + status.platform + "\n";
    auto const line = [&](std::string const& name, std::string const& value) {
        if (!value.empty()) {
            text += "  " + name + std::string(13 - name.size(), ' ') + value + "\n";
        }
    };
    line("name", status.hostname);
    line("serial", status.serial_number);
    line("firmware", status.uuid);
    line("slot", slot_text(status));
    line("started by", std::string(to_string(status.boot_reason)) +
                           (status.boot_detail.empty() ? "" : " (" + status.boot_detail + ")"));
    if (status.data != DataState::unknown && status.data != DataState::mounted) {
        line("/data",
             std::string(boost::describe::enum_to_string(status.data, "?")) + ": " + status.data_detail);
    }
    line("up for", format_duration(std::chrono::seconds(status.uptime_s)));
    line("application", application_text(status.application));
    return text;
}

StatusWriter::StatusWriter(Options options)
    : m_options(std::move(options))
    , m_status(m_options.initial) {}

void StatusWriter::init() {
    write();
    send_after(refresh_interval, Refresh{});
    if (m_options.ask_for_news) {
        m_options.ask_for_news();
    }
}

void StatusWriter::handle_info(ApplicationState state) {
    m_status.application.state = state.status;
    m_status.application.pid = state.pid;
    m_status.application.restarts = state.restarts;
    m_status.application.last_end = std::move(state.last_end);
    write();
}

void StatusWriter::handle_info(Validated /*validated*/) {
    m_status.validated = true;
    write();
}

void StatusWriter::handle_info(Refresh /*refresh*/) {
    write();
    send_after(refresh_interval, Refresh{});
}

void StatusWriter::write() {
    if (m_is_writing) {
        m_has_changed = true;
        return;
    }
    if (m_options.uptime_s) {
        m_status.uptime_s = m_options.uptime_s();
    }
    m_is_writing = true;
    blocking([path = m_options.path, text = to_json(m_status) + "\n"] {
        return write_file_atomically(path, as_bytes(text));
    }).then([this](Result<> const& result) { note_written(result); });
}

void StatusWriter::note_written(Result<> const& result) {
    if (!result && !m_write_failed) {
        log::warning("can't write " + m_options.path.string() + ": " +
                     result.error().message()); // Once is enough: it is tried again with every change.
    }
    m_write_failed = !result;
    m_is_writing = false;
    if (std::exchange(m_has_changed, false)) {
        write();
    }
}

} // namespace sinew::device
