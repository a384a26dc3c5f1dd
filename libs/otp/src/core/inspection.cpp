#include "core/inspection.hpp"

#include "core/process.hpp"

#include <memory>

namespace sinew::detail {

Inspection& inspect(Process& process) {
    auto& inspection = process.more().inspection;
    if (inspection == nullptr) {
        inspection = std::make_shared<Inspection>();
    }
    process.flags |= Process::is_inspected;
    return *inspection;
}

void drop_unneeded_inspection(Process& process) noexcept {
    if (process.extras != nullptr && process.extras->inspection != nullptr) {
        if (process.extras->inspection->is_needed()) {
            return;
        }
        process.extras->inspection.reset();
    }
    if (!process.has(Process::is_halted)) {
        process.flags &= ~Process::is_inspected;
    }
}

} // namespace sinew::detail
