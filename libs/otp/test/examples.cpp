// What the examples of libs/otp take for granted (cmake/stage_examples.py).
#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

using namespace std::chrono_literals;

namespace readme {
// example: libs/otp/README.md
} // namespace readme

using namespace sinew;

namespace common {

struct Current {
    using Reply = double;
};
struct Reading {
    double celsius = 0;
};
BOOST_DESCRIBE_STRUCT(Reading, (), (celsius))

class Sensor : public Server<Sensor> {
public:
    double handle_call(Current /*question*/) { return 0; }
    void handle_info(Reading /*reading*/) {}
};

double measure(std::string const& /*place*/) {
    return 0;
}
template<typename... Values>
void show(Values const&... /*values*/) {}

} // namespace common
using namespace common;

namespace agent {
struct SettingsValue {
    int volume = 0;
};
void example() {
    // example: agent.hpp
}
} // namespace agent

namespace applications {
class Network : public Application {
    Supervisor start(Config const& config) override;
};
class Hub : public Application {
    Supervisor start(Config const& config) override;
};
void example(Node& node, Config const& config) {
    // example: applications.hpp
}
} // namespace applications

namespace async_handler {
struct Average {
    using Reply = double;
};
class Mean : public Server<Mean> {
public:
    // example: async.hpp
};
} // namespace async_handler

namespace conversation {
// example: conversation.hpp
} // namespace conversation

namespace dynamic_supervisor {
struct Database {};
class Session : public Server<Session> {
public:
    struct Options {
        int user = 0;
    };
    explicit Session(Options options);
    Session(Database& database, int user, std::string language);
};
Async<> example() {
    // example: dynamic_supervisor.hpp
}
void example(std::reference_wrapper<Database> database, int user, std::string const& language) {
    // example: dynamic_supervisor.hpp
}
} // namespace dynamic_supervisor

namespace faults {
class Pump : public Server<Pump> {};
void example(sinew::testing::Simulation& sim) {
    // example: faults.hpp
}
} // namespace faults

namespace introspection {
Async<> example(ServerRef<Sensor> led) {
    // example: introspection.hpp
}
} // namespace introspection

namespace log_events {
class Reader : public Server<Reader> {
public:
    struct Options {
        std::string bus;
    };
    void handle_info(Reading reading) {
        // example: otp/log.hpp
    }

private:
    Options m_options;
};
} // namespace log_events

namespace logger_of_an_application {
void example() {
    // example: logger.hpp
}
} // namespace logger_of_an_application

namespace partitions {
struct Get {
    using Reply = double;
    int sensor = 0;
};
class Store : public Server<Store> {
public:
    struct Options {
        std::size_t part = 0;
    };
    explicit Store(Options options);
    double handle_call(Get question);
};
void example(int sensor_id) {
    // example: partitions.hpp
}
} // namespace partitions

namespace process_local_values {
void example() {
    // example: process_local.hpp
}
} // namespace process_local_values

namespace property_table {
class Watcher : public Server<Watcher> {
public:
    void init() {
        // example: property_table.hpp
    }
    void handle_info(PropertyEvent const& event);
};
} // namespace property_table

namespace publish_and_subscribe {
class Listener : public Server<Listener> {
public:
    void init(PubSub const& pubsub) {
        // example: otp/pubsub.hpp
    }
    void handle_info(Reading reading);
};
} // namespace publish_and_subscribe

namespace selective_receive {
struct Pong {};
class Ping : public Conversation<Ping, Pong, Down> {
public:
    Async<> run() {
        // example: receive.hpp
    }
};
} // namespace selective_receive

namespace registry {
struct Enter {
    using Reply = void;
    std::string who;
};
class Room : public Server<Room> {
public:
    void handle_call(Enter question);
};
enum class Language : std::uint8_t { english };
void example(Node& node) {
    // example: registry.hpp
    // example: registry.hpp
}
} // namespace registry

namespace requests {
struct Put {
    using Reply = void;
    std::string key;
    std::string value;
};
class Store : public Server<Store> {
public:
    void handle_call(Put question);
};
class Client : public Server<Client> {
public:
    Async<> ask() {
        // example: otp/request.hpp
    }
    Async<> put() {
        // example: otp/request.hpp
    }
};
} // namespace requests

namespace request_collection {
class Garden : public Server<Garden> {
public:
    Async<> read() {
        // example: request_collection.hpp
    }

private:
    std::map<std::string, ServerRef<Sensor>> m_sensors;
};
} // namespace request_collection

namespace server {
// example: otp/server.hpp
} // namespace server

namespace simulation {
struct Count {
    using Reply = int;
};
class Led : public Server<Led> {
public:
    struct Options {};
    explicit Led(Options options);
    int handle_call(Count question);
};
void example() {
    // example: simulation.hpp
    using sinew::testing::explore;
    using sinew::testing::for_each_seed;
    using sinew::testing::Simulation;
    // example: simulation.hpp
}
} // namespace simulation

namespace stage {
struct Sample {};
std::vector<Sample> read_samples(std::size_t count);
std::vector<Reading> filtered(std::vector<Sample> const& samples);
Request<void> upload(std::vector<Reading> const& readings);
// example: stage.hpp
} // namespace stage

namespace state_machine {
struct Digit {
    char value = '0';
};
struct Close {};
struct IsOpen {
    using Reply = bool;
};
// example: state_machine.hpp
} // namespace state_machine

namespace supervisor {
struct LineOptions {
    std::string line;
};
class Led : public Server<Led> {
public:
    using Options = LineOptions;
    explicit Led(Options options);
};
class Button : public Server<Button> {
public:
    using Options = LineOptions;
    explicit Button(Options options);
};
// example: otp/supervisor.hpp
} // namespace supervisor

namespace table {
void example() {
    // example: otp/table.hpp
}
} // namespace table

namespace task {
Async<> example() {
    // example: otp/task.hpp
}
} // namespace task

namespace task_stream {
struct Sensor {
    std::string place;
};
double measure(Sensor const& sensor);
Async<> example(std::vector<Sensor> sensors) {
    // example: task_stream.hpp
}
} // namespace task_stream
