// What the examples of libs/circuits take for granted (cmake/stage_examples.py).
#include <sinew/circuits.hpp>
#include <sinew/otp.hpp>

#include <chrono>
#include <memory>

using namespace std::chrono_literals;

namespace readme {
// example: libs/circuits/README.md
} // namespace readme

namespace edges {
using namespace sinew::circuits;
class Doorbell : public sinew::Server<Doorbell> {
public:
    sinew::Result<> init();
    void handle_info(GpioEdge edge);

private:
    std::shared_ptr<Board> m_board;
};
// example: edges.hpp
} // namespace edges
