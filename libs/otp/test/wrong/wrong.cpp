// What a user may get wrong, one mistake for each value of MISTAKE. compile_errors_test.cpp compiles it.
#include <sinew/otp/call.hpp>
#if MISTAKE == 9
#include <sinew/otp/state_machine.hpp>
#elif MISTAKE >= 11 && MISTAKE <= 13
#include <sinew/otp/conversation.hpp>
#elif MISTAKE >= 14 || MISTAKE == 0
#include <sinew/otp/node.hpp>
#include <sinew/otp/supervisor.hpp>
#endif

#include <chrono>
#include <memory>
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
#elif MISTAKE == 24
        send_interval(std::chrono::seconds(1), Known{});
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

#if MISTAKE >= 14 || MISTAKE == 0
class Bulb : public sinew::Server<Bulb> {
public:
    struct Options {
        int watts = 5;
    };
    explicit Bulb(Options options)
        : m_options(options) {}
    void init() { send_interval(std::chrono::seconds(1), Plain{}); }
    void handle_info(Plain /*message*/) {}
    int handle_call(Known /*request*/) { return m_options.watts; }

private:
    Options m_options;
};
class Owner : public sinew::Server<Owner> {
public:
    struct Options {
        std::unique_ptr<int> one;
    };
    explicit Owner(Options options)
        : m_options(std::move(options)) {}

private:
    Options m_options;
};
class Doubtful : public sinew::Server<Doubtful> {
public:
    bool init() { return true; }
};
struct Fixed {
    Fixed() = default;
    Fixed(Fixed const&) = delete;
    Fixed& operator=(Fixed const&) = delete;
};
class Keeper : public sinew::Server<Keeper> {
public:
    void handle_info(Fixed const& /*message*/) {}
    void handle_cast(Fixed const& /*message*/) {}
};
#endif

#if MISTAKE >= 11 && MISTAKE <= 13
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
#elif MISTAKE == 14
    (void)sinew::Node().start<Bulb>({}, "bright");
#elif MISTAKE == 15
    (void)sinew::child<Owner>({.one = std::make_unique<int>(1)});
#elif MISTAKE == 16
    (void)sinew::spawn<Doubtful>();
#elif MISTAKE == 17
    sinew::send(sinew::ServerRef<Keeper>(), Fixed());
#elif MISTAKE == 18
    sinew::cast(sinew::ServerRef<Keeper>(), Fixed());
#elif MISTAKE == 19
    (void)sinew::supervise(sinew::Strategy::one_for_one, {sinew::child<Lamp>(), Bulb::Options{3}});
#elif MISTAKE == 20
    (void)sinew::child<Bulb>();
#elif MISTAKE == 21
    (void)sinew::child<Doubtful>();
#elif MISTAKE == 22
    (void)sinew::spawn_link<Bulb>();
#elif MISTAKE == 23
    (void)sinew::start_link<Bulb>({}, std::string("bright"));
#elif MISTAKE == 25
    (void)sinew::child<Bulb>({.volts = 3});
#elif MISTAKE == 0
    sinew::Node node;
    auto bulb = node.start<Bulb>({}, Bulb::Options{.watts = 3});
    auto watts = sinew::call(bulb.value(), Known{});
    sinew::Recipient<Plain> const recipient = sinew::name<Bulb>("left");
    recipient.send(Plain{});
    auto const tree = sinew::supervise(sinew::Strategy::one_for_one, {sinew::child<Bulb>({.watts = 3})});
    return watts.value() + static_cast<int>(tree.children.size());
#endif
    return lamp ? 1 : 0;
}
