// Who has a name: what the public functions look up.
#include "core/context.hpp"
#include "core/node_core.hpp"
#include "core/registry.hpp"

#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/node.hpp>
#include <sinew/otp/pid.hpp>
#include <sinew/otp/server.hpp>

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <typeinfo>

namespace sinew::detail {

std::size_t allocate_type_slot(std::type_info const& type) noexcept {
    static constinit std::atomic<std::size_t> next{0};
    std::size_t const slot = next.fetch_add(1, std::memory_order_relaxed);
    if (slot >= Registry::type_slot_limit) {
        // Before main(): there is nobody to report to.
        (void)std::fprintf(stderr,
                           "sinew: more than %zu server classes (at %s); raise Registry::type_slot_limit\n",
                           Registry::type_slot_limit, type.name());
        std::abort();
    }
    return slot;
}

Pid find_by_type(std::size_t slot) {
    RuntimeScope const scope;
    return require_core().registry.find_type(slot);
}

Pid find_by_name(Behaviour const& behaviour, std::string const& name) {
    RuntimeScope const scope;
    return require_core().registry.find_name(name, behaviour);
}

Pid Name::resolve(Node& node) const {
    NodeScope const scope(node);
    return resolve_here();
}

} // namespace sinew::detail
