/// A small command line over libs/system, for system tests and for looking at what it makes.
///
///     system_tool build SYSTEMS TARGET [--locked]     assembles; prints the paths as JSON
///     system_tool layout SYSTEMS TARGET               the layout as Markdown
///
/// Threading: one thread.
#include <sinew/base/describe.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system.hpp>

#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace sinew::system;

struct Paths {
    std::string folder{};
    std::string key{};
    std::string kernel_release{};
    std::vector<std::string> early_modules{};
    std::vector<std::string> modules{};
};
BOOST_DESCRIBE_STRUCT(Paths, (), (folder, key, kernel_release, early_modules, modules))

sinew::Result<> build(Target const& target, LockPolicy policy) {
    BuildOptions options{.lock_policy = policy};
    options.on_notice = [](std::string const& text) { std::cerr << text << '\n'; };
    options.on_progress = [](BuildProgress const& progress) {
        std::cerr << progress.percent << "% " << progress.step << ' ' << progress.detail << '\n';
    };
    TRY(auto const built, build_system(target, options));
    std::cout << sinew::to_json(Paths{.folder = built.folder.string(),
                                      .key = built.key,
                                      .kernel_release = built.kernel_release,
                                      .early_modules = built.modules.early,
                                      .modules = built.modules.late},
                                sinew::JsonStyle::indented)
              << '\n';
    return {};
}

sinew::Result<> run(std::vector<std::string_view> const& arguments) {
    if (arguments.size() < 3) {
        return sinew::failure(sinew::ErrorCode::invalid_argument, "usage: system_tool build|layout SYSTEMS TARGET [--locked]");
    }
    TRY(auto const target, load_system(arguments[1], arguments[2]));
    if (arguments[0] == "build") {
        bool const locked = arguments.size() > 3 && arguments[3] == "--locked";
        return build(target, locked ? LockPolicy::locked : LockPolicy::update);
    }
    TRY(auto const layout, compute_layout(target.description));
    std::cout << layout_markdown(target.description, layout);
    return {};
}

} // namespace

int main(int count, char** values) {
    auto const result = run({values + 1, values + count});
    if (!result) {
        std::cerr << "system_tool: " << result.error().message() << '\n';
        return 1;
    }
    return 0;
}
