/// Application: what a program's main is made of. SINEW_APPLICATION(Type) defines main().
///
/// The program takes --config DIR (default: SINEW_CONFIG_DIR, else config/ beside the program's folder),
/// `--help` and `--version`; reads the configuration (SINEW_TARGET: "host" unless set; SINEW_CONFIG__section__key in the
/// environment overrides a file's value), starts the applications it needs and the tree that start() returns,
/// tells NOTIFY_SOCKET "READY=1", and runs until SIGTERM, SIGINT or SIGHUP: then the tree stops in reverse order
/// and it exits with 0. Another signal meanwhile makes it say what it waits for; another SIGINT ends it at once.
/// It exits with 1 and a sentence when the configuration is bad, a child fails to start, the top supervisor
/// gives up, or the end takes longer than stop_limit(). SIGPIPE is ignored: writing to a peer that left is an error,
/// EPIPE. What it logs, and where to, is the configuration's section [log] (docs/otp/logger.md).
/// Threading: the functions run on the main thread, outside the scheduler: they may block and call().
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/otp/config.hpp>
#include <sinew/otp/supervisor.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace sinew {

struct ApplicationSpec;

/// A program; see the top of the file.
class Application {
public:
    Application() = default;
    Application(Application const&) = delete;
    Application& operator=(Application const&) = delete;
    Application(Application&&) = delete;
    Application& operator=(Application&&) = delete;
    virtual ~Application() = default;
    /// The applications that must run before this one starts: run_application() adds and starts them first.
    [[nodiscard]] virtual std::vector<ApplicationSpec> needs();
    /// The supervision tree. A ConfigError or other exception ends the program with its text; what it needs
    /// is stopped again, and stop() is not called.
    virtual Supervisor start(Config const& config) = 0;
    /// When the tree is up: each of these in order goes to start_phase(). An Error or an exception stops it
    /// again.
    [[nodiscard]] virtual std::vector<std::string> start_phases() const { return {}; }
    [[nodiscard]] virtual Result<> start_phase(std::string_view phase);
    /// How long the orderly end may take, from the signal (or the end of the tree) to the end of the program. Then
    /// it says what it waits for and exits with 1. Default: 7 s; a device's sinewd kills it after 8 s.
    /// Duration::max(): for ever. Asked once, before start().
    [[nodiscard]] virtual Duration stop_limit(Config const& config) const;
    /// Before the tree is stopped in order. An exception is logged; the tree is stopped all the same.
    virtual void prepare_stop() {}
    /// After the tree has ended, in order or not. An exception is logged.
    virtual void stop() {}
};

/// One application among others, by name.
struct ApplicationSpec {
    /// Unique among them.
    std::string name;
    /// What is started.
    std::shared_ptr<Application> application;
    /// Names of those that must run before.
    std::vector<std::string> needs = {};
};

/// What a program tells of itself.
struct ApplicationInfo {
    /// The class's name.
    std::string_view name;
    /// As the build defines it.
    std::string_view version;
};

/// Everything main() does; returns the exit status. For programs that need a main() of their own.
[[nodiscard]] int run_application(int argc, char const* const* argv, Application& application,
                                  ApplicationInfo const& info);

} // namespace sinew

#ifndef SINEW_APPLICATION_VERSION
/// The build defines it as the application's version, a string literal.
#define SINEW_APPLICATION_VERSION "0.0.0"
#endif

/// Defines main() for an Application class.
#define SINEW_APPLICATION(Type)                                                                              \
    int main(int argc, char** argv) {                                                                        \
        Type application;                                                                                    \
        return sinew::run_application(argc, argv, application, {#Type, SINEW_APPLICATION_VERSION});          \
    }                                                                                                        \
    static_assert(std::is_base_of_v<sinew::Application, Type>)
