// What a device says about itself, and what follows for an update. See upload.hpp.
#include <sinew/base/value.hpp>
#include <sinew/tooling/upload.hpp>

#include <fmt/core.h>

namespace sinew::tooling {

namespace {

void take(Value const& object, std::string_view key, std::string& into) {
    Value const* const member = object.find(key);
    if (std::string const* text = member == nullptr ? nullptr : member->get_if<std::string>()) {
        into = *text;
    }
}

void take(Value const& object, std::string_view key, bool& into) {
    Value const* const member = object.find(key);
    if (bool const* flag = member == nullptr ? nullptr : member->get_if<bool>()) {
        into = *flag;
    }
}

} // namespace

Result<DeviceStatus> parse_device_status(std::string_view text) {
    std::size_t const line_end = text.find('\n');
    if (line_end == std::string_view::npos) {
        return failure(ErrorCode::protocol, "the device's status is not what a Sinew device says");
    }
    TRY(auto const json, parse_json(text.substr(line_end + 1), "status.json"));
    DeviceStatus status;
    status.boot_id = std::string(text.substr(0, line_end));
    take(json, "product", status.product);
    take(json, "version", status.version);
    take(json, "uuid", status.uuid);
    take(json, "platform", status.platform);
    take(json, "slot", status.slot);
    take(json, "trial", status.trial);
    take(json, "validated", status.validated);
    take(json, "rolled_back", status.rolled_back);
    take(json, "boot_reason", status.boot_reason);
    if (Value const* const application = json.find("application")) {
        take(*application, "state", status.application_state);
    }
    if (status.slot.empty() || status.platform.empty()) {
        return failure(ErrorCode::protocol, "the device's status names no slot or platform");
    }
    return status;
}

UploadState UploadWatch::observe(std::optional<DeviceStatus> const& seen, MonotonicTime now) {
    if (is_over()) {
        return m_state;
    }
    if (seen && seen->boot_id != m_before.boot_id) {
        m_last = seen;
        if (seen->slot == m_before.slot || seen->uuid != m_uuid) {
            m_state = UploadState::rolled_back;
        } else if (seen->validated) {
            m_state = UploadState::validated;
        } else {
            m_was_on_trial = true;
            m_state = UploadState::on_trial;
        }
    } else if (!seen && m_state == UploadState::on_trial) {
        // It may be rebooting into the old slot; the next answer tells.
        m_state = UploadState::rebooting;
    }
    if (!is_over() && now >= m_deadline) {
        m_state = UploadState::timed_out;
    }
    return m_state;
}

std::string UploadWatch::explanation() const {
    if (m_state == UploadState::rolled_back && m_last && m_last->slot != m_before.slot) {
        return fmt::format(
            "the device runs another firmware ({} on slot {}) than the one that was sent: somebody else "
            "updated it meanwhile",
            m_last->version, m_last->slot);
    }
    if (m_state == UploadState::rolled_back) {
        std::string const why = m_was_on_trial || (m_last && m_last->rolled_back)
                                    ? "the new firmware was started, but was not validated (its application "
                                      "didn't come up and stay up, or it "
                                      "hung)"
                                    : "the new firmware never came up";
        std::string const reason = m_last && !m_last->boot_reason.empty()
                                       ? fmt::format(" (last boot: {})", m_last->boot_reason)
                                       : "";
        return fmt::format(
            "the device went back to {} on slot {}{}: {}; look at its log with `ssh`, mend the application "
            "and upload again",
            last().version, last().slot, reason, why);
    }
    if (m_state == UploadState::timed_out) {
        return m_last ? fmt::format("the new firmware runs on slot {} but was not validated in time "
                                    "(application: {}); the "
                                    "device will go back by itself",
                                    m_last->slot, m_last->application_state)
                      : "the device did not come back in time; look at its console";
    }
    return {};
}

} // namespace sinew::tooling
