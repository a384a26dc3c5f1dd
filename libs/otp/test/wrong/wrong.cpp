// What a user may get wrong, one mistake for each value of MISTAKE. compile_errors_test.cpp compiles it.
#include <sinew/otp/call.hpp>
#if MISTAKE == 9
#include <sinew/otp/state_machine.hpp>
#elif MISTAKE >= 11
#include <sinew/otp/conversation.hpp>
#endif

#include <chrono>
#include <string>

namespace {

struct Known {
    using Reply = int;
};
struct Unknown {
    using Reply = int;
};
struct Plain {};

class Lamp : public sinew::Server<Lamp> {
public:
    int handle_call(Known /*request*/) { return 1; }
    void handle_cast(Plain /*message*/) {}
    void wrong() {
#if MISTAKE == 5
        send_after(std::chrono::seconds(1), Known{});
#elif MISTAKE == 6
        set_idle_timeout(std::chrono::seconds(1));
#elif MISTAKE == 7
        continue_with(Known{});
#endif
    }
};

#if MISTAKE == 8
struct Size {
    using Reply = int;
};
class Box : public sinew::Server<Box> {
public:
    std::string handle_call(Size /*request*/) { return "large"; }
};
#endif

#if MISTAKE == 9
enum class State { on, off };
class Machine : public sinew::StateMachine<Machine, State> {
public:
    void init() { start_in(State::on); }
    void on_cast(Plain const& /*message*/) { next_event(Known{}); }
};
#endif

#if MISTAKE >= 11
class Dialog : public sinew::Conversation<Dialog, Plain> {
public:
    sinew::Async<> run() {
#if MISTAKE == 11
        co_await receive<Known>();
#endif
        co_return;
    }
};
#endif

} // namespace

int main() {
    sinew::ServerRef<Lamp> const lamp;
#if MISTAKE == 1
    (void)sinew::call(lamp, Plain{});
#elif MISTAKE == 2
    (void)sinew::call(lamp, Unknown{});
#elif MISTAKE == 3
    sinew::cast(lamp, Unknown{});
#elif MISTAKE == 4
    sinew::send(lamp, Plain{});
#elif MISTAKE == 8
    (void)sinew::call(sinew::ServerRef<Box>(), Size{});
#elif MISTAKE == 9
    sinew::cast(sinew::ServerRef<Machine>(), Plain{});
#elif MISTAKE == 10
    (void)sinew::request(lamp, Plain{});
#elif MISTAKE == 11
    (void)sinew::spawn<Dialog>();
#elif MISTAKE == 12
    sinew::send(sinew::ServerRef<Dialog>(), Known{});
#elif MISTAKE == 13
    (void)sinew::request(sinew::ServerRef<Dialog>(), Known{});
#endif
    return lamp ? 1 : 0;
}
