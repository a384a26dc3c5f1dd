/// Tasks, by their names and conditions.
#include "apply/task.hpp"

#include "functions/conditions.hpp"
#include "functions/function.hpp"
#include "functions/table.hpp"
#include "script/config.hpp"

#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace sinew::firmware {

namespace {

std::string as_written(Call const& call) {
    std::string text = call.words[0] + "(";
    for (std::size_t i = 1; i < call.words.size(); ++i) {
        text += (i > 1 ? ", " : "") + meta_conf_value(call.words[i].substr(0, 60));
    }
    return text + ")";
}

/// Goes through the tasks that may be meant.
class Choice {
public:
    Choice(Section const& config, Surroundings const& surroundings, ExplainCondition const& explain)
        : m_config(config)
        , m_surroundings(surroundings)
        , m_explain(explain) {}

    /// Asks no further than it must, unless all is to be explained. Commands only run if they decide.
    bool fits(Section const& task) {
        bool is_fitting = true;
        auto const legacy_offset = task.integer("require-partition1-offset");
        if (legacy_offset >= 0) {
            auto const block = static_cast<std::uint64_t>(legacy_offset);
            is_fitting = judge(task, "require-partition1-offset = " + std::to_string(legacy_offset),
                               find_primary_at(m_surroundings.disk, 1, block));
        }
        for (auto const& call : task.calls) {
            bool const is_asked =
                is_fitting || (m_explain && (call.condition == nullptr || !call.condition->runs_commands));
            if (is_asked && !judge(task, as_written(call), find(call))) {
                is_fitting = false;
            }
        }
        return is_fitting;
    }
    /// What couldn't be read, for the error.
    [[nodiscard]] std::string const& unreadable() const { return m_unreadable; }

private:
    [[nodiscard]] Finding find(Call const& call) const {
        if (auto const checked = check_condition(call.condition, call.words, Deferred::refused); !checked) {
            return {Finding::Kind::not_met, checked.error().message()};
        }
        return call.condition->find(m_config, call.words, m_surroundings);
    }

    bool judge(Section const& task, std::string const& condition, Finding const& finding) {
        if (finding.kind == Finding::Kind::met) {
            return true;
        }
        bool const is_unreadable = finding.kind == Finding::Kind::unreadable;
        auto const text = "task '" + task.title + "': " + condition +
                          (is_unreadable ? " can't be checked: " : " isn't met: ") + finding.why;
        if (m_explain) {
            m_explain(text);
        }
        if (is_unreadable && m_unreadable.empty()) {
            m_unreadable = text;
        }
        return false;
    }

    Section const& m_config;
    Surroundings const& m_surroundings;
    ExplainCondition const& m_explain;
    std::string m_unreadable;
};

} // namespace

Result<Section const*> choose_task(Section const& config, std::string_view wanted,
                                   Surroundings const& surroundings, ExplainCondition const& explain) {
    Choice choice(config, surroundings, explain);
    std::string considered;
    std::string all;
    for (auto const& task : config.sections) {
        if (task.schema->name != "task") {
            continue;
        }
        all += (all.empty() ? "" : ", ") + task.title;
        if (!task.title.starts_with(wanted)) {
            continue;
        }
        if (choice.fits(task)) {
            return &task;
        }
        considered += (considered.empty() ? "" : ", ") + task.title;
    }
    auto const name = std::string(wanted.substr(0, 60));
    if (considered.empty()) {
        return failure(ErrorCode::not_found,
                       "the archive has no task '" + name + "'; it has: " + (all.empty() ? "none" : all));
    }
    auto const begin = "no task '" + name + "' fits what is on " + surroundings.disk.name() + ": ";
    if (!choice.unreadable().empty()) {
        return failure(ErrorCode::not_found, begin + choice.unreadable());
    }
    return failure(ErrorCode::not_found, begin + "the conditions of " + considered +
                                             " aren't met; use firmware that was made for this device");
}

} // namespace sinew::firmware
