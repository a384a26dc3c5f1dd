#include "log/report.hpp"

#include "core/context.hpp"
#include "core/node_core.hpp"
#include "core/process.hpp"
#include "core/report_limiter.hpp"
#include "crash/frames.hpp"
#include "crash/line.hpp"
#include "log/add_member.hpp"

#include <sinew/base/value.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/supervisor.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

namespace sinew::detail {
namespace {

constexpr std::size_t state_text_limit = 4096;

std::string joined(std::vector<Pid> const& pids) {
    std::string text;
    for (Pid const pid : pids) {
        text += (text.empty() ? "" : " ") + pid.to_string();
    }
    return text;
}

std::vector<Pid> linked_to(Process const& process) {
    std::vector<Pid> pids;
    if (process.extras != nullptr) {
        for (auto const& [pid, unused] : process.extras->links.entries()) {
            pids.push_back(pid);
        }
    }
    return pids;
}

void add_text(Value::Object& fields, std::string key, std::string_view text) {
    if (!text.empty()) {
        add_member(fields, std::move(key), std::string(text));
    }
}

Value::Object crash_fields(Process const& process) {
    Value::Object fields;
    ExitReason const& reason = process.exit_reason;
    add_text(fields, "type", reason.type());
    add_text(fields, "origin", reason.origin());
    if (process.extras != nullptr && process.extras->thrown_at != 0) {
        crash::Line place;
        crash::add_place(place, process.extras->thrown_at, program_invocation_short_name);
        add_text(fields, "thrown_at", place.text());
    }
    if (process.extras != nullptr && process.extras->failed_message != nullptr) {
        add_text(fields, "last_message", readable_type_name(*process.extras->failed_message));
    }
    add_text(fields, "state", state_text(process));
    add_text(fields, "name", name_of(process));
    add_text(fields, "ancestors", joined(ancestors_of(process)));
    add_text(fields, "links", joined(linked_to(process)));
    add_member(fields, "mailbox_length", std::int64_t{process.mailbox_length});
    add_member(fields, "messages_handled", static_cast<std::int64_t>(process.messages_handled.get()));
    return fields;
}

} // namespace

std::string label_of(Process const& process) {
    if (process.extras != nullptr && !process.extras->label.empty()) {
        return process.extras->label;
    }
    return process.behaviour != nullptr ? class_label(*process.behaviour->type) : "process";
}

std::string class_label(std::type_info const& type) {
    return type == typeid(SupervisorServer) ? "supervisor" : readable_type_name(type);
}

std::string name_of(Process const& process) {
    if (process.extras == nullptr) {
        return {};
    }
    if (process.extras->names.empty() && process.extras->type_slot != no_type_slot) {
        return readable_type_name(*process.behaviour->type);
    }
    return process.extras->names.empty() ? std::string() : process.extras->names.front();
}

std::vector<Pid> ancestors_of(Process const& process) {
    std::vector<Pid> pids;
    if (process.extras != nullptr && process.extras->ancestors != nullptr) {
        std::ranges::copy_if(*process.extras->ancestors, std::back_inserter(pids),
                             [](Pid pid) { return static_cast<bool>(pid); });
    }
    return pids;
}

std::string state_text(Process const& process) {
    if (process.state == nullptr || process.behaviour->shown_state == nullptr) {
        return {};
    }
    std::string text = format_json(process.behaviour->encode_state(process.state));
    if (text.size() > state_text_limit) {
        text.resize(state_text_limit);
        text += "...";
    }
    return text;
}

std::string describe(Process const& process) {
    return label_of(process) + " " + process.pid().to_string();
}

void report_crash(Process const& process) {
    log::Sink& sink = t_context.core->sink;
    constexpr std::source_location here = std::source_location::current();
    if (!sink.accepts(log::Level::error, log::module_of(here.file_name()))) {
        return;
    }
    try {
        // Asked before anything is put into words: a process that crashes in a loop shall cost little.
        std::size_t const key = ReportLimiter::key(process.behaviour->type->name(), "crash", 0);
        std::optional<std::uint64_t> const left_out =
            t_context.core->reports.admit(key, t_context.core->now_ns());
        if (!left_out) {
            return;
        }
        Value::Object fields = crash_fields(process);
        if (*left_out != 0) {
            add_member(fields, "left_out", static_cast<std::int64_t>(*left_out));
        }
        std::string const text = "crashed: " + process.exit_reason.to_string();
        log::Event event = log::make_event(log::Level::error, text, log::Fields(std::move(fields)), here);
        event.is_report = true;
        sink.write(event);
    } catch (...) {
        // Whatever the state's conversion throws, or no memory for the report: the process goes on ending.
        return;
    }
}

void report_child_end(ChildSpec const& child, Pid pid, ExitReason const& reason, bool is_restarted) {
    std::source_location const here = std::source_location::current();
    RuntimeScope const scope;
    NodeCore& core = *t_context.core;
    if (!core.sink.accepts(log::Level::error, log::module_of(here.file_name()))) {
        return;
    }
    std::optional<std::uint64_t> const left_out =
        core.reports.admit(ReportLimiter::key(child.id, "child", 0), core.now_ns());
    if (!left_out) {
        return;
    }
    std::string const text = "child '" + child.id + "' " + pid.to_string() + " ended: " + reason.to_string() +
                             (is_restarted ? "; it is restarted" : "");
    constexpr std::array restarts{"permanent", "transient", "temporary"};
    Value::Object fields = log::Fields({{"origin", reason.origin()},
                                        {"restart", restarts.at(static_cast<std::size_t>(child.restart))},
                                        {"type", child.is_supervisor ? "supervisor" : "worker"}})
                               .values();
    if (*left_out != 0) {
        add_member(fields, "left_out", static_cast<std::int64_t>(*left_out));
    }
    log::Event event = log::make_event(log::Level::error, text, log::Fields(std::move(fields)), here);
    event.is_report = true;
    core.sink.write(event);
}

void report_unhandled(Process const& /*process*/, std::string_view what) {
    log::notice("dropped " + std::string(what) + ": it has no handle_info() for it");
}

} // namespace sinew::detail
