// The handler only writes, and leaves the rest to the signal's own effect. See interrupt_notice.hpp.
#include <sinew/tooling/interrupt_notice.hpp>

#include <unistd.h>

#include <array>
#include <csignal>
#include <string_view>

namespace sinew::tooling {

namespace {

constexpr std::array signals = {SIGINT, SIGTERM, SIGHUP};

void say_and_end(int number) {
    constexpr std::string_view before = "\ninterrupted; ";
    constexpr std::string_view sentence = goes_on_where_it_was;
    (void)!::write(STDERR_FILENO, before.data(), before.size());
    (void)!::write(STDERR_FILENO, sentence.data(), sentence.size());
    (void)!::write(STDERR_FILENO, "\n", 1);
    // SA_RESETHAND has put the default back; the signal comes when this handler returns.
    (void)::raise(number);
}

} // namespace

InterruptNotice::InterruptNotice() {
    struct sigaction action{};
    action.sa_handler = say_and_end;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (int const number : signals) {
        struct sigaction before{};
        // Who was started with a signal ignored (nohup) goes on ignoring it.
        if (::sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_DFL) {
            (void)::sigaction(number, &action, nullptr);
        }
    }
}

InterruptNotice::~InterruptNotice() {
    for (int const number : signals) {
        struct sigaction now{};
        if (::sigaction(number, nullptr, &now) == 0 && now.sa_handler == say_and_end) {
            (void)::signal(number, SIG_DFL);
        }
    }
}

} // namespace sinew::tooling
