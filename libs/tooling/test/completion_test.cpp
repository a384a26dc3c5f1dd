#include <sinew/base/command.hpp>
#include <sinew/tooling/completion.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sinew::tooling {
namespace {

using ::testing::HasSubstr;

/// What bash offers for a command line whose last word is being typed.
std::string offered(std::vector<std::string> const& words) {
    std::string script = bash_completion(all_commands()) + "\nCOMP_WORDS=(";
    for (std::string const& word : words) {
        script += "'" + word + "' ";
    }
    script += ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_sinew\nprintf '%s ' \"${COMPREPLY[@]}\"\n";
    CommandOptions options;
    options.input = script;
    auto const result = run_checked({"bash", "--norc"}, options);
    return result ? *result : "error: " + result.error().message();
}

TEST(BashCompletion, offers_commands_subcommands_and_options) {
    EXPECT_THAT(offered({"sinew", ""}),
                HasSubstr("new run test firmware burn emulate upload observe top key"));
    EXPECT_EQ(offered({"sinew", "fi"}), "firmware ");
    EXPECT_EQ(offered({"sinew", "key", "gen"}), "generate ");
    EXPECT_EQ(offered({"sinew", "burn", "--er"}), "--erase ");
}

TEST(BashCompletion, offers_the_values_an_option_takes) {
    EXPECT_EQ(offered({"sinew", "emulate", "--accel", ""}), "auto kvm tcg ");
    EXPECT_EQ(offered({"sinew", "completion", "z"}), "zsh ");
}

TEST(ZshAndFishCompletion, mention_every_command) {
    auto const commands = all_commands();
    for (Command const& command : commands) {
        EXPECT_THAT(zsh_completion(commands), HasSubstr("'" + command.name + "')"));
        EXPECT_THAT(fish_completion(commands), HasSubstr("-a " + command.name + " -d "));
    }
}

TEST(Commands, all_have_a_summary_examples_and_help_for_each_argument) {
    std::vector<Command> pending = all_commands();
    while (!pending.empty()) {
        Command const command = pending.back();
        pending.pop_back();
        EXPECT_FALSE(command.summary.empty()) << command.name;
        EXPECT_FALSE(command.examples.empty()) << command.name;
        EXPECT_TRUE(command.run || !command.subcommands.empty()) << command.name;
        for (Argument const& option : command.options) {
            EXPECT_FALSE(option.help.empty()) << command.name << " " << option.names;
        }
        pending.insert(pending.end(), command.subcommands.begin(), command.subcommands.end());
    }
}

} // namespace
} // namespace sinew::tooling
