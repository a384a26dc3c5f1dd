/// The U-Boot environment block: a small key/value store on a raw disk, held once or twice with a CRC.
///
/// With two copies, a write goes to the copy that wasn't read and then counts as the newer one, so a torn
/// write loses nothing. Threading: plain values.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sinew::firmware {

/// Where an environment lies.
struct EnvironmentLayout {
    std::uint64_t block_offset = 0;
    /// 1..65534.
    std::uint32_t block_count = 0;
    std::optional<std::uint64_t> redundant_block_offset;
};

class UbootEnvironment {
public:
    /// An empty environment; a save() writes every copy.
    explicit UbootEnvironment(EnvironmentLayout layout)
        : m_layout(layout) {}
    /// Reads the newer good copy. Errors: corrupt: no copy has a good CRC; io.
    [[nodiscard]] static Result<UbootEnvironment> load(BlockDevice& disk, EnvironmentLayout const& layout);

    [[nodiscard]] std::map<std::string, std::string> const& variables() const noexcept { return m_variables; }
    [[nodiscard]] std::optional<std::string> get(std::string_view name) const;
    /// Error invalid_argument: an empty name, or a NUL, or '=' in the name.
    [[nodiscard]] Result<> set(std::string_view name, std::string_view value);
    void unset(std::string_view name);
    /// Writes it to the copy that wasn't read (to every copy of a new one). Doesn't sync. Errors: no_space:
    /// it doesn't fit in the block; io.
    [[nodiscard]] Result<> save(BlockDevice& disk);

private:
    enum class Copy : std::uint8_t { none, first, second };
    EnvironmentLayout m_layout;
    std::map<std::string, std::string> m_variables;
    std::uint8_t m_flag = 0;
    Copy m_read_from = Copy::none;
};

/// The bytes of one copy, `size_bytes` long: CRC, flag byte if given, variables. Error no_space.
[[nodiscard]] Result<Bytes> encode_environment(std::map<std::string, std::string> const& variables,
                                               std::size_t size_bytes, std::optional<std::uint8_t> flag);

struct DecodedEnvironment {
    std::map<std::string, std::string> variables;
    std::uint8_t flag = 0;
};
enum class EnvironmentFlag : std::uint8_t { absent, present };
/// The inverse of encode_environment(). Error corrupt: wrong CRC or no end.
[[nodiscard]] Result<DecodedEnvironment> decode_environment(BytesView bytes, EnvironmentFlag flag);

} // namespace sinew::firmware
