// `sinew key`: signing keys and the development SSH key.
#include <sinew/tooling/command.hpp>
#include <sinew/tooling/context.hpp>
#include <sinew/tooling/keys.hpp>

#include <fmt/core.h>

#include <memory>

namespace sinew::tooling {

namespace {

struct Options {
    std::string name = std::string(development_key);
};

Result<int> generate(Context& context, std::string const& name) {
    TRY(auto const made, KeyStore(context.paths().home).generate(name));
    Console& console = context.console();
    std::string const public_text = made.key.public_key().base64();
    console.success(fmt::format("Made the signing key '{}'.", name));
    console.say(fmt::format("  private  {}   (keep it safe; it is in no backup but yours)\n  public   {}",
                            made.path.string(), public_text));
    console.result(
        object({{"name", name}, {"private_path", made.path.string()}, {"public_key", public_text}}));
    return 0;
}

Result<int> list(Context& context) {
    KeyStore const store(context.paths().home);
    Value::Array keys;
    for (std::string const& name : store.names()) {
        TRY(auto const key, store.public_key(name));
        context.console().say(fmt::format("{:<20} {}", name, key.base64()));
        keys.emplace_back(object({{"name", name}, {"public_key", key.base64()}}));
    }
    if (keys.empty()) {
        context.console().say("No signing keys yet: `sinew key generate` makes one, and so does the first "
                              "`sinew firmware`.");
    }
    context.console().result(object({{"keys", std::move(keys)}}));
    return 0;
}

Result<int> show(Context& context, std::string const& name) {
    TRY(auto const key, KeyStore(context.paths().home).public_key(name));
    context.console().say(key.base64());
    context.console().result(object({{"name", name}, {"public_key", key.base64()}}));
    return 0;
}

Result<int> ssh(Context& context) {
    TRY(auto const key, KeyStore(context.paths().home).ssh_key());
    context.console().say(key.public_line);
    context.console().result(
        object({{"private_path", key.private_path.string()}, {"public_key", key.public_line}}));
    return 0;
}

Argument name_argument(std::shared_ptr<Options> const& options, std::string help) {
    return {.names = "NAME", .target = &options->name, .help = std::move(help), .value_name = ""};
}

} // namespace

Command key_command() {
    auto options = std::make_shared<Options>();
    Command command{.name = "key",
                    .summary = "Make, list and show the keys that sign firmware and open devices"};
    command.examples = {
        {"sinew key generate production", "a new signing key"},
        {"sinew key list", "what keys there are"},
        {"sinew key show production", "the public key's text, for a device or a fleet server"},
        {"sinew key ssh", "the SSH key that devices under development let in"}};
    Command generate_one{.name = "generate",
                         .summary = "Make a signing key; an existing one is never overwritten"};
    generate_one.examples = {
        {"sinew key generate production", "keys/production.priv and .pub in $SINEW_HOME"}};
    generate_one.positionals = {name_argument(options, "Its name (default: development)")};
    generate_one.run = [options](Context& context) { return generate(context, options->name); };
    Command list_all{.name = "list", .summary = "List the signing keys"};
    list_all.examples = {{"sinew key list --json", "for scripts"}};
    list_all.run = list;
    Command show_one{.name = "show", .summary = "Print a signing key's public half"};
    show_one.examples = {{"sinew key show production > production.pub", "a file that verifies with"}};
    show_one.positionals = {name_argument(options, "Which key (default: development)")};
    show_one.run = [options](Context& context) { return show(context, options->name); };
    Command ssh_key{.name = "ssh",
                    .summary = "Print the development SSH key's public half, making the key if needed"};
    ssh_key.examples = {{"sinew key ssh", "a line for authorized_keys"}};
    ssh_key.run = ssh;
    command.subcommands = {generate_one, list_all, show_one, ssh_key};
    return command;
}

} // namespace sinew::tooling
