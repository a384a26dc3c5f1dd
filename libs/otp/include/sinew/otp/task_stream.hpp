/// TaskStream<T>: one task for each item of a list, some at a time (Elixir's Task.async_stream).
///
///     auto stream = async_stream(sensors, [](Sensor sensor) { return measure(sensor); },
///                                {.max_concurrency = 4});
///     while (auto value = co_await stream.next()) {
///         show(*value);                                                   // a Result<double>
///     }
///
/// An item whose function fails gives an Error and the others go on. At most max_concurrency items are under
/// way or waiting to be fetched: a slow reader slows the tasks. Destroying the stream, or the end of its
/// owner, ends all tasks; nothing of it is left in the mailbox.
/// Threading: a stream belongs to the process that made it.
#pragma once

#include <sinew/otp/detail/task_runner.hpp>
#include <sinew/otp/task.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace sinew {

/// Results as they come; see the top of the file.
template<typename T>
class [[nodiscard]] TaskStream {
public:
    using Value = detail::FlatResultOf<T>;
    /// For the runtime.
    explicit TaskStream(ServerRef<detail::TaskRunner<T>> runner) noexcept
        : m_runner(runner) {}
    TaskStream(TaskStream&& other) noexcept
        : m_runner(std::exchange(other.m_runner, {})) {}
    TaskStream& operator=(TaskStream&& other) noexcept {
        std::swap(m_runner, other.m_runner);
        return *this;
    }
    TaskStream(TaskStream const&) = delete;
    TaskStream& operator=(TaskStream const&) = delete;
    ~TaskStream() {
        if (m_runner) {
            detail::end_task_runner(m_runner);
        }
    }

    /// The next result; nothing when all items are done. After an item that timed out under
    /// TaskTimeout::end_stream there is nothing more.
    [[nodiscard]] Async<std::optional<Value>> next() {
        auto asked = request(m_runner, detail::NextResult<T>{}, Duration::max());
        auto answer = co_await asked;
        if (!answer) {
            co_return std::optional<Value>(std::unexpected(std::move(answer).error()));
        }
        co_return *std::move(answer);
    }

private:
    ServerRef<detail::TaskRunner<T>> m_runner;
};

/// Runs `function(item)` for each item, linked to this process. In a process.
template<typename Item, typename F>
[[nodiscard]] auto async_stream(std::vector<Item> items, F function, TaskStreamOptions options = {}) {
    struct Shared {
        std::vector<Item> items;
        F function;
    };
    auto const shared = std::make_shared<Shared>(Shared{std::move(items), std::move(function)});
    auto const make_work = [shared](std::size_t at) {
        return [shared, at] { return shared->function(std::move(shared->items[at])); };
    };
    using Work = std::invoke_result_t<decltype(make_work) const&, std::size_t>;
    using T = detail::TaskValue<Work>;
    auto make_task = [make_work](std::size_t at,
                                 detail::ReplyPath path) -> std::shared_ptr<detail::Blueprint const> {
        return std::make_shared<detail::TaskBlueprint<Work>>(make_work(at), std::move(path));
    };
    std::size_t const count = shared->items.size();
    return TaskStream<T>(spawn_link<detail::TaskRunner<T>>(
        count, typename detail::TaskRunner<T>::MakeTask(std::move(make_task)), options));
}

} // namespace sinew
