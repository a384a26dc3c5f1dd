// Tasks: started and awaited, one after the other.
#include "bench_case.hpp"

#include <sinew/otp.hpp>

#include <chrono>
#include <cstdint>
#include <functional>

namespace sinew::bench {
namespace {

class Owner : public Server<Owner> {
public:
    Owner(std::int64_t count, Gate& gate)
        : m_left(count)
        , m_gate(&gate) {}
    Async<> handle_info(Begin /*message*/) {
        std::int64_t sum = 0;
        for (; m_left > 0; --m_left) {
            auto task = async([left = m_left] { return left; });
            Result<std::int64_t> const result = co_await task.await();
            sum += *result;
        }
        m_sum = sum;
        m_gate->arrive();
    }

private:
    std::int64_t m_left;
    std::int64_t m_sum = 0;
    Gate* m_gate;
};

void async_await(Reporter& report, Setting const& setting) {
    constexpr std::int64_t count = 1'000'000;
    Gate gate;
    Node node(setting.node_options());
    auto const owner = node.start<Owner>({}, count, std::ref(gate)).value();
    auto const start = std::chrono::steady_clock::now();
    send(owner, Begin{});
    gate.wait();
    report.rate("task", "async_await", count, std::chrono::steady_clock::now() - start);
}
BenchCase const async_await_case("task", &async_await);

} // namespace
} // namespace sinew::bench
