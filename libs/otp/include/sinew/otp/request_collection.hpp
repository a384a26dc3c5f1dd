/// RequestCollection<Label, T>: several questions on their way at once, whose answers are taken as they come
/// (OTP's request-id collections).
///
///     RequestCollection<std::string, double> readings;
///     for (auto const& [place, sensor] : m_sensors) {
///         readings.add(place, request(sensor, Current{}, 500ms));
///     }
///     while (auto reading = co_await readings.next()) {
///         show(reading->label, reading->value);                     // a Result<double>
///     }
///
/// T is the requests' Reply. Invariant: each answer is given once; one that comes after the collection is
/// gone is dropped. Threading: in the process that made it; requests are sent as they are added.
#pragma once

#include <sinew/otp/request.hpp>

#include <coroutine>
#include <cstddef>
#include <iterator>
#include <list>
#include <optional>
#include <utility>

namespace sinew {
namespace detail {

/// Lets the coroutine that waits there go on, without an answer.
void end_wait(Pending& pending) noexcept;

} // namespace detail

/// See the top of the file.
template<typename Label, typename T>
class RequestCollection {
public:
    /// One that has come.
    struct Answer {
        /// Of add().
        Label label;
        /// As `co_await request(...)` has it.
        detail::FlatResultOf<T> value;
    };

    RequestCollection() = default;
    RequestCollection(RequestCollection const&) = delete;
    RequestCollection& operator=(RequestCollection const&) = delete;
    RequestCollection(RequestCollection&&) = delete;
    RequestCollection& operator=(RequestCollection&&) = delete;
    /// Gives up what has not come.
    ~RequestCollection() {
        for (Entry& entry : m_open) {
            detail::disarm_pending(entry);
        }
        for (Entry& entry : m_answered) {
            detail::disarm_pending(entry);
        }
    }

    /// Sends it, and waits for its answer in next().
    template<bool IsAwaitedInPlace>
    void add(Label label, Request<T, IsAwaitedInPlace> request) {
        Entry& entry = m_open.emplace_back(std::move(label), *this);
        entry.position = std::prev(m_open.end());
        entry.request_label = std::move(request).begin(entry);
    }
    /// How many answers next() will give.
    [[nodiscard]] std::size_t size() const noexcept { return m_open.size() + m_answered.size(); }
    [[nodiscard]] bool is_empty() const noexcept { return size() == 0; }

    /// What next() returns; await it.
    class Next;
    /// The answer that has come first. Nothing: none is left, or none came in time; then is_empty() tells
    /// which. One coroutine at a time.
    [[nodiscard]] Next next(Duration timeout = Duration::max()) { return Next(*this, timeout); }

private:
    struct Entry : detail::Pending {
        Entry(Label entry_label, RequestCollection& entry_collection)
            : label(std::move(entry_label))
            , collection(&entry_collection) {
            keeps_reply = true;
            on_reply = [](detail::Pending& pending) {
                auto& entry = static_cast<Entry&>(pending);
                entry.collection->take_in(entry);
            };
        }
        Label label;
        RequestCollection* collection;
        detail::RequestLabel request_label;
        typename std::list<Entry>::iterator position;
    };
    void take_in(Entry& entry) noexcept {
        m_answered.splice(m_answered.end(), m_open, entry.position);
        if (m_waiting != nullptr) {
            detail::end_wait(*m_waiting);
        }
    }
    [[nodiscard]] std::optional<Answer> take_first() {
        if (m_answered.empty()) {
            return std::nullopt;
        }
        Entry& first = m_answered.front();
        detail::Envelope* const reply = std::exchange(first.reply, nullptr);
        detail::disarm_pending(first);
        Answer answer{std::move(first.label), detail::take_reply<T>(reply, first.request_label)};
        m_answered.pop_front();
        return answer;
    }

    std::list<Entry> m_open;
    /// In the order in which they came.
    std::list<Entry> m_answered;
    detail::Pending* m_waiting = nullptr;
};

template<typename Label, typename T>
class [[nodiscard("co_await it")]] RequestCollection<Label, T>::Next {
public:
    Next(RequestCollection& collection, Duration timeout) noexcept
        : m_collection(&collection)
        , m_timeout(timeout) {}
    Next(Next const&) = delete;
    Next& operator=(Next const&) = delete;
    Next(Next&&) = delete;
    Next& operator=(Next&&) = delete;
    ~Next() { end(); }

    /// For the compiler.
    [[nodiscard]] bool await_ready() const noexcept {
        return !m_collection->m_answered.empty() || m_collection->m_open.empty();
    }
    void await_suspend(std::coroutine_handle<> waiter) {
        detail::arm_pending(m_pending, std::nullopt);
        m_collection->m_waiting = &m_pending;
        detail::suspend_for(m_pending, waiter, m_timeout);
    }
    [[nodiscard]] std::optional<Answer> await_resume() {
        end();
        return m_collection->take_first();
    }

private:
    void end() noexcept {
        if (m_collection->m_waiting == &m_pending) {
            m_collection->m_waiting = nullptr;
        }
        detail::disarm_pending(m_pending);
    }
    RequestCollection* m_collection;
    Duration m_timeout;
    detail::Pending m_pending;
};

} // namespace sinew
