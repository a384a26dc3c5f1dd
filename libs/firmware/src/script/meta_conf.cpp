/// Writes meta.conf. Its bytes decide the archive's UUID, so the form is fixed to the last quote.
///
/// Invariant: reading the text back yields the same options.
#include "script/config.hpp"
#include "script/schema.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::firmware {

namespace {

bool is_plain(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

/// Only '"' and '\' are escaped: a "${NAME}" in it is left for the device to expand.
std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    for (char const c : text) {
        if (c == '"' || c == '\\') {
            out.push_back('\\');
        }
        out.push_back(c);
    }
    out.push_back('"');
    return out;
}

std::string list_text(std::vector<std::string> const& values) {
    if (values.size() == 1) {
        return meta_conf_value(values.front());
    }
    std::string out = "{";
    for (auto const& value : values) {
        out += (out.size() > 1 ? "," : "") + meta_conf_value(value);
    }
    return out + "}";
}

void write_option(std::string& out, Section const& section, OptionSchema const& schema) {
    auto const* const option = section.find_option(schema.name);
    if (schema.in_meta_conf == InMetaConf::no || option == nullptr || option->values.empty()) {
        return;
    }
    switch (schema.type) {
    case OptionType::integer_list: {
        std::string list;
        for (auto const& value : option->values) {
            list += (list.empty() ? "" : ",") + value;
        }
        out += std::string(schema.name) + "=" + (option->values.size() == 1 ? list : "{" + list + "}") + "\n";
        return;
    }
    case OptionType::text:
    case OptionType::integer:
    case OptionType::boolean:
        break;
    }
    auto const& value = option->values.front();
    if (value.empty() || value == schema.default_value) {
        return;
    }
    out += std::string(schema.name) + "=" +
           (schema.type == OptionType::text ? meta_conf_value(value) : value) + "\n";
}

void write_calls(std::string& out, Section const& section) {
    if (section.calls.empty()) {
        return;
    }
    std::vector<std::string> words;
    for (auto const& call : section.calls) {
        words.push_back(std::to_string(call.words.size()));
        words.insert(words.end(), call.words.begin(), call.words.end());
    }
    out += section.schema->calls == CallKind::conditions ? "reqlist=" : "funlist=";
    out += list_text(words) + "\n";
}

void write_body(std::string& out, Section const& section);

void write_section(std::string& out, Section const& section) {
    std::string body;
    write_body(body, section);
    if (body.empty() && section.schema->name != "task") {
        return;
    }
    out += section.schema->name;
    if (section.schema->is_titled) {
        out += " " + in_quotes(section.title);
    }
    out += " {\n" + body + "}\n";
}

void write_body(std::string& out, Section const& section) {
    bool const calls_first = section.schema->calls == CallKind::conditions;
    if (calls_first) {
        write_calls(out, section);
    }
    for (auto const& schema : section.schema->options) {
        write_option(out, section, schema);
    }
    if (!calls_first) {
        write_calls(out, section);
    }
    for (auto const& schema : section.schema->sections) {
        for (auto const& child : section.sections) {
            if (child.schema == &schema) {
                write_section(out, child);
            }
        }
    }
}

} // namespace

std::string meta_conf_value(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_plain) ? std::string(text) : in_quotes(text);
}

std::string format_meta_conf(Section const& root) {
    std::string out;
    write_body(out, root);
    return out.empty() ? "# Empty file\n" : out;
}

} // namespace sinew::firmware
