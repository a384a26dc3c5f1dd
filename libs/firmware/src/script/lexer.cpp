/// The words of the language, as libconfuse reads them.
#include "script/lexer.hpp"

#include <sinew/base/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::firmware {

namespace {

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Whether `c` goes on with a bare word; '/' and '*' depend on what follows and are handled by the caller.
bool is_bare(char c) {
    constexpr std::string_view not_bare = " #\"'\t\n\r={}()+,*";
    return !not_bare.contains(c) && c != '\0';
}

bool is_octal(char c) {
    return c >= '0' && c <= '7';
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

} // namespace

std::string token_name(Token const& token) {
    switch (token.kind) {
    case TokenKind::word:
        return "'" + token.text.substr(0, 60) + (token.text.size() > 60 ? "...'" : "'");
    case TokenKind::open_brace:
        return "'{'";
    case TokenKind::close_brace:
        return "'}'";
    case TokenKind::open_paren:
        return "'('";
    case TokenKind::close_paren:
        return "')'";
    case TokenKind::assign:
        return "'='";
    case TokenKind::append:
        return "'+='";
    case TokenKind::comma:
        return "','";
    case TokenKind::end:
        break;
    }
    return "the end of the file";
}

std::unexpected<Error> Lexer::fail(Position const& where, std::string const& what) const {
    return failure(ErrorCode::invalid_argument, std::string(m_file_name) + ":" + std::to_string(where.line) +
                                                    ":" + std::to_string(where.column) + ": " + what);
}

char Lexer::take() noexcept {
    char const c = m_text[m_at++];
    if (c == '\n') {
        ++m_position.line;
        m_position.column = 1;
    } else {
        ++m_position.column;
    }
    return c;
}

Result<> Lexer::skip_block_comment() {
    auto const start = m_position;
    take();
    take();
    while (!at_end()) {
        if (peek() == '*' && peek(1) == '/') {
            take();
            take();
            return {};
        }
        take();
    }
    return fail(start, "the comment that begins here has no end; close it with */");
}

Result<> Lexer::skip_space_and_comments() {
    while (!at_end()) {
        if (is_space(peek())) {
            take();
        } else if (peek() == '#' || (peek() == '/' && peek(1) == '/')) {
            while (!at_end() && peek() != '\n') {
                take();
            }
        } else if (peek() == '/' && peek(1) == '*') {
            TRY_OK(skip_block_comment());
        } else {
            break;
        }
    }
    return {};
}

Result<Token> Lexer::next() {
    TRY_OK(skip_space_and_comments());
    Token token;
    token.position = m_position;
    if (at_end()) {
        return token;
    }
    auto const symbol = [&](TokenKind kind) {
        take();
        token.kind = kind;
        return token;
    };
    switch (peek()) {
    case '{':
        return symbol(TokenKind::open_brace);
    case '}':
        return symbol(TokenKind::close_brace);
    case '(':
        return symbol(TokenKind::open_paren);
    case ')':
        return symbol(TokenKind::close_paren);
    case '=':
        return symbol(TokenKind::assign);
    case ',':
        return symbol(TokenKind::comma);
    case '+':
        if (peek(1) == '=') {
            take();
            return symbol(TokenKind::append);
        }
        return fail(m_position, "a lone '+'; write '+=' to append to a list");
    case '"':
        return double_quoted(std::move(token));
    case '\'':
        return single_quoted(std::move(token));
    default:
        return bare_word(std::move(token));
    }
}

Result<> Lexer::check_size(Token const& token) const {
    if (token.text.size() > largest_word) {
        return fail(token.position, "a text longer than 1 MiB; put it in a file and use host-path");
    }
    return {};
}

Result<> Lexer::expand(std::string& into) {
    auto const start = m_position;
    take();
    take();
    auto const close = m_text.find('}', m_at);
    if (close == std::string_view::npos) {
        return fail(start, "a '${' without its '}'");
    }
    auto name = m_text.substr(m_at, close - m_at);
    std::string_view fallback;
    if (auto const colon = name.find(':');
        colon != std::string_view::npos && name.substr(colon).starts_with(":-")) {
        fallback = name.substr(colon + 2);
        name = name.substr(0, colon);
    }
    while (m_at <= close) {
        take();
    }
    into += m_variables.get(name).value_or(std::string(fallback));
    return {};
}

Result<> Lexer::escape(std::string& into) {
    auto const start = m_position;
    take();
    if (at_end()) {
        return {}; // the caller reports the missing end of the text
    }
    if (is_octal(peek())) {
        int value = 0;
        for (int digits = 0; digits < 3 && is_octal(peek()); ++digits) {
            value = value * 8 + (take() - '0');
        }
        if (value > 0xFF) {
            return fail(start, "an octal escape above \\377");
        }
        into.push_back(static_cast<char>(value));
        return {};
    }
    char const c = take();
    constexpr std::string_view letters = "nrbfaetv";
    constexpr std::string_view meanings = "\n\r\b\f\a\033\t\v";
    if (auto const at = letters.find(c); at != std::string_view::npos) {
        into.push_back(meanings[at]);
    } else if (c == 'x' && hex_digit(peek()) >= 0) {
        int value = 0;
        for (int digits = 0; digits < 2 && hex_digit(peek()) >= 0; ++digits) {
            value = value * 16 + hex_digit(take());
        }
        into.push_back(static_cast<char>(value));
    } else if (c == '8' || c == '9') {
        return fail(start, std::string("an unknown escape '\\") + c + "'");
    } else if (c != '\n') { // a line that goes on: both characters vanish
        into.push_back(c);
    }
    return {};
}

Result<Token> Lexer::double_quoted(Token token) {
    token.kind = TokenKind::word;
    take();
    while (!at_end() && peek() != '"') {
        if (peek() == '\\') {
            TRY_OK(escape(token.text));
        } else if (peek() == '$' && peek(1) == '{') {
            TRY_OK(expand(token.text));
        } else {
            token.text.push_back(take());
        }
        TRY_OK(check_size(token));
    }
    if (at_end()) {
        return fail(token.position, "the text that begins here has no closing '\"'");
    }
    take();
    return token;
}

Result<Token> Lexer::single_quoted(Token token) {
    token.kind = TokenKind::word;
    take();
    while (!at_end() && peek() != '\'') {
        if (peek() == '\\' && (peek(1) == '\\' || peek(1) == '\'')) {
            take();
            token.text.push_back(take());
        } else if (peek() == '\\' && peek(1) == '\n') {
            take();
            take();
        } else {
            token.text.push_back(take());
        }
        TRY_OK(check_size(token));
    }
    if (at_end()) {
        return fail(token.position, "the text that begins here has no closing \"'\"");
    }
    take();
    return token;
}

Result<Token> Lexer::bare_word(Token token) {
    token.kind = TokenKind::word;
    if (peek() == '$' && peek(1) == '{') {
        TRY_OK(expand(token.text));
        TRY_OK(check_size(token));
        return token;
    }
    while (!at_end() && is_bare(peek())) {
        if (peek() == '/' && peek(1) == '*') {
            break; // "//" is a comment only where a word could begin: addresses have it in them
        }
        // `\$` protects from expansion at creation; without quotes the backslash only matters in front of
        // "${".
        if (peek() == '\\' && peek(1) == '$' && peek(2) == '{') {
            take();
            auto const close = m_text.find('}', m_at);
            if (close == std::string_view::npos) {
                return fail(m_position, "a '\\${' without its '}'");
            }
            while (m_at <= close) {
                token.text.push_back(take());
            }
            continue;
        }
        token.text.push_back(take());
        TRY_OK(check_size(token));
    }
    if (token.text.empty()) {
        return fail(token.position, std::string("unexpected character '") + peek() + "'");
    }
    return token;
}

} // namespace sinew::firmware
