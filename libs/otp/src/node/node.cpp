#include "core/block_pool.hpp"
#include "core/context.hpp"
#include "core/node_core.hpp"

#include <sinew/base/result.hpp>
#include <sinew/otp/call.hpp>
#include <sinew/otp/node.hpp>
#include <sinew/otp/supervisor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <typeinfo>
#include <utility>

namespace sinew {

using detail::t_context;

Node::Node(NodeOptions options)
    : m_core(std::make_unique<detail::NodeCore>(*this, detail::NodeCore::Setup{options, std::nullopt}))
    , m_previous(t_context.core != nullptr ? &t_context.core->node : nullptr) {
    t_context.core = m_core.get();
    m_core->start_threads();
}

Node::Node(std::uint64_t seed, log::Sink& sink)
    : m_core(std::make_unique<detail::NodeCore>(
          *this, detail::NodeCore::Setup{NodeOptions{.workers = 1, .log = &sink}, seed}))
    , m_previous(t_context.core != nullptr ? &t_context.core->node : nullptr) {
    t_context = {.worker = m_core->workers.front(), .core = m_core.get()};
}

Node::~Node() {
    // Not reset(): it empties m_core first, and dying processes still reach their node through it.
    delete m_core.get();
    (void)m_core.release();
    for (std::size_t size_class = 0; size_class < detail::block_classes; ++size_class) {
        detail::BlockDepot::of(size_class).trim_all();
    }
    t_context = {.core = m_previous != nullptr ? &m_previous->core() : nullptr};
    if (t_context.core != nullptr && t_context.core->is_simulated()) {
        t_context.worker = t_context.core->workers.front();
    }
}

Result<Pid> Node::start_and_wait(std::shared_ptr<detail::Blueprint const> blueprint,
                                 detail::SpawnOptions options) {
    if (t_context.process != nullptr) {
        throw std::logic_error("sinew: Node::start() inside a process would block its scheduler thread; use "
                               "`co_await start_link<S>(...)` or spawn<S>(...) there");
    }
    NodeScope const scope(*this);
    std::type_info const& type = *blueprint->behaviour().type;
    auto shared_options = std::make_shared<detail::SpawnOptions>(std::move(options));
    detail::RequestStart start = detail::custom_request(
        [this, blueprint = std::move(blueprint), shared_options](detail::ReplyPath path) {
            shared_options->on_started = std::move(path);
            detail::spawn_process(*this, blueprint, std::move(*shared_options));
        },
        detail::RequestLabel{.target = {}, .target_type = &type}, std::nullopt);
    detail::Envelope* const reply = detail::wait_for_reply(start);
    return detail::take_reply<Pid>(reply, start.label);
}

Result<SupervisorRef> Node::start(Supervisor tree) {
    TRY(Pid const pid,
        start_and_wait(
            std::make_shared<detail::ServerBlueprint<SupervisorServer, Supervisor>>(std::move(tree)), {}));
    return SupervisorRef(pid);
}

std::size_t Node::process_count() const noexcept {
    return m_core->process_count();
}

void Node::account_time(Accounting accounting) noexcept {
    m_core->is_timing.store(accounting == Accounting::on, std::memory_order_relaxed);
}

unsigned Node::worker_count() const noexcept {
    return m_core->ordinary_workers;
}

NodeScope::NodeScope(Node& node) noexcept
    : m_previous(t_context.core != nullptr ? &t_context.core->node : nullptr) {
    t_context.core = &node.core();
}

NodeScope::~NodeScope() {
    t_context.core = m_previous != nullptr ? &m_previous->core() : nullptr;
}

} // namespace sinew
