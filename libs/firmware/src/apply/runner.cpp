/// The functions. See the header for invariant and threading.
#include "apply/runner.hpp"

#include "apply/outside.hpp"
#include "apply/resource_pieces.hpp"
#include "apply/table_writer.hpp"
#include "apply/task.hpp"
#include "archive/resource_stream.hpp"
#include "disk/output_cache.hpp"
#include "disk/sector_cipher.hpp"
#include "fat/layout.hpp"
#include "fat/volume.hpp"
#include "script/config.hpp"
#include "script/functions.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/uboot_environment.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace sinew::firmware {

namespace {

/// The data of a file system beyond its tables streams out; this much from its beginning is kept back.
constexpr std::uint64_t fat_kept_bytes = 1u << 20;

std::uint64_t number(Call const& call, std::size_t index) {
    return parse_number(call.words[index]).value_or(0);
}

/// Lets the data of a FAT file system stream while it is in scope.
class StreamingFat {
public:
    StreamingFat(OutputCache& cache, std::uint64_t block)
        : m_cache(cache) {
        m_cache.stream_writes_from(block * block_size_bytes + fat_kept_bytes);
    }
    StreamingFat(StreamingFat const&) = delete;
    StreamingFat& operator=(StreamingFat const&) = delete;
    ~StreamingFat() { m_cache.stream_writes_from(std::nullopt); }

private:
    OutputCache& m_cache;
};

/// As many bytes of `resource` as fit into `into`; fewer only at its end.
Result<std::size_t> read_full(ResourceStream& resource, MutableBytesView into) {
    std::size_t size = 0;
    while (size < into.size()) {
        TRY(auto const count, resource.read(into.subspan(size)));
        if (count == 0) {
            break;
        }
        size += count;
    }
    return size;
}

} // namespace

Runner::Runner(Section const& config, OutputCache& cache, ApplyOptions const& options,
               std::function<void(std::uint64_t)> on_payload)
    : m_config(config)
    , m_cache(cache)
    , m_options(options)
    , m_on_payload(std::move(on_payload))
    , m_buffer(OutputCache::segment_bytes) {}

Result<> Runner::run(Section const& event, ResourceStream* resource) {
    for (auto const& function : event.calls) {
        TRY_OK(m_cache.barrier());
        auto done = call(function, resource);
        if (!done && function.words[0] != "error") {
            return std::unexpected(std::move(done).error().with_context(function.words[0]));
        }
        TRY_OK(std::move(done));
    }
    return resource == nullptr ? Result<>{} : drain(*resource);
}

Result<> Runner::drain(ResourceStream& resource) {
    while (true) {
        TRY(auto const count, resource.read(m_buffer));
        if (count == 0) {
            return {};
        }
    }
}

Result<> Runner::call(Call const& call, ResourceStream* resource) {
    auto const function = find_function(call.words[0]);
    if (!function) {
        return failure(ErrorCode::invalid_argument, "unknown function");
    }
    switch (*function) {
    case Function::raw_write:
        return raw_write(call, *resource);
    case Function::raw_memset:
        return raw_memset(number(call, 1), number(call, 2), static_cast<std::uint8_t>(number(call, 3)));
    case Function::trim:
        return m_cache.trim(number(call, 1), number(call, 2),
                            m_options.hardware_trim == HardwareTrim::on ? MediumTrim::on : MediumTrim::off);
    case Function::mbr_write:
        return write_mbr(m_config, call.words[1], m_cache, m_table_blocks);
    case Function::gpt_write:
        return write_gpt(m_config, call.words[1], m_cache, m_table_blocks);
    case Function::path_write:
    case Function::pipe_write:
    case Function::execute:
    case Function::ubi_volume_write:
        return call_outside(*function, call, resource);
    case Function::uboot_clearenv:
    case Function::uboot_setenv:
    case Function::uboot_unsetenv:
    case Function::uboot_recover:
        return call_environment(*function, call);
    case Function::info:
        if (m_options.on_message) {
            m_options.on_message(MessageKind::info, call.words[1]);
        }
        return {};
    case Function::error:
        return failure(ErrorCode::invalid_argument, call.words[1]);
    case Function::reboot_param:
        m_reboot_param = call.words[1];
        return {};
    default:
        return call_fat(*function, call, resource);
    }
}

Result<> Runner::call_outside(Function function, Call const& call, ResourceStream* resource) {
    if (m_options.unsafe != Unsafe::allowed) {
        return failure(ErrorCode::denied, "needs --unsafe");
    }
    switch (function) {
    case Function::execute:
        return execute(call.words[1]);
    case Function::path_write:
        return write_to_path(call.words[1], *resource, m_on_payload);
    case Function::pipe_write:
        return write_to_command(call.words[1], *resource, m_on_payload);
    default:
        return write_to_ubi_volume(call.words[1], *resource, m_on_payload);
    }
}

