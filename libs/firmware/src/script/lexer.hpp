/// Splits the text of a script or of a meta.conf into words and symbols, and expands ${VARIABLES}.
///
/// Expansion happens as a word is read, because a define() above it must already have had its effect.
/// Invariant: a word is at most `largest_word` bytes, however its variables expand. Threading: belongs to one
/// thread.
#pragma once

#include "script/variables.hpp"

#include <sinew/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::firmware {

inline constexpr std::size_t largest_word = 1u << 20;

struct Position {
    /// Index of the file, in the order in which they were opened.
    int file = 0;
    int line = 1;
    int column = 1;
};

enum class TokenKind : std::uint8_t {
    word,
    open_brace,
    close_brace,
    open_paren,
    close_paren,
    assign,
    append,
    comma,
    end
};

struct Token {
    TokenKind kind = TokenKind::end;
    /// A word's text, expanded and without its quotes.
    std::string text;
    Position position;
};

/// What a token is called in an error text: "'{'", "the end of the file", "'some word'".
[[nodiscard]] std::string token_name(Token const& token);

class Lexer {
public:
    /// `text`, `file_name` (for errors) and `variables` are borrowed.
    Lexer(std::string_view text, std::string_view file_name, int file, Variables const& variables)
        : m_text(text)
        , m_file_name(file_name)
        , m_variables(variables)
        , m_position{file, 1, 1} {}

    /// Error invalid_argument: "file:line:column: ...".
    [[nodiscard]] Result<Token> next();
    [[nodiscard]] std::unexpected<Error> fail(Position const& where, std::string const& what) const;

private:
    [[nodiscard]] bool at_end() const noexcept { return m_at >= m_text.size(); }
    [[nodiscard]] char peek(std::size_t ahead = 0) const noexcept {
        return m_at + ahead < m_text.size() ? m_text[m_at + ahead] : '\0';
    }
    char take() noexcept;
    Result<> skip_space_and_comments();
    Result<> skip_block_comment();
    Result<Token> double_quoted(Token token);
    Result<Token> single_quoted(Token token);
    Result<Token> bare_word(Token token);
    Result<> escape(std::string& into);
    Result<> expand(std::string& into);
    [[nodiscard]] Result<> check_size(Token const& token) const;

    std::string_view m_text;
    std::string_view m_file_name;
    Variables const& m_variables;
    std::size_t m_at = 0;
    Position m_position;
};

} // namespace sinew::firmware
