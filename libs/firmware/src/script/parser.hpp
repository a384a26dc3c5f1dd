/// Reads an update script, or a meta.conf, into statements; defines and includes take effect on the way.
///
/// Invariant: bounded in files, nesting, statements and bytes, whatever the text says. Threading: belongs to
/// one thread.
#pragma once

#include "script/lexer.hpp"
#include "script/variables.hpp"

#include <sinew/base/result.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::firmware {

enum class StatementKind : std::uint8_t {
    assign,  ///< name = value, name = {a, b}
    append,  ///< name += {a, b}
    call,    ///< name(a, b)
    section, ///< name title { ... }
};

struct Statement {
    StatementKind kind = StatementKind::assign;
    std::string name;
    /// The value, the values of a list, or the arguments.
    std::vector<std::string> values;
    /// Whether an assignment was written with braces.
    bool is_list = false;
    std::optional<std::string> title;
    std::vector<Statement> body;
    Position position;
};

/// A parsed text with the names of its files, so that a later check can still say where something was
/// written.
struct Script {
    std::vector<std::string> file_names;
    /// The folder of each file, for host-path.
    std::vector<std::filesystem::path> folders;
    std::vector<Statement> statements;

    /// An error about the statement at `where`: "file:line:column: what".
    [[nodiscard]] std::unexpected<Error> fail(Position const& where, std::string const& what) const;
};

/// Whether define(), define-eval() and include() are carried out (an update script) or refused (a meta.conf,
/// which comes from outside and is complete in itself).
enum class Directives : std::uint8_t { followed, refused };

struct ParseOptions {
    Directives directives = Directives::refused;
    /// Called when a section is complete, before what follows it is read; may set variables.
    std::function<Result<>(Script const&, Statement const&)> on_section;
    /// Of what is accepted and looks like a mistake: "file:line:column: what".
    std::function<void(std::string const&)> on_warning;
};

/// `name` is for errors and, with Directives::followed, for the folder of relative names. Errors:
/// invalid_argument: "file:line:column: what is wrong"; not_found: an included file.
[[nodiscard]] Result<Script> parse_script(std::string_view text, std::filesystem::path const& name,
                                          Variables& variables, ParseOptions const& options);

} // namespace sinew::firmware
