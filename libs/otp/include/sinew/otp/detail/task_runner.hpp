/// TaskRunner: the process behind a TaskStream: starts tasks, keeps their results in order, ends them.
///
/// Invariant: items that run plus results that wait never exceed max_concurrency. Threading: a process,
/// linked to the stream's owner.
#pragma once

#include <sinew/base/detail/std_function.hpp>
#include <sinew/otp/detail/task_process.hpp>
#include <sinew/otp/server.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace sinew {

enum class TaskOrder : std::uint8_t {
    /// Results come in the order of the items.
    ordered,
    /// Results come as they are done.
    unordered
};

enum class TaskTimeout : std::uint8_t {
    /// The item's Error is the last result, in the item's place; all other tasks are ended.
    end_stream,
    /// The item's Error is its result; its task is ended.
    kill_task
};

struct TaskStreamOptions {
    /// 0: as many as the node has workers.
    std::size_t max_concurrency = 0;
    TaskOrder order = TaskOrder::ordered;
    /// For each item, from its start.
    Duration timeout = std::chrono::seconds(5);
    TaskTimeout on_timeout = TaskTimeout::end_stream;
};

namespace detail {

template<typename T>
struct NextResult {
    using Reply = std::optional<FlatResultOf<T>>;
};

/// `count`, unless it is 0.
[[nodiscard]] std::size_t concurrency_or_workers(std::size_t count);
/// The owner leaves: the runner and its tasks end, nothing reaches the owner.
void end_task_runner(Pid runner) noexcept;
void kill_task(Pid task) noexcept;

template<typename T>
class TaskRunner final : public Server<TaskRunner<T>> {
public:
    using Value = FlatResultOf<T>;
    /// Makes the blueprint of the task for one item, which answers along the path.
    using MakeTask = std::function<std::shared_ptr<Blueprint const>(std::size_t, ReplyPath)>;

    TaskRunner(std::size_t count, MakeTask make_task, TaskStreamOptions options)
        : m_count(count)
        , m_make_task(std::move(make_task))
        , m_options(options) {
        m_options.max_concurrency = concurrency_or_workers(options.max_concurrency);
    }
    void init() { set_trap_exit(true); }
    void handle_call(NextResult<T> const& /*request*/, Deferred<NextResult<T>> reply) {
        m_waiting.push_back(std::move(reply));
        start_more();
        serve();
    }
    void handle_info(Exit const& /*message*/) {} // Tasks are linked so that they end with this process.
    void terminate(ExitReason const& /*reason*/) { kill_all(); }

private:
    struct Slot {
        std::size_t item = 0;
        Pid task;
        std::optional<Value> result;
    };

    void start_more() {
        while (!m_has_ended && m_next < m_count && m_slots.size() < m_options.max_concurrency) {
            std::size_t const item = m_next++;
            ReplyPath path = continue_with_answer<T>(
                RequestLabel{.target = {}, .target_name = "the task"},
                [this, item](Value result) { done(item, std::move(result)); }, m_options.timeout);
            SpawnOptions spawn;
            spawn.is_linked = true;
            Pid const task =
                spawn_process(current_node(), m_make_task(item, std::move(path)), std::move(spawn));
            m_slots.push_back(Slot{item, task, std::nullopt});
        }
    }
    void done(std::size_t item, Value result) {
        auto const slot = std::ranges::find(m_slots, item, &Slot::item);
        if (slot == m_slots.end()) {
            return;
        }
        bool const is_late = !result && result.error().code() == ErrorCode::timed_out && is_alive(slot->task);
        slot->result.emplace(std::move(result));
        if (is_late) {
            kill_task(slot->task);
            m_has_ended = m_options.on_timeout == TaskTimeout::end_stream;
        }
        if (m_options.order == TaskOrder::unordered) {
            // Those that are done stand first, in the order they were done.
            Slot finished = std::move(*slot);
            m_slots.erase(slot);
            m_slots.insert(std::ranges::find_if(m_slots, [](Slot const& other) { return !other.result; }),
                           std::move(finished));
        }
        if (m_has_ended) {
            end_with(item);
        }
        serve();
    }
    /// Its result is the last one: in the order of the items, those behind it are dropped, done or not.
    void end_with(std::size_t item) {
        kill_all();
        std::erase_if(m_slots, [](Slot const& other) { return !other.result; });
        m_slots.erase(std::next(std::ranges::find(m_slots, item, &Slot::item)), m_slots.end());
    }
    void serve() {
        while (!m_waiting.empty() && !m_slots.empty() && m_slots.front().result) {
            m_waiting.front().reply(std::move(m_slots.front().result));
            m_waiting.pop_front();
            m_slots.pop_front();
            start_more();
        }
        while (!m_waiting.empty() && m_slots.empty()) {
            m_waiting.front().reply(std::nullopt);
            m_waiting.pop_front();
        }
    }
    void kill_all() {
        for (Slot const& slot : m_slots) {
            if (!slot.result) {
                kill_task(slot.task);
            }
        }
    }

    std::size_t m_count;
    MakeTask m_make_task;
    TaskStreamOptions m_options;
    std::size_t m_next = 0;
    bool m_has_ended = false;
    std::deque<Slot> m_slots;
    std::deque<Deferred<NextResult<T>>> m_waiting;
};

} // namespace detail
} // namespace sinew
