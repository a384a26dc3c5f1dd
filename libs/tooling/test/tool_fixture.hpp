// What most tests of the tool need: a folder of their own, a console whose words can be read, and a Context.
#pragma once

#include <sinew/base/file.hpp>
#include <sinew/tooling/console.hpp>
#include <sinew/tooling/context.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::tooling {

class ToolFixture : public ::testing::Test {
protected:
    ToolFixture()
        : m_folder(*TemporaryDirectory::create("sinew-tooling-test"))
        , m_output(std::tmpfile())
        , m_diagnostics(std::tmpfile())
        , m_console(m_output, m_diagnostics, {})
        , m_context(m_console, {.root = SINEW_SOURCE_TREE,
                                .home = m_folder.path() / "home",
                                .cache = m_folder.path() / "cache"}) {}
    ~ToolFixture() override {
        std::fclose(m_output);
        std::fclose(m_diagnostics);
    }

public:
    ToolFixture(ToolFixture const&) = delete;
    ToolFixture& operator=(ToolFixture const&) = delete;
    ToolFixture(ToolFixture&&) = delete;
    ToolFixture& operator=(ToolFixture&&) = delete;

protected:
    [[nodiscard]] std::filesystem::path const& folder() const { return m_folder.path(); }
    [[nodiscard]] Context& context() { return m_context; }
    [[nodiscard]] Console& console() { return m_console; }
    [[nodiscard]] std::FILE* output_stream() const { return m_output; }
    [[nodiscard]] std::FILE* diagnostics_stream() const { return m_diagnostics; }
    [[nodiscard]] std::string said() const { return text_of(m_output); }
    [[nodiscard]] std::string warned() const { return text_of(m_diagnostics); }

    /// Writes a file below folder(), with the folders it needs.
    std::filesystem::path write(std::filesystem::path const& name, std::string_view text,
                                mode_t mode = 0644) {
        std::filesystem::path const path = folder() / name;
        std::filesystem::create_directories(path.parent_path());
        EXPECT_TRUE(write_file_atomically(path, as_bytes(text), mode).has_value()) << path;
        return path;
    }

private:
    static std::string text_of(std::FILE* stream) {
        std::fflush(stream);
        std::rewind(stream);
        std::string text;
        for (int c = std::fgetc(stream); c != EOF; c = std::fgetc(stream)) {
            text += static_cast<char>(c);
        }
        return text;
    }

    TemporaryDirectory m_folder;
    std::FILE* m_output;
    std::FILE* m_diagnostics;
    Console m_console;
    Context m_context;
};

} // namespace sinew::tooling
