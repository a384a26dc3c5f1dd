/// Implements Log.
///
/// Invariant: one call is one record; /dev/kmsg takes a whole record a write.
#include "log.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace sinew::init {
namespace {

// The kernel refuses longer records as a whole.
constexpr std::size_t max_message_bytes = 800;

} // namespace

void Log::open_kernel_log() {
    if (auto file = open_file("/dev/kmsg", O_WRONLY | O_NOCTTY)) {
        m_kernel_log = std::move(*file);
    }
    if (auto limit = open_file("/proc/sys/kernel/printk_devkmsg", O_WRONLY)) {
        std::ignore = write_all(*limit, as_bytes("on"));
    }
}

void Log::write(Severity severity, std::string_view message) {
    std::string record = "<" + std::to_string(static_cast<int>(severity)) + ">sinew-init: ";
    record += message.substr(0, max_message_bytes);
    std::ranges::replace(record, '\n', ' ');
    record += '\n';
    if (m_kernel_log && write_all(m_kernel_log, as_bytes(record))) {
        return;
    }
    (void)!::write(STDERR_FILENO, record.data() + 3, record.size() - 3); // Nothing is left to tell it to.
}

} // namespace sinew::init
