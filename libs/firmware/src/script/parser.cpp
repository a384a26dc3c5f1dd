/// A recursive-descent parser that knows no option names: what a name means is the schema's business.
///
/// Invariant: every loop consumes a token, every recursion is counted. Threading: belongs to one thread.
#include "script/parser.hpp"

#include "script/expression.hpp"
#include "script/lexer.hpp"
#include "script/variables.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr std::size_t largest_file = 4u << 20;
constexpr int deepest_include = 10;
constexpr std::size_t most_files = 256;
constexpr int deepest_section = 8;
constexpr std::size_t most_statements = 20'000;
constexpr std::size_t most_values = 20'000;
constexpr std::size_t most_bytes = 16u << 20;

class Parser {
public:
    Parser(Variables& variables, ParseOptions const& options)
        : m_variables(variables)
        , m_options(options) {}

    Result<Script> run(std::string_view text, std::filesystem::path const& name) {
        std::vector<Statement> statements;
        TRY_OK(parse_file(text, name, 0, 0, statements));
        m_script.statements = std::move(statements);
        return std::move(m_script);
    }

private:
    /// The text of one file, its statements put behind those of `into`.
    Result<> parse_file(std::string_view text, std::filesystem::path const& name, int include_depth,
                        int section_depth, std::vector<Statement>& into) {
        int const file = static_cast<int>(m_script.file_names.size());
        m_script.file_names.push_back(name.string());
        m_script.folders.push_back(name.parent_path());
        Lexer lexer(text, name.native(), file, m_variables);
        return parse_body(lexer, include_depth, section_depth, TokenKind::end, into);
    }

    Result<> parse_body(Lexer& lexer, int include_depth, int section_depth, TokenKind last,
                        std::vector<Statement>& into) {
        while (true) {
            TRY(auto token, lexer.next());
            if (token.kind == last) {
                return {};
            }
            if (token.kind == TokenKind::end && include_depth == 0) {
                // The original takes a section that the file ends in as closed there.
                if (m_options.on_warning) {
                    m_options.on_warning(lexer.fail(token.position, "a '}' is missing at the end of the file")
                                             .error()
                                             .message());
                }
                return {};
            }
            if (token.kind != TokenKind::word) {
                return lexer.fail(token.position,
                                  "expected the name of an option, a function or a section, found " +
                                      token_name(token));
            }
            TRY(auto statement, parse_statement(lexer, std::move(token), include_depth, section_depth));
            if (statement.kind == StatementKind::call) {
                TRY(bool const done, follow_directive(lexer, statement, include_depth, section_depth, into));
                if (done) {
                    continue;
                }
            }
            TRY_OK(count(lexer, statement));
            into.push_back(std::move(statement));
            if (into.back().kind == StatementKind::section && m_options.on_section) {
                TRY_OK(m_options.on_section(m_script, into.back()));
            }
        }
    }

    Result<> count(Lexer const& lexer, Statement const& statement) {
        m_bytes += statement.name.size() + statement.title.value_or("").size();
        for (auto const& value : statement.values) {
            m_bytes += value.size();
        }
        m_values += statement.values.size();
        if (++m_statements > most_statements || m_values > most_values || m_bytes > most_bytes) {
            return lexer.fail(statement.position,
                              "the script is too large: at most 20000 statements and values and "
                              "16 MiB of text are read");
        }
        return {};
    }

    Result<Statement> parse_statement(Lexer& lexer, Token name, int include_depth, int section_depth) {
        Statement statement;
        statement.name = std::move(name.text);
        statement.position = name.position;
        TRY(auto token, lexer.next());
        switch (token.kind) {
        case TokenKind::assign:
        case TokenKind::append:
            statement.kind = token.kind == TokenKind::assign ? StatementKind::assign : StatementKind::append;
            TRY_OK(parse_value(lexer, statement));
            return statement;
        case TokenKind::open_paren:
            statement.kind = StatementKind::call;
            TRY_OK(parse_list(lexer, statement, TokenKind::close_paren, "')'"));
            return statement;
        case TokenKind::word: {
            statement.title = std::move(token.text);
            TRY(auto brace, lexer.next());
            if (brace.kind != TokenKind::open_brace) {
                return lexer.fail(brace.position, "expected '{' after '" + statement.name + " " +
                                                      *statement.title + "', found " + token_name(brace));
            }
            [[fallthrough]];
        }
        case TokenKind::open_brace:
            statement.kind = StatementKind::section;
            if (section_depth >= deepest_section) {
                return lexer.fail(statement.position, "sections are nested too deeply");
            }
            TRY_OK(
                parse_body(lexer, include_depth, section_depth + 1, TokenKind::close_brace, statement.body));
            return statement;
        default:
            return lexer.fail(token.position, "expected '=', '(' or '{' after '" + statement.name +
                                                  "', found " + token_name(token));
        }
    }

