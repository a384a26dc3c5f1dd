// What the examples of the pages at the top take for granted (cmake/stage_examples.py): the project of `sinew new`.
#include <sinew/circuits.hpp>
#include <sinew/otp.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace readme {
using sinew::circuits::Direction;

struct LedSettings {
    std::string line;
    std::chrono::milliseconds interval;
};
BOOST_DESCRIBE_STRUCT(LedSettings, (), (line, interval))

struct Toggle {};

class Led : public sinew::Server<Led> {
public:
    struct Options {
        std::shared_ptr<sinew::circuits::Board> board;
        LedSettings settings;
    };
    explicit Led(Options options);
    sinew::Result<> init();
    void handle_info(Toggle toggle);

private:
    Options m_options;
    std::optional<sinew::circuits::Gpio> m_gpio;
    bool m_on = false;
};

struct ButtonSettings {
    std::string line;
};
BOOST_DESCRIBE_STRUCT(ButtonSettings, (), (line))

class Button : public sinew::Server<Button> {
public:
    struct Options {
        std::shared_ptr<sinew::circuits::Board> board;
        ButtonSettings settings;
    };
    explicit Button(Options options);
};

// example: README.md

sinew::Supervisor example(std::shared_ptr<sinew::circuits::Board> const& board, sinew::Config const& config) {
    // example: README.md
}
} // namespace readme
