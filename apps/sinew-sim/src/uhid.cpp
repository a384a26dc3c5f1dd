// See uhid.hpp.
#include "uhid.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <linux/input.h>
#include <linux/uhid.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

namespace sinew::sim {

namespace {

/// The first `size` bytes of an event: the kernel takes the rest as zero.
Bytes bytes_of(uhid_event const& event, std::size_t size) {
    auto const* const first = reinterpret_cast<std::byte const*>(&event);
    return {first, first + size};
}

Bytes copy_report(__u8 const* data, std::size_t size) {
    auto const* const first = reinterpret_cast<std::byte const*>(data);
    return {first, first + std::min<std::size_t>(size, UHID_DATA_MAX)};
}

} // namespace

Result<UhidEvent> decode_uhid_event(BytesView bytes) {
    uhid_event event{};
    if (bytes.size() < sizeof(event.type)) {
        return failure(ErrorCode::protocol,
                       "the kernel sent an event of " + std::to_string(bytes.size()) + " bytes");
    }
    std::memcpy(&event, bytes.data(), std::min(bytes.size(), sizeof(event)));
    UhidEvent decoded;
    switch (event.type) {
    case UHID_START:
        decoded.kind = UhidKind::start;
        break;
    case UHID_STOP:
        decoded.kind = UhidKind::stop;
        break;
    case UHID_OUTPUT:
        decoded.kind = UhidKind::output;
        decoded.report = copy_report(event.u.output.data, event.u.output.size);
        break;
    case UHID_GET_REPORT:
        decoded.kind = UhidKind::get_report;
        decoded.id = event.u.get_report.id;
        decoded.number = event.u.get_report.rnum;
        break;
    case UHID_SET_REPORT:
        decoded.kind = UhidKind::set_report;
        decoded.id = event.u.set_report.id;
        decoded.report = copy_report(event.u.set_report.data, event.u.set_report.size);
        break;
    default:
        break;
    }
    return decoded;
}

Bytes encode_uhid_create(std::string_view name, std::uint16_t vendor, std::uint16_t product,
                         BytesView descriptor) {
    assert(descriptor.size() <= HID_MAX_DESCRIPTOR_SIZE);
    uhid_event event{};
    event.type = UHID_CREATE2;
    name.copy(reinterpret_cast<char*>(event.u.create2.name), sizeof(event.u.create2.name) - 1);
    event.u.create2.bus = BUS_USB;
    event.u.create2.vendor = vendor;
    event.u.create2.product = product;
    event.u.create2.rd_size = static_cast<std::uint16_t>(descriptor.size());
    std::memcpy(event.u.create2.rd_data, descriptor.data(), descriptor.size());
    return bytes_of(event, offsetof(uhid_event, u.create2.rd_data) + descriptor.size());
}

Bytes encode_uhid_input(BytesView report) {
    uhid_event event{};
    std::size_t const size = std::min<std::size_t>(report.size(), UHID_DATA_MAX);
    event.type = UHID_INPUT2;
    event.u.input2.size = static_cast<std::uint16_t>(size);
    std::memcpy(event.u.input2.data, report.data(), size);
    return bytes_of(event, offsetof(uhid_event, u.input2.data) + size);
}

Bytes encode_uhid_get_reply(std::uint32_t id, std::optional<BytesView> report) {
    uhid_event event{};
    event.type = UHID_GET_REPORT_REPLY;
    event.u.get_report_reply.id = id;
    event.u.get_report_reply.err = report ? 0 : EIO;
    BytesView const content = report.value_or(BytesView());
    std::size_t const size = std::min<std::size_t>(content.size(), UHID_DATA_MAX);
    event.u.get_report_reply.size = static_cast<std::uint16_t>(size);
    if (size > 0) {
        std::memcpy(event.u.get_report_reply.data, content.data(), size);
    }
    return bytes_of(event, offsetof(uhid_event, u.get_report_reply.data) + size);
}

Bytes encode_uhid_set_reply(std::uint32_t id, SetReportOutcome outcome) {
    uhid_event event{};
    event.type = UHID_SET_REPORT_REPLY;
    event.u.set_report_reply.id = id;
    event.u.set_report_reply.err = outcome == SetReportOutcome::taken ? 0 : EIO;
    return bytes_of(event, offsetof(uhid_event, u.set_report_reply) + sizeof(event.u.set_report_reply));
}

Result<FileDescriptor> open_uhid(std::filesystem::path const& path) {
    auto opened = open_file(path, O_RDWR | O_NONBLOCK);
    if (opened) {
        return opened;
    }
    Error error = std::move(opened).error();
    switch (error.sys_errno()) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return failure(ErrorCode::unavailable,
                       "there is no " + path.string() +
                           ": the kernel module that makes simulated HID devices is not loaded; "
                           "run: modprobe uhid (a container has none: use a virtual machine)");
    case EACCES:
    case EPERM:
        return failure(ErrorCode::denied,
                       "no permission for " + path.string() + "; run sinew-sim serve as root");
    default:
        return std::unexpected(std::move(error));
    }
}

} // namespace sinew::sim