Result<> Runner::raw_write(Call const& call, ResourceStream& resource) {
    std::optional<SectorCipher> cipher;
    if (call.words.size() > 2) {
        TRY(cipher, SectorCipher::create(std::span(call.words).subspan(2)));
    }
    auto const start = number(call, 1) * block_size_bytes;
    auto offset = start;
    auto const& pieces = resource.spec().pieces;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        if (i % 2 == 1) {
            offset += pieces[i]; // a hole: what is there stays
            continue;
        }
        bool const is_last = i + 2 >= pieces.size();
        if (!is_last && (pieces[i] % block_size_bytes != 0 || pieces[i + 1] % block_size_bytes != 0)) {
            return failure(ErrorCode::unsupported, "a resource whose holes don't begin and end with blocks");
        }
        for (auto left = pieces[i]; left > 0;) {
            // Pieces end where segments do, so that each segment goes out at once and whole.
            auto const room = OutputCache::segment_bytes - offset % OutputCache::segment_bytes;
            auto const want = static_cast<std::size_t>(std::min<std::uint64_t>(left, room));
            TRY(auto const count, read_full(resource, MutableBytesView(m_buffer).first(want)));
            if (count < want) {
                return failure(ErrorCode::corrupt, "resource '" + resource.spec().name + "' ends too early");
            }
            auto const padded = (count + block_size_bytes - 1) / block_size_bytes * block_size_bytes;
            std::fill(m_buffer.begin() + static_cast<std::ptrdiff_t>(count),
                      m_buffer.begin() + static_cast<std::ptrdiff_t>(padded), std::byte{0});
            if (cipher) {
                cipher->encrypt((offset - start) / block_size_bytes,
                                MutableBytesView(m_buffer).first(padded));
            }
            TRY_OK(m_cache.stream(offset, BytesView(m_buffer).first(padded)));
            m_on_payload(count);
            offset += padded;
            left -= count;
        }
    }
    if (pieces.size() % 2 == 0 && m_cache.growth() == Growth::grows && m_cache.size_bytes() < offset) {
        // Nothing else gives an image file that ends in a hole its length.
        auto const last_block = (offset - 1) / block_size_bytes * block_size_bytes;
        TRY_OK(m_cache.stream(last_block, Bytes(block_size_bytes)));
    }
    return drain(resource);
}

Result<> Runner::raw_memset(std::uint64_t block, std::uint64_t count, std::uint8_t value) {
    Bytes const content(OutputCache::segment_bytes, std::byte{value});
    auto offset = block * block_size_bytes;
    for (auto left = count * block_size_bytes; left > 0;) {
        auto const room = OutputCache::segment_bytes - offset % OutputCache::segment_bytes;
        auto const piece = std::min<std::uint64_t>(left, room);
        TRY_OK(m_cache.stream(offset, BytesView(content).first(static_cast<std::size_t>(piece))));
        m_on_payload(piece);
        offset += piece;
        left -= piece;
    }
    return {};
}

Result<> Runner::fat_write(std::uint64_t block, std::string const& path, ResourceStream& resource) {
    TRY(auto volume, FatVolume::mount(m_cache, block));
    TRY(auto file, volume.create_file(path));
    auto const write = [&](BytesView bytes) -> Result<> {
        TRY_OK(file.write(bytes));
        m_on_payload(bytes.size());
        return {};
    };
    TRY_OK(for_each_piece(resource, m_buffer, write,
                          zeros_to([&](BytesView zeros) { return file.write(zeros); })));
    TRY_OK(drain(resource));
    return file.finish();
}

Result<> Runner::call_fat(Function function, Call const& call, ResourceStream* resource) {
    auto const& words = call.words;
    auto const block = number(call, 1);
    StreamingFat const streaming(m_cache, block);
    if (function == Function::fat_mkfs) {
        return make_fat(m_cache, block, number(call, 2));
    }
    if (function == Function::fat_write) {
        return fat_write(block, words[2], *resource);
    }
    TRY(auto volume, FatVolume::mount(m_cache, block));
    switch (function) {
    case Function::fat_cp: {
        if (words.size() == 4) {
            return volume.copy_from(volume, words[2], words[3]);
        }
        auto const target_block = parse_number(words[3]);
        if (!target_block) {
            return failure(ErrorCode::invalid_argument,
                           "argument 3 must be a number, not '" + words[3] + "'");
        }
        TRY(auto target, FatVolume::mount(m_cache, *target_block));
        return target.copy_from(volume, words[2], words[4]);
    }
    case Function::fat_mv:
        return volume.rename(words[2], words[3], Existing::kept);
    case Function::fat_mv_replace:
        return volume.rename(words[2], words[3], Existing::replaced);
    case Function::fat_rm:
        return volume.remove(words[2], Missing::accepted);
    case Function::fat_rm_existing:
        return volume.remove(words[2], Missing::refused);
    case Function::fat_mkdir:
        return volume.make_directory(words[2]);
    case Function::fat_touch:
        return volume.touch(words[2]);
    case Function::fat_setlabel:
        return volume.set_label(words[2]);
    case Function::fat_attrib:
        return volume.set_attributes(words[2], words[3]);
    default:
        return failure(ErrorCode::invalid_argument, "isn't a function on a FAT file system");
    }
}

Result<> Runner::call_environment(Function function, Call const& call) {
    auto const& name = call.words[1];
    TRY(auto const layout, environment_layout(m_config, name));
    auto loaded = UbootEnvironment::load(m_cache, layout);
    bool const clear =
        function == Function::uboot_clearenv || (function == Function::uboot_recover && !loaded);
    if (function == Function::uboot_recover && !clear) {
        return {};
    }
    if (clear) {
        m_environments.insert_or_assign(name, UbootEnvironment(layout));
    } else if (!loaded) {
        return std::unexpected(std::move(loaded).error().with_context("uboot-environment '" + name + "'"));
    } else {
        auto const known = m_environments.find(name);
        if (known == m_environments.end() || known->second.variables() != loaded->variables()) {
            m_environments.insert_or_assign(name, *std::move(loaded));
        }
    }
    auto& environment = m_environments.at(name);
    if (function == Function::uboot_setenv) {
        TRY_OK(environment.set(call.words[2], call.words[3]));
    } else if (function == Function::uboot_unsetenv) {
        environment.unset(call.words[2]);
    }
    auto saved = environment; // a copy: the original remembers which copy on the disk must stay untouched
    return saved.save(m_cache);
}

} // namespace sinew::firmware
