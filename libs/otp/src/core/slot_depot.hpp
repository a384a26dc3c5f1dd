/// SlotDepot: the table of process records, and the free ones that workers exchange.
///
/// Invariant: a record never moves and is never unmapped while the node lives, so that any Pid can be looked
/// at. Also a free record has an owner, the only worker who may give it a life; it changes owner only while
/// no worker is about to take its remote messages (is_notified is down), so that no message of the new life
/// is taken for one of the old. Threading: find() and for_each() don't lock; the rest does.
#pragma once

#include "core/process.hpp"

#include <sinew/otp/pid.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace sinew::detail {

class Worker;

class SlotDepot {
public:
    SlotDepot();
    SlotDepot(SlotDepot const&) = delete;
    SlotDepot& operator=(SlotDepot const&) = delete;
    SlotDepot(SlotDepot&&) = delete;
    SlotDepot& operator=(SlotDepot&&) = delete;
    ~SlotDepot();

    /// The record a Pid's index means, whoever lives there now; null: never used.
    [[nodiscard]] Process* find(Pid pid, std::memory_order order = std::memory_order_acquire) const noexcept {
        Process* const chunk = m_chunks[pid.index() / chunk_size].load(order);
        return chunk == nullptr ? nullptr : chunk + pid.index() % chunk_size;
    }
    /// At least one free record owned by `owner`, at most `count`. Throws std::runtime_error when all 16.7
    /// million processes live.
    void take(Worker& owner, std::vector<Process*>& into, std::size_t count);
    /// Takes the last `count` records of `from` back.
    void give(std::vector<Process*>& from, std::size_t count) noexcept;
    /// Every record that was ever used, whoever lives there now.
    template<typename F>
    void for_each(F&& function) const {
        for (std::size_t index = 0; index < chunk_count; ++index) {
            Process* const chunk = m_chunks[index].load(std::memory_order_acquire);
            if (chunk == nullptr) {
                return;
            }
            std::for_each_n(chunk, chunk_size, function);
        }
    }

private:
    static constexpr std::size_t chunk_size = 512;
    static constexpr std::size_t chunk_count = (std::size_t{1} << Pid::index_bits) / chunk_size;
    void make_chunk(Worker& owner);
    [[nodiscard]] bool take_spare(Worker& owner, std::vector<Process*>& into, std::size_t count);

    std::mutex m_mutex;
    std::vector<Process*> m_spare;
    std::size_t m_used_chunks = 0;
    std::unique_ptr<std::atomic<Process*>[]> m_chunks; // NOLINT(*-avoid-c-arrays): atomics don't move
};

} // namespace sinew::detail
