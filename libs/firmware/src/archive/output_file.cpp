/// Write beside, sync, rename.
#include "archive/output_file.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace sinew::firmware {

namespace {

std::filesystem::path folder_of(std::filesystem::path const& path) {
    return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

} // namespace

Result<OutputFile> OutputFile::create(std::filesystem::path const& path) {
    auto name = (folder_of(path) / ("." + path.filename().string() + ".XXXXXX")).string();
    FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
    if (!file) {
        return std::unexpected(error_from_errno(errno, path.string() + ": can't write beside it"));
    }
    // mkostemp makes it 0600; an archive may be read by others.
    (void)::fchmod(file.get(), 0644);
    return OutputFile(std::move(file), name, path);
}

OutputFile::~OutputFile() {
    if (!m_temporary.empty()) {
        std::error_code ignored;
        std::filesystem::remove(m_temporary, ignored);
    }
}

Result<> OutputFile::commit() {
    TRY_OK(sync_file(m_file));
    if (::rename(m_temporary.c_str(), m_path.c_str()) != 0) {
        return std::unexpected(error_from_errno(errno, m_path.string() + ": can't be replaced"));
    }
    m_temporary.clear();
    TRY(auto const folder, open_file(folder_of(m_path), O_RDONLY | O_DIRECTORY));
    if (::fsync(folder.get()) != 0 && errno != EINVAL) {
        return std::unexpected(
            error_from_errno(errno, folder_of(m_path).string() + ": can't sync the folder"));
    }
    return {};
}

Result<FileDescriptor> unnamed_file(std::filesystem::path const& beside) {
    auto name = (folder_of(beside) / ("." + beside.filename().string() + ".spool.XXXXXX")).string();
    FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
    if (!file) {
        return std::unexpected(error_from_errno(errno, beside.string() + ": can't write beside it"));
    }
    ::unlink(name.c_str());
    return file;
}

} // namespace sinew::firmware
