/// What the tests of libs/firmware share: archives from script text, and the real tools they are compared
/// with.
///
/// Threading: one thread.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::firmware::test {

/// The value of a Result that must be good; otherwise the test fails by an exception.
template<typename T>
T must(Result<T> result) {
    if (!result) {
        throw std::runtime_error(result.error().message());
    }
    return *std::move(result);
}
inline void must(Result<> result) {
    if (!result) {
        throw std::runtime_error(result.error().message());
    }
}

/// The message of a Result that must be an error.
template<typename T>
std::string message_of(Result<T> const& result) {
    return result ? "(no error)" : result.error().message();
}

/// Bytes that don't compress and differ from seed to seed.
[[nodiscard]] Bytes noise(std::size_t size, std::uint32_t seed);

/// Bytes as a root file system has them (text, code-like, noise), about 1.5 MB, and what a new version of
/// them is: something changed, added, removed and moved.
[[nodiscard]] Bytes old_content();
[[nodiscard]] Bytes new_version(BytesView old);

/// Output of a real tool, standard error included; throws (and so fails the test) if it is missing or fails.
std::string tool(std::vector<std::string> const& arguments,
                 std::optional<std::string> const& input = std::nullopt);

/// A folder with files and archives in it.
class Workshop {
public:
    Workshop()
        : m_folder(must(TemporaryDirectory::create("sinew-firmware"))) {}
    [[nodiscard]] std::filesystem::path path(std::string const& name) const { return m_folder.path() / name; }
    [[nodiscard]] std::string text_path(std::string const& name) const { return path(name).string(); }
    void write(std::string const& name, BytesView content) const;
    void write(std::string const& name, std::string_view content) const { write(name, as_bytes(content)); }
    [[nodiscard]] Bytes read(std::string const& name) const;
    [[nodiscard]] CreateOptions options(std::string const& script) const;
    /// The archive that `script` makes.
    [[nodiscard]] Bytes archive(std::string const& script,
                                std::optional<PrivateKey> const& key = std::nullopt) const;
    [[nodiscard]] Result<CreateReport> create(std::string const& script) const;

private:
    TemporaryDirectory m_folder;
};

/// Applies `options.task` of an archive in memory; nothing is mounted unless the options say so.
Result<ApplyReport> apply(BytesView archive, BlockDevice& disk, ApplyOptions options);

/// Nothing is mounted but what a test says.
class FakeSystem final : public RunningSystem {
public:
    std::map<std::string, MountSource> mounts;
    std::map<std::string, std::uint64_t> ubi_volumes;
    [[nodiscard]] Result<MountSource> mount_source(std::filesystem::path const& path) const override;
    [[nodiscard]] bool is_path_on_device(std::filesystem::path const& path,
                                         std::filesystem::path const& device) const override;
    [[nodiscard]] std::optional<std::uint64_t>
    ubi_volume_bytes(std::filesystem::path const& volume) const override;
};

/// `count` bytes of a disk from a block on.
[[nodiscard]] Bytes bytes_at(BlockDevice& disk, std::uint64_t block, std::size_t count);

/// What a script says of the old content that a patch needs: a file in a FAT file system, or blocks.
[[nodiscard]] std::string patched_from_file(std::uint64_t fat_block, std::string const& path);
[[nodiscard]] std::string patched_from_blocks(std::uint64_t first_block, std::uint64_t block_count);

} // namespace sinew::firmware::test