    Result<> parse_value(Lexer& lexer, Statement& statement) {
        TRY(auto token, lexer.next());
        if (token.kind == TokenKind::word) {
            statement.values.push_back(std::move(token.text));
            return {};
        }
        if (token.kind == TokenKind::open_brace) {
            statement.is_list = true;
            return parse_list(lexer, statement, TokenKind::close_brace, "'}'");
        }
        return lexer.fail(token.position,
                          "expected a value for '" + statement.name + "', found " + token_name(token));
    }

    /// `a, b, c` up to and with `close`. A comma before it is accepted, as libconfuse does.
    Result<> parse_list(Lexer& lexer, Statement& statement, TokenKind close,
                        std::string const& close_name) const {
        while (true) {
            TRY(auto token, lexer.next());
            if (token.kind == close) {
                return {};
            }
            if (token.kind != TokenKind::word) {
                return lexer.fail(token.position, "expected a value or " + close_name + " in '" +
                                                      statement.name + "', found " + token_name(token));
            }
            statement.values.push_back(std::move(token.text));
            if (statement.values.size() > most_values) {
                return lexer.fail(token.position, "too many values");
            }
            TRY(auto separator, lexer.next());
            if (separator.kind == close) {
                return {};
            }
            if (separator.kind != TokenKind::comma) {
                return lexer.fail(separator.position, "expected ',' or " + close_name + " in '" +
                                                          statement.name + "', found " +
                                                          token_name(separator));
            }
        }
    }

    /// Carries out define(), define-eval() and include(); true if `call` was one of them.
    Result<bool> follow_directive(Lexer const& lexer, Statement const& call, int include_depth,
                                  int section_depth, std::vector<Statement>& into) {
        auto const& name = call.name;
        bool const is_include = name == "include";
        bool const is_define = name.starts_with("define");
        if (!is_include && !is_define) {
            return false;
        }
        if (m_options.directives == Directives::refused) {
            return lexer.fail(call.position, name + "() has no place in a finished meta.conf");
        }
        if (is_include) {
            TRY_OK(include(lexer, call, include_depth, section_depth, into));
            return true;
        }
        if (name != "define" && name != "define!" && name != "define-eval" && name != "define-eval!") {
            return false;
        }
        TRY_OK(define(lexer, call));
        return true;
    }

    Result<> define(Lexer const& lexer, Statement const& call) {
        if (call.values.size() != 2 || call.values[0].empty()) {
            return lexer.fail(call.position, call.name + "() takes a name and a value");
        }
        auto value = call.values[1];
        if (call.name.starts_with("define-eval")) {
            auto evaluated = evaluate_expression(value);
            if (!evaluated) {
                return lexer.fail(call.position, evaluated.error().message());
            }
            value = std::to_string(*evaluated);
        }
        if (call.name.ends_with('!') || !m_variables.get(call.values[0])) {
            m_variables.set(call.values[0], std::move(value));
        }
        return {};
    }

    Result<> include(Lexer const& lexer, Statement const& call, int include_depth, int section_depth,
                     std::vector<Statement>& into) {
        if (call.values.size() != 1 || call.values[0].empty()) {
            return lexer.fail(call.position, "include() takes one file name");
        }
        if (include_depth >= deepest_include || m_script.file_names.size() >= most_files) {
            return lexer.fail(call.position, "files include each other too deeply; is there a circle?");
        }
        auto const path = m_script.folders[static_cast<std::size_t>(call.position.file)] /
                          std::filesystem::path(call.values[0]);
        auto text = read_text_file(path, largest_file);
        if (!text) {
            auto const code = text.error().code();
            return failure(code, lexer.fail(call.position, text.error().message()).error().message());
        }
        return parse_file(*text, path, include_depth + 1, section_depth, into);
    }

    Variables& m_variables;
    ParseOptions const& m_options;
    Script m_script;
    std::size_t m_statements = 0;
    std::size_t m_values = 0;
    std::size_t m_bytes = 0;
};

} // namespace

std::unexpected<Error> Script::fail(Position const& where, std::string const& what) const {
    auto const file = static_cast<std::size_t>(where.file);
    auto const& name = file < file_names.size() ? file_names[file] : std::string();
    return failure(ErrorCode::invalid_argument, name + ":" + std::to_string(where.line) + ":" +
                                                    std::to_string(where.column) + ": " + what);
}

Result<Script> parse_script(std::string_view text, std::filesystem::path const& name, Variables& variables,
                            ParseOptions const& options) {
    return Parser(variables, options).run(text, name);
}

} // namespace sinew::firmware
