#include <sinew/base/result.hpp>
#include <sinew/otp/detail/exit_hook.hpp>
#include <sinew/otp/detail/table_owner.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/process.hpp>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>

namespace sinew::detail {

/// Doesn't keep the rows alive: the handles do.
class TableOwner::Hook final : public ExitHook {
public:
    Hook(std::weak_ptr<Rows> rows, TableOwner& owner)
        : m_rows(std::move(rows))
        , m_owner(&owner) {}
    void process_ended(Pid pid, ExitReason const& /*reason*/) noexcept override {
        if (auto const rows = m_rows.lock()) {
            m_owner->owner_ended(pid, *rows);
        }
    }

private:
    std::weak_ptr<Rows> m_rows;
    TableOwner* m_owner;
};

void TableOwner::begin(std::shared_ptr<Rows> const& rows) {
    m_hook = std::make_shared<Hook>(rows, *this);
    if (Pid const owner = self()) {
        m_owner.store(owner.value(), std::memory_order_release);
        if (!on_exit(m_hook)) {
            throw std::logic_error("sinew: a process that ends can't make a table");
        }
    }
}

Result<> TableOwner::refuse(std::uint64_t owner) const {
    if (owner == nobody) {
        return failure(ErrorCode::unavailable, "table '" + m_name + "' is gone: its owner has ended");
    }
    return failure(ErrorCode::denied, "table '" + m_name + "' may be changed by its owner " +
                                          Pid::from_value(owner).to_string() + " only");
}

Result<> TableOwner::give_to(Pid receiver) {
    std::uint64_t owner = self().value();
    if (!m_owner.compare_exchange_strong(owner, receiver.value(), std::memory_order_acq_rel)) {
        return owner == nobody
                   ? refuse(owner)
                   : failure(ErrorCode::denied, "table '" + m_name + "' can be given away by its owner only");
    }
    on_exit_of(receiver, m_hook);
    return {};
}

void TableOwner::owner_ended(Pid pid, Rows& rows) noexcept {
    std::uint64_t owner = pid.value();
    bool const has_heir = m_heir && m_heir != pid;
    if (!m_owner.compare_exchange_strong(owner, has_heir ? m_heir.value() : nobody,
                                         std::memory_order_acq_rel)) {
        return; // It was given away before.
    }
    if (!has_heir) {
        rows.drop();
        return;
    }
    rows.inherit(pid);
    on_exit_of(m_heir, m_hook);
}

} // namespace sinew::detail
