/// Answerer: a server with a handler of each kind, for tests of calls, starts and ends.
///
/// Threading: as any server.
#pragma once

#include "world.hpp"

#include <sinew/otp.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {

struct Echo {
    using Reply = std::string;
    std::string text;
};
struct Fail {
    using Reply = int;
};
struct Refuse {
    using Reply = Result<int>;
    bool refuses = true;
};
struct AnswerLater {
    using Reply = int;
};
struct AnswerNow {
    int value = 0;
};
struct StopWithReply {
    using Reply = std::string;
};
struct StopWithoutReply {
    using Reply = int;
};
struct AskSelf {
    using Reply = std::string;
};
struct AskOther {
    using Reply = std::string;
    std::string text;
    Duration timeout = std::chrono::seconds(5);
};
struct Large {
    using Reply = std::array<int, 64>;
    std::array<int, 64> values{};
};
struct Never {
    using Reply = int;
};
struct Pause {
    using Reply = int;
    Duration time = std::chrono::milliseconds(10);
};
struct Work {
    using Reply = std::string;
    bool fails = false;
};
struct MoveOnly {
    using Reply = std::unique_ptr<int>;
    std::unique_ptr<int> value;
};

class Answerer : public Server<Answerer> {
public:
    explicit Answerer(Journal& journal, std::string other = {})
        : m_journal(&journal)
        , m_other(std::move(other)) {}
    std::string handle_call(Echo request) { return request.text; }
    int handle_call(Fail /*request*/) { throw std::runtime_error("crashed"); }
    Result<int> handle_call(Refuse request) {
        if (request.refuses) {
            return failure(ErrorCode::denied, "not today");
        }
        return 1;
    }
    void handle_call(AnswerLater /*request*/, Deferred<AnswerLater> reply) {
        m_waiting.push_back(std::move(reply));
    }
    void handle_call(Never /*request*/, Deferred<Never> reply) { m_never.push_back(std::move(reply)); }
    void handle_cast(AnswerNow message) {
        for (auto& reply : m_waiting) {
            reply.reply(message.value);
            reply.reply(message.value + 1);
        }
        m_waiting.clear();
        m_never.clear();
    }
    std::string handle_call(StopWithReply /*request*/) {
        stop(ExitReason::shutdown("done"));
        return "bye";
    }
    int handle_call(StopWithoutReply /*request*/) { exit_self(ExitReason::normal()); }
    Async<std::string> handle_call(AskSelf /*request*/) {
        auto asked = request(self(), Echo{"me"});
        auto reply = co_await asked;
        co_return reply ? *reply : reply.error().message();
    }
    Async<std::string> handle_call(AskOther ask) {
        auto asked = request(name<Answerer>(m_other), Echo{ask.text}, ask.timeout);
        auto reply = co_await asked;
        co_return reply ? "other says " + *reply : reply.error().message();
    }
    Large::Reply handle_call(Large request) { return request.values; }
    std::unique_ptr<int> handle_call(MoveOnly request) { return std::move(request.value); }
    Async<int> handle_call(Pause request) {
        (void)co_await pause(request.time);
        co_return 7;
    }
    Async<std::string> handle_call(Work work) {
        auto result = co_await blocking([fails = work.fails] {
            if (fails) {
                throw std::runtime_error("disk on fire");
            }
            return std::string("worked");
        });
        co_return result ? *result : result.error().message();
    }
    void handle_info(Note note) { m_journal->add(note.text); }
    void terminate(ExitReason const& reason) { m_journal->add("terminate " + reason.to_string()); }

private:
    Journal* m_journal;
    std::string m_other;
    std::vector<Deferred<AnswerLater>> m_waiting;
    std::vector<Deferred<Never>> m_never;
};

class AnswererTest : public WorldTest {
protected:
    ServerRef<Answerer> start_answerer(std::string const& text_name = {}, std::string const& other = {}) {
        return world.node().start<Answerer>({.name = text_name}, std::ref(journal), other).value();
    }
};

} // namespace sinew::testing
