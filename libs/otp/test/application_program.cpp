// The program that application_test.cpp runs: one server, told by its configuration how to behave.
#include <sinew/otp.hpp>

#include <boost/describe/class.hpp>

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>

struct Settings {
    bool fails_to_start = false;
    bool crashes = false;
};
BOOST_DESCRIBE_STRUCT(Settings, (), (fails_to_start, crashes))

namespace {

struct Tick {};

class Lamp : public sinew::Server<Lamp> {
public:
    using Options = Settings;
    explicit Lamp(Options options)
        : m_options(options) {}
    sinew::Result<> init() {
        sinew::set_trap_exit(true);
        if (m_options.fails_to_start) {
            return sinew::failure(sinew::ErrorCode::not_found, "there is no lamp");
        }
        if (m_options.crashes) {
            send_after(std::chrono::milliseconds(1), Tick{});
        }
        return {};
    }
    void handle_info(Tick /*message*/) { throw std::runtime_error("bulb burnt out"); }
    void terminate(sinew::ExitReason const& reason) { sinew::log::info("lamp off: " + reason.to_string()); }

private:
    Options m_options;
};

class LampApplication : public sinew::Application {
    sinew::Supervisor start(sinew::Config const& config) override {
        return sinew::supervise(sinew::Strategy::one_for_one,
                                {sinew::child<Lamp>(config.section<Settings>("lamp"))});
    }
    void prepare_stop() override { sinew::log::info("about to stop"); }
    void stop() override { sinew::log::info("stopped"); }
};

} // namespace

SINEW_APPLICATION(LampApplication);
