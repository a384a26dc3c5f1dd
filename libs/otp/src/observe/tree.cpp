// The supervision tree of a snapshot as text and for Graphviz.
#include <sinew/otp/observe.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::observe {
namespace {

std::string title_of(Process const& process) {
    std::string const title = process.label.empty() ? process.pid : process.label;
    // One that is found by its class has that as its name.
    return process.name.empty() || process.name == title ? title : title + " \"" + process.name + "\"";
}

/// Who is below whom; by title. A process whose parent is gone or unknown is a root.
class Tree {
public:
    explicit Tree(Snapshot const& snapshot) {
        std::set<std::string_view> known;
        for (Process const& process : snapshot.processes) {
            known.insert(process.pid);
        }
        for (Process const& process : snapshot.processes) {
            bool const has_parent = known.contains(process.parent) && process.parent != process.pid;
            m_children[has_parent ? std::string_view(process.parent) : std::string_view()].push_back(
                &process);
        }
        for (auto& [parent, children] : m_children) {
            std::ranges::sort(children, {}, [](Process const* process) {
                return std::pair(title_of(*process), std::string_view(process->pid));
            });
        }
    }
    [[nodiscard]] std::vector<Process const*> below(std::string_view pid) const {
        auto const found = m_children.find(pid);
        return found != m_children.end() ? found->second : std::vector<Process const*>();
    }

private:
    std::map<std::string_view, std::vector<Process const*>> m_children;
};

void add_lines(std::string& text, Tree const& tree, Process const& process, std::string const& lead,
               std::string const& below_lead) {
    std::string line = lead + title_of(process) + " " + process.pid + " " + process.state;
    line += "  mailbox " + std::to_string(process.mailbox_length) + ", handled " +
            std::to_string(process.messages_handled);
    if (process.messages_dropped != 0) {
        line += ", dropped " + std::to_string(process.messages_dropped);
    }
    if (process.state == "no answer" && !process.handling.empty()) {
        line += "  in " + process.handling;
    }
    text += line + "\n";
    auto const children = tree.below(process.pid);
    for (std::size_t at = 0; at < children.size(); ++at) {
        bool const is_last = at + 1 == children.size();
        add_lines(text, tree, *children[at], below_lead + (is_last ? "└─ " : "├─ "),
                  below_lead + (is_last ? "   " : "│  "));
    }
}

std::string dot_text(std::string_view text) {
    std::string result = "\"";
    for (char const c : text) {
        if (c == '"' || c == '\\') {
            result += '\\';
        }
        result += c;
    }
    return result + "\"";
}

} // namespace

std::string tree_text(Snapshot const& snapshot) {
    Tree const tree(snapshot);
    std::string text;
    for (Process const* root : tree.below({})) {
        add_lines(text, tree, *root, "", "");
    }
    return text;
}

std::string tree_dot(Snapshot const& snapshot) {
    std::string text = "digraph " + dot_text(snapshot.application) +
                       " {\n    rankdir=LR;\n    node [shape=ellipse, fontname=\"sans-serif\"];\n";
    std::set<std::string_view> known;
    for (Process const& process : snapshot.processes) {
        known.insert(process.pid);
        text += "    " + dot_text(process.pid) +
                " [label=" + dot_text(title_of(process) + "\n" + process.pid) +
                (process.is_supervisor ? ", shape=box" : "") +
                (process.state == "no answer" ? ", color=red" : "") + "];\n";
    }
    for (Process const& process : snapshot.processes) {
        if (known.contains(process.parent)) {
            text += "    " + dot_text(process.parent) + " -> " + dot_text(process.pid) + ";\n";
        }
    }
    return text + "}\n";
}

} // namespace sinew::observe
