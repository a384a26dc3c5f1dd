/// A file that appears under its name only when it is complete.
///
/// Invariant: until commit() the old file at that name is untouched; without commit() nothing is left behind.
/// Threading: belongs to one thread.
#pragma once

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <filesystem>
#include <utility>

namespace sinew::firmware {

class OutputFile {
public:
    /// Opens a temporary file in the folder of `path`. Errors: not_found, denied.
    [[nodiscard]] static Result<OutputFile> create(std::filesystem::path const& path);
    OutputFile(OutputFile&& other) noexcept
        : m_file(std::move(other.m_file))
        , m_temporary(std::exchange(other.m_temporary, {}))
        , m_path(std::move(other.m_path)) {}
    OutputFile& operator=(OutputFile&&) = delete;
    OutputFile(OutputFile const&) = delete;
    OutputFile& operator=(OutputFile const&) = delete;
    ~OutputFile();
    [[nodiscard]] FileDescriptor const& file() const noexcept { return m_file; }
    /// Syncs it and renames it over `path`.
    [[nodiscard]] Result<> commit();

private:
    OutputFile(FileDescriptor file, std::filesystem::path temporary, std::filesystem::path path)
        : m_file(std::move(file))
        , m_temporary(std::move(temporary))
        , m_path(std::move(path)) {}
    FileDescriptor m_file;
    std::filesystem::path m_temporary;
    std::filesystem::path m_path;
};

/// A file without a name, in the folder of `beside`; gone when closed.
[[nodiscard]] Result<FileDescriptor> unnamed_file(std::filesystem::path const& beside);

} // namespace sinew::firmware
