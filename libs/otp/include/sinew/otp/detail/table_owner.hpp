/// TableOwner: whose a table is, who may use it, and what happens when its owner ends.
///
/// Invariant: a table has one owner at a time (a process, or none when it was made outside); when the owner
/// ends it is the heir's, or its rows go. Threading: any thread; give_to() in the owner.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/otp/call.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/pid.hpp>
#include <sinew/otp/process.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace sinew {

enum class TableAccess : std::uint8_t {
    /// Anyone reads and writes (ETS: public).
    everyone,
    /// Anyone reads, the owner writes (ETS: protected).
    owner_writes,
    /// Only the owner reads and writes (ETS: private).
    owner_only
};

namespace detail {

class TableOwner {
public:
    class Rows : public std::enable_shared_from_this<Rows> {
    public:
        Rows() = default;
        Rows(Rows const&) = delete;
        Rows& operator=(Rows const&) = delete;
        Rows(Rows&&) = delete;
        Rows& operator=(Rows&&) = delete;
        virtual ~Rows() = default;
        /// The owner has ended without an heir.
        virtual void drop() noexcept = 0;
        /// The heir owns it now: tell it.
        virtual void inherit(Pid from) = 0;
    };

    TableOwner(std::string name, TableAccess access, Pid heir)
        : m_name(std::move(name))
        , m_access(access)
        , m_heir(heir) {}
    /// The current process, if any, owns `rows` from now on.
    void begin(std::shared_ptr<Rows> const& rows);
    [[nodiscard]] bool may_read() const noexcept {
        std::uint64_t const owner = m_owner.load(std::memory_order_acquire);
        return owner != nobody && (m_access != TableAccess::owner_only || owner == self().value());
    }
    [[nodiscard]] Result<> check_write() const {
        std::uint64_t const owner = m_owner.load(std::memory_order_acquire);
        if (owner != nobody && (m_access == TableAccess::everyone || owner == self().value())) [[likely]] {
            return {};
        }
        return refuse(owner);
    }
    [[nodiscard]] Result<> give_to(Pid receiver);
    [[nodiscard]] Pid pid() const noexcept {
        std::uint64_t const owner = m_owner.load(std::memory_order_acquire);
        return owner == nobody ? Pid() : Pid::from_value(owner);
    }
    [[nodiscard]] bool is_alive() const noexcept { return m_owner.load(std::memory_order_acquire) != nobody; }

private:
    class Hook;
    static constexpr std::uint64_t nobody = ~std::uint64_t{0};
    [[nodiscard]] Result<> refuse(std::uint64_t owner) const;
    void owner_ended(Pid pid, Rows& rows) noexcept;

    std::string m_name;
    TableAccess m_access;
    Pid m_heir;
    std::atomic<std::uint64_t> m_owner{0};
    std::shared_ptr<Hook> m_hook;
};

} // namespace detail
} // namespace sinew
