/// Encodes, decodes, loads and saves environments.
#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/uboot_environment.hpp>

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::firmware {

namespace {

constexpr std::size_t crc_size = 4;

std::uint32_t crc_of(BytesView bytes) {
    return static_cast<std::uint32_t>(
        crc32_z(0, reinterpret_cast<unsigned char const*>(bytes.data()), bytes.size()));
}

/// Whether the copy with flag `second` is newer than the one with flag `first`; they wrap around.
bool is_second_newer(std::uint8_t first, std::uint8_t second) {
    auto const difference = static_cast<std::uint8_t>(second - first);
    return difference >= 1 && difference <= 127;
}

Result<DecodedEnvironment> load_copy(BlockDevice& disk, std::uint64_t block, std::uint32_t count,
                                     EnvironmentFlag flag) {
    Bytes bytes(count * block_size_bytes);
    TRY_OK(disk.read_at(block * block_size_bytes, bytes));
    return decode_environment(bytes, flag);
}

Result<> check_layout(EnvironmentLayout const& layout) {
    if (layout.block_count < 1 || layout.block_count > 65534) {
        return failure(ErrorCode::invalid_argument, "an environment must have 1 to 65534 blocks, not " +
                                                        std::to_string(layout.block_count));
    }
    return {};
}

} // namespace

Result<Bytes> encode_environment(std::map<std::string, std::string> const& variables, std::size_t size_bytes,
                                 std::optional<std::uint8_t> flag) {
    std::string text;
    for (auto const& [name, value] : variables) { // std::map sorts by byte value
        text.append(name).append("=").append(value) += '\0';
    }
    text += '\0';
    auto const header = crc_size + (flag ? 1 : 0);
    if (text.size() > size_bytes - std::min(header, size_bytes)) {
        return failure(ErrorCode::no_space, "the environment needs " + std::to_string(header + text.size()) +
                                                " bytes, but has " + std::to_string(size_bytes) +
                                                "; remove variables or give it more blocks");
    }
    Bytes bytes(size_bytes, std::byte{0xFF});
    if (flag) {
        bytes[crc_size] = std::byte{*flag};
    }
    std::ranges::copy(as_bytes(text), bytes.begin() + static_cast<std::ptrdiff_t>(header));
    store_le32(bytes, 0, crc_of(BytesView(bytes).subspan(header)));
    return bytes;
}

Result<DecodedEnvironment> decode_environment(BytesView bytes, EnvironmentFlag flag) {
    auto const header = crc_size + (flag == EnvironmentFlag::present ? 1 : 0);
    if (bytes.size() <= header || load_le32(bytes, 0) != crc_of(bytes.subspan(header))) {
        return failure(ErrorCode::corrupt,
                       "the environment's checksum is wrong; it was never written, or is damaged");
    }
    DecodedEnvironment decoded;
    decoded.flag = flag == EnvironmentFlag::present ? std::to_integer<std::uint8_t>(bytes[crc_size]) : 0;
    auto text = as_text(bytes.subspan(header));
    while (!text.empty() && text.front() != '\0') {
        auto const end = text.find('\0');
        if (end == std::string_view::npos) {
            return failure(ErrorCode::corrupt, "the environment has no end; it is damaged");
        }
        auto const variable = text.substr(0, end);
        auto const equals = variable.find('=');
        if (equals == std::string_view::npos || equals == 0) {
            return failure(ErrorCode::corrupt,
                           "the environment has an entry that isn't NAME=VALUE; it is damaged");
        }
        decoded.variables.insert_or_assign(std::string(variable.substr(0, equals)),
                                           std::string(variable.substr(equals + 1)));
        text.remove_prefix(end + 1);
    }
    return decoded;
}

Result<UbootEnvironment> UbootEnvironment::load(BlockDevice& disk, EnvironmentLayout const& layout) {
    TRY_OK(check_layout(layout));
    UbootEnvironment environment(layout);
    auto const flag = layout.redundant_block_offset ? EnvironmentFlag::present : EnvironmentFlag::absent;
    auto first = load_copy(disk, layout.block_offset, layout.block_count, flag);
    if (!layout.redundant_block_offset) {
        if (!first) {
            return std::unexpected(std::move(first).error());
        }
        environment.m_variables = std::move(first->variables);
        environment.m_read_from = Copy::first;
        return environment;
    }
    auto second = load_copy(disk, *layout.redundant_block_offset, layout.block_count, flag);
    if (!first && !second) {
        return std::unexpected(std::move(first).error());
    }
    bool const use_second = second && (!first || is_second_newer(first->flag, second->flag));
    auto& chosen = use_second ? *second : *first;
    environment.m_variables = std::move(chosen.variables);
    environment.m_flag = chosen.flag;
    environment.m_read_from = use_second ? Copy::second : Copy::first;
    return environment;
}

std::optional<std::string> UbootEnvironment::get(std::string_view name) const {
    auto const found = m_variables.find(std::string(name));
    return found == m_variables.end() ? std::nullopt : std::optional(found->second);
}

Result<> UbootEnvironment::set(std::string_view name, std::string_view value) {
    if (name.empty() || name.contains('=') || name.contains('\0') || value.contains('\0')) {
        return failure(ErrorCode::invalid_argument,
                       "'" + std::string(name.substr(0, 60)) +
                           "' can't be set: a name must not be empty or have '=' in it, "
                           "and neither it nor the value may have a NUL");
    }
    m_variables.insert_or_assign(std::string(name), std::string(value));
    return {};
}

void UbootEnvironment::unset(std::string_view name) {
    m_variables.erase(std::string(name));
}

Result<> UbootEnvironment::save(BlockDevice& disk) {
    TRY_OK(check_layout(m_layout));
    auto const size = m_layout.block_count * block_size_bytes;
    if (!m_layout.redundant_block_offset) {
        TRY(auto const bytes, encode_environment(m_variables, size, std::nullopt));
        TRY_OK(disk.write_at(m_layout.block_offset * block_size_bytes, bytes));
        m_read_from = Copy::first;
        return {};
    }
    ++m_flag;
    TRY(auto const bytes, encode_environment(m_variables, size, m_flag));
    if (m_read_from != Copy::second) {
        TRY_OK(disk.write_at(*m_layout.redundant_block_offset * block_size_bytes, bytes));
    }
    if (m_read_from == Copy::none) {
        TRY_OK(disk.barrier()); // never both copies in one torn write
    }
    if (m_read_from != Copy::first) {
        TRY_OK(disk.write_at(m_layout.block_offset * block_size_bytes, bytes));
    }
    // The copy just written is the newer one now, so the next save goes to the other. Of a new environment
    // both were.
    m_read_from = m_read_from == Copy::second ? Copy::first : Copy::second;
    return {};
}

} // namespace sinew::firmware
