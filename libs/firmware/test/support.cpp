#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace sinew::firmware::test {

Bytes noise(std::size_t size, std::uint32_t seed) {
    Bytes bytes(size);
    std::uint64_t state = seed * 0x9E3779B97F4A7C15ull + 1;
    for (auto& byte : bytes) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        byte = static_cast<std::byte>(state >> 32);
    }
    return bytes;
}

Bytes old_content() {
    auto content = noise(700'000, 5);
    for (std::size_t i = 0; i < 30'000; ++i) {
        auto const line = "line " + std::to_string(i * 7919 % 10'007) + " of the text\n";
        auto const bytes = as_bytes(line);
        content.insert(content.end(), bytes.begin(), bytes.end());
    }
    return content;
}

Bytes new_version(BytesView old) {
    Bytes content(old.begin(), old.end());
    for (std::size_t at = 10'000; at < content.size(); at += 97'000) {
        content[at] ^= std::byte{0x40};
    }
    auto const added = noise(3'000, 6);
    content.insert(content.begin() + 200'000, added.begin(), added.end());
    content.erase(content.begin() + 400'000, content.begin() + 401'111);
    std::rotate(content.begin() + 500'000, content.begin() + 560'000, content.begin() + 640'000);
    return content;
}

std::string tool(std::vector<std::string> const& arguments, std::optional<std::string> const& input) {
    CommandOptions options;
    options.input = input;
    auto const result = run_command(arguments, options);
    if (!result) {
        throw std::runtime_error(result.error().message());
    }
    if (result->status != 0) {
        throw std::runtime_error(arguments[0] + " failed: " + result->output + result->error_output);
    }
    return result->output + result->error_output;
}

void Workshop::write(std::string const& name, BytesView content) const {
    must(write_file_atomically(path(name), content));
}

Bytes Workshop::read(std::string const& name) const {
    return must(read_file(path(name), 256u << 20));
}

CreateOptions Workshop::options(std::string const& script) const {
    CreateOptions options;
    options.script = path("fwup.conf");
    options.script_text = script;
    options.output = path("out.fw");
    options.process_environment = ProcessEnvironment::ignored;
    options.variables["SOURCE_DATE_EPOCH"] = "1700000000";
    options.compression_level = 1;
    return options;
}

Bytes Workshop::archive(std::string const& script, std::optional<PrivateKey> const& key) const {
    auto create_options = options(script);
    create_options.private_key = key;
    must(create_archive(create_options));
    return read("out.fw");
}

Result<CreateReport> Workshop::create(std::string const& script) const {
    return create_archive(options(script));
}

Result<ApplyReport> apply(BytesView archive, BlockDevice& disk, ApplyOptions options) {
    FakeSystem const nothing_mounted;
    if (options.running_system == nullptr) {
        options.running_system = &nothing_mounted;
    }
    MemoryInput input(archive);
    return apply_archive(input, disk, options);
}

Result<MountSource> FakeSystem::mount_source(std::filesystem::path const& path) const {
    auto const found = mounts.find(path.string());
    if (found == mounts.end()) {
        return failure(ErrorCode::not_found, path.string() + ": isn't mounted");
    }
    return found->second;
}

bool FakeSystem::is_path_on_device(std::filesystem::path const& path,
                                   std::filesystem::path const& device) const {
    return mounts.contains(path.string()) && device == "/dev/root";
}

std::optional<std::uint64_t> FakeSystem::ubi_volume_bytes(std::filesystem::path const& volume) const {
    auto const found = ubi_volumes.find(volume.string());
    return found == ubi_volumes.end() ? std::nullopt : std::optional(found->second);
}

Bytes bytes_at(BlockDevice& disk, std::uint64_t block, std::size_t count) {
    Bytes bytes(count);
    must(disk.read_at(block * block_size_bytes, bytes));
    return bytes;
}

std::string patched_from_file(std::uint64_t fat_block, std::string const& path) {
    return "delta-source-fat-offset = " + std::to_string(fat_block) + " delta-source-fat-path = " + path +
           " ";
}

std::string patched_from_blocks(std::uint64_t first_block, std::uint64_t block_count) {
    return "delta-source-raw-offset = " + std::to_string(first_block) +
           " delta-source-raw-count = " + std::to_string(block_count) + " ";
}

} // namespace sinew::firmware::test
