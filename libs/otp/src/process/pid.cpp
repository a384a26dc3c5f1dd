#include <sinew/otp/pid.hpp>

#include <string>

namespace sinew {

std::string Pid::to_string() const {
    return "<" + std::to_string(index()) + "." + std::to_string(generation()) + ">";
}

} // namespace sinew
