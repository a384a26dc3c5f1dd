// `sinew completion`: scripts for bash, zsh and fish. See completion.hpp.
#include <sinew/tooling/completion.hpp>
#include <sinew/tooling/context.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <memory>

namespace sinew::tooling {

namespace {

constexpr std::string_view global_options = "--help --json --verbose";

/// "--output,-o" as "--output -o".
std::string spaced(std::string_view names) {
    std::string text(names);
    std::ranges::replace(text, ',', ' ');
    return text;
}

std::string long_name(std::string_view names) {
    return std::string(names.substr(0, names.find(',')));
}

bool takes_value(Argument const& argument) {
    return !std::holds_alternative<bool*>(argument.target);
}

/// The words that may follow `command`: subcommands, or options and fixed choices.
std::string words_of(Command const& command) {
    std::string words;
    for (Command const& inner : command.subcommands) {
        words += inner.name + " ";
    }
    for (Argument const& positional : command.positionals) {
        words += join(positional.choices, " ") + (positional.choices.empty() ? "" : " ");
    }
    for (Argument const& option : command.options) {
        words += spaced(option.names) + " ";
    }
    return words + std::string(global_options);
}

bool wants_files(Command const& command) {
    return std::ranges::any_of(command.positionals,
                               [](Argument const& a) { return a.completes == Completes::file; });
}

/// bash and zsh "case" arms: "key generate) words=...".
void add_arms(std::string& text, Command const& command, std::string const& path) {
    text += fmt::format("        '{}') words='{}'; files={} ;;\n", path, words_of(command),
                        wants_files(command) ? 1 : 0);
    for (Command const& inner : command.subcommands) {
        add_arms(text, inner, path + " " + inner.name);
    }
}

void add_value_arms(std::string& text, std::vector<Command> const& commands) {
    for (Command const& command : commands) {
        for (Argument const& option : command.options) {
            if (takes_value(option) && !option.choices.empty()) {
                text += fmt::format("        '{} {}') words='{}' ;;\n", command.name, long_name(option.names),
                                    join(option.choices, " "));
            }
        }
        add_value_arms(text, command.subcommands);
    }
}

std::string names_of(std::vector<Command> const& commands) {
    std::string names;
    for (Command const& command : commands) {
        names += command.name + " ";
    }
    return names;
}

std::string fish_quoted(std::string_view text) {
    std::string quoted = "'";
    for (char const c : text) {
        quoted += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    }
    return quoted + "'";
}

std::string fish_options(std::string const& condition, Command const& command) {
    std::string text;
    for (Argument const& option : command.options) {
        text += fmt::format("complete -c sinew -n {} -l {} -d {}{}\n", fish_quoted(condition),
                            long_name(option.names).substr(2), fish_quoted(option.help),
                            option.completes == Completes::file || option.completes == Completes::folder
                                ? " -r -F"
                            : takes_value(option) ? " -x"
                                                  : "");
    }
    return text;
}

Result<int> print(Context& context, std::string const& shell) {
    auto const commands = all_commands();
    std::string const script = shell == "bash"  ? bash_completion(commands)
                               : shell == "zsh" ? zsh_completion(commands)
                                                : fish_completion(commands);
    context.console().say(script);
    context.console().result(object({{"shell", shell}, {"script", script}}));
    return 0;
}

} // namespace

std::string bash_completion(std::vector<Command> const& commands) {
    std::string text =
        "# Completion of sinew for bash:  source <(sinew completion bash)\n"
        "_sinew() {\n"
        "    local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
        "    local path='' words='' files=0 word\n"
        "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
        "        [[ $word == -* ]] || { [[ -z $path ]] && path=$word || path=\"$path $word\"; }\n"
        "    done\n"
        "    case \"$path\" in\n";
    text += fmt::format("        '') words='{}--version {}' ;;\n", names_of(commands), global_options);
    for (Command const& command : commands) {
        add_arms(text, command, command.name);
    }
    text += "        *) files=1 ;;\n"
            "    esac\n"
            "    case \"${COMP_WORDS[1]} $previous\" in\n";
    add_value_arms(text, commands);
    text +=
        "        *) [[ $previous == -* && $previous != --verbose && $previous != --json ]] && files=1 ;;\n"
        "    esac\n"
        "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
        "    if [[ $files == 1 ]]; then\n"
        "        mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- \"$current\")\n"
        "    fi\n"
        "}\n"
        "complete -o filenames -F _sinew sinew";
    return text;
}

std::string zsh_completion(std::vector<Command> const& commands) {
    std::string text = "#compdef sinew\n"
                       "# Completion of sinew for zsh:  source <(sinew completion zsh)\n"
                       "_sinew() {\n"
                       "    local chosen='' offered='' files=0 word\n"
                       "    for word in \"${(@)words[2,CURRENT-1]}\"; do\n"
                       "        [[ $word == -* ]] || chosen=\"${chosen:+$chosen }$word\"\n"
                       "    done\n"
                       "    case \"$chosen\" in\n";
    std::string arms =
        fmt::format("        '') words='{}--version {}'; files=0 ;;\n", names_of(commands), global_options);
    for (Command const& command : commands) {
        add_arms(arms, command, command.name);
    }
    // zsh keeps the command line itself in `words`.
    for (std::size_t at = 0; (at = arms.find(" words='", at)) != std::string::npos;) {
        arms.replace(at, 8, " offered='");
    }
    text += arms;
    text += "        *) files=1 ;;\n"
            "    esac\n"
            "    compadd -- ${=offered}\n"
            "    (( files )) && _files\n"
            "}\n"
            "compdef _sinew sinew";
    return text;
}

std::string fish_completion(std::vector<Command> const& commands) {
    std::string text = "# Completion of sinew for fish:  sinew completion fish | source\n"
                       "complete -c sinew -f\n"
                       "complete -c sinew -l json -d 'Print one JSON object for scripts'\n"
                       "complete -c sinew -s v -l verbose -d 'Say more'\n"
                       "complete -c sinew -s h -l help -d 'Print help'\n";
    for (Command const& command : commands) {
        std::string const seen = "__fish_seen_subcommand_from " + command.name;
        text += fmt::format("complete -c sinew -n __fish_use_subcommand -a {} -d {}\n", command.name,
                            fish_quoted(command.summary));
        for (Command const& inner : command.subcommands) {
            text += fmt::format("complete -c sinew -n {} -a {} -d {}\n", fish_quoted(seen), inner.name,
                                fish_quoted(inner.summary));
            text += fish_options(seen + "; and __fish_seen_subcommand_from " + inner.name, inner);
        }
        for (Argument const& positional : command.positionals) {
            if (!positional.choices.empty()) {
                text += fmt::format("complete -c sinew -n {} -a {}\n", fish_quoted(seen),
                                    fish_quoted(join(positional.choices, " ")));
            }
        }
        if (wants_files(command)) {
            text += fmt::format("complete -c sinew -n {} -F\n", fish_quoted(seen));
        }
        text += fish_options(seen, command);
    }
    text.pop_back();
    return text;
}

Command completion_command() {
    auto shell = std::make_shared<std::string>();
    Command command{.name = "completion", .summary = "Print a completion script for a shell"};
    command.examples = {{"source <(sinew completion bash)", "for this bash"},
                        {"sinew completion fish | source", "for this fish"}};
    command.positionals = {{.names = "SHELL",
                            .target = shell.get(),
                            .help = "bash, zsh or fish",

                            .choices = {"bash", "zsh", "fish"},
                            .required = true}};
    command.run = [shell](Context& context) { return print(context, *shell); };
    return command;
}

} // namespace sinew::tooling
