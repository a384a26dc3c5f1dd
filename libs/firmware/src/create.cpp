/// Makes archives: load the script, pack the resources, describe them in meta.conf, put it all together.
#include "archive/archive_head.hpp"
#include "archive/output_file.hpp"
#include "archive/zip_writer.hpp"
#include "create/host_file.hpp"
#include "create/overlaps.hpp"
#include "create/script_loader.hpp"
#include "script/config.hpp"
#include "script/variables.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/create.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/keys.hpp>
#include <sinew/firmware/metadata.hpp>

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace sinew::firmware {

namespace {

/// "2026-11-22T22:05:00Z" as seconds since 1970.
std::optional<std::int64_t> parse_iso_time(std::string_view text) {
    using namespace std::chrono;
    constexpr std::string_view shape = "0000-00-00T00:00:00Z";
    if (text.size() != shape.size()) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        bool const is_digit = text[i] >= '0' && text[i] <= '9';
        if (shape[i] == '0' ? !is_digit : text[i] != shape[i]) {
            return std::nullopt;
        }
    }
    auto const field = [&](std::size_t at, std::size_t size) {
        int value = 0;
        std::from_chars(text.data() + at, text.data() + at + size, value);
        return value;
    };
    year_month_day const date{year(field(0, 4)), month(static_cast<unsigned>(field(5, 2))),
                              day(static_cast<unsigned>(field(8, 2)))};
    if (!date.ok()) {
        return std::nullopt;
    }
    auto const time = sys_days(date) + hours(field(11, 2)) + minutes(field(14, 2)) + seconds(field(17, 2));
    return duration_cast<seconds>(time.time_since_epoch()).count();
}

Result<std::int64_t> creation_time(CreateOptions const& options) {
    auto const environment = options.process_environment == ProcessEnvironment::used
                                 ? Variables::Environment::used
                                 : Variables::Environment::ignored;
    Variables const variables(options.variables, environment);
    if (auto const epoch = variables.get("SOURCE_DATE_EPOCH"); epoch && !epoch->empty()) {
        std::int64_t value = 0;
        auto const parsed = std::from_chars(epoch->data(), epoch->data() + epoch->size(), value);
        if (parsed.ec != std::errc() || parsed.ptr != epoch->data() + epoch->size() || value < 0) {
            return failure(ErrorCode::invalid_argument,
                           "SOURCE_DATE_EPOCH must be a number of seconds since 1970, not '" + *epoch + "'");
        }
        return value;
    }
    if (auto const now = variables.get("NOW"); now && !now->empty()) {
        auto const value = parse_iso_time(*now);
        if (!value) {
            return failure(ErrorCode::invalid_argument,
                           "NOW must look like 2026-11-22T22:05:00Z, not '" + *now + "'");
        }
        return *value;
    }
    return static_cast<std::int64_t>(std::time(nullptr));
}

Result<> check_assertions(Script const& script, Section const& section, std::uint64_t size_bytes) {
    auto const blocks = (size_bytes + block_size_bytes - 1) / block_size_bytes;
    auto const check = [&](std::string_view name, bool is_upper) -> Result<> {
        auto const limit = section.integer(name);
        bool const holds = is_upper ? blocks <= static_cast<std::uint64_t>(std::max<std::int64_t>(limit, 0))
                                    : blocks >= static_cast<std::uint64_t>(std::max<std::int64_t>(limit, 0));
        if (limit < 0 || holds) {
            return {};
        }
        return failure(ErrorCode::no_space,
                       script
                           .fail(section.find_option(name)->position,
                                 "file-resource '" + section.title + "' has " + std::to_string(blocks) +
                                     " blocks (" + std::to_string(size_bytes) + " bytes), but must have at " +
                                     (is_upper ? "most " : "least ") + std::to_string(limit))
                           .error()
                           .message());
    };
    TRY_OK(check("assert-size-lte", true));
    return check("assert-size-gte", false);
}

class Creation {
public:
    Creation(CreateOptions const& options, Packing packing)
        : m_options(options)
        , m_packing(packing) {}

    /// Loads, packs, and describes; afterwards everything but the archive file itself is there.
    Result<> prepare() {
        TRY(m_loaded, load_script(m_options));
        measure_sources();
        for (auto& section : m_loaded.config.sections) {
            if (section.schema->name == "file-resource") {
                TRY_OK(pack(section));
            }
        }
        if (m_options.overlaps == Overlaps::refused) {
            TRY_OK(check_overlaps(m_loaded.script, m_loaded.config));
        }
        m_meta_conf = format_meta_conf(m_loaded.config);
        return check_meta_conf();
    }

    Result<CreateReport> write() {
        TRY(auto const created, creation_time(m_options));
        TRY(auto file, OutputFile::create(m_options.output));
        ZipWriter writer(file.file());
        ArchiveHead head{std::nullopt, m_meta_conf, created};
        auto const message = as_bytes(m_meta_conf);
        if (m_options.private_key) {
            head.signature = m_options.private_key->sign(message);
            TRY_OK(
                writer.add({std::string(signature_name), 0, 0, std::nullopt}, BytesView(*head.signature), 0));
        }
        TRY_OK(
            writer.add({std::string(meta_conf_name), 0, 0, created}, message, m_options.compression_level));
        for (auto const& resource : m_resources) {
            TRY_OK(copy_spool(writer, resource));
        }
        TRY_OK(writer.finish());
        TRY_OK(file.commit());
        TRY(auto parsed, parse_head(head, Variables()));
        CreateReport report;
        report.metadata = std::move(parsed.metadata);
        for (auto const& resource : m_resources) {
            report.resources.push_back(
                {resource.name, resource.packed.size_bytes(), resource.packed.sums.stored_bytes});
        }
        report.archive_bytes = writer.bytes_out();
        if (m_options.on_progress) {
            m_options.on_progress({100, m_bytes_done, report.archive_bytes});
        }
        return report;
    }

    [[nodiscard]] std::string const& meta_conf() const { return m_meta_conf; }

private:
    struct NamedResource {
        std::string name;
        PackedResource packed;
    };

    void measure_sources() {
        for (auto const& section : m_loaded.config.sections) {
            if (section.schema->name != "file-resource") {
                continue;
            }
            if (auto const source = resource_source(m_loaded.script, section)) {
                for (auto const& file : source->files) {
                    std::error_code error;
                    auto const size = std::filesystem::file_size(file, error);
                    m_bytes_total += error ? 0 : size;
                }
            }
        }
    }

    Result<> pack(Section& section) {
        TRY(auto const source, resource_source(m_loaded.script, section));
        PackOptions options;
        options.packing = m_packing;
        options.compression = m_options.compression;
        options.compression_level = m_options.compression_level;
        options.cores = m_options.cores;
        options.beside = m_options.output;
        options.on_bytes = [this](std::uint64_t bytes) { report_progress(bytes); };
        auto packed = pack_resource(source, options);
        if (!packed) {
            return std::unexpected(
                std::move(packed).error().with_context("file-resource '" + section.title + "'"));
        }
        TRY_OK(check_assertions(m_loaded.script, section, packed->size_bytes()));
        // An empty resource has no length: its line would change the UUID.
        std::vector<std::string> lengths;
        for (auto const piece : packed->pieces) {
            if (packed->size_bytes() > 0) {
                lengths.push_back(std::to_string(piece));
            }
        }
        section.set("length", std::move(lengths));
        section.set("blake2b-256", {packed->blake2b_256});
        m_resources.push_back({section.title, *std::move(packed)});
        return {};
    }

    void report_progress(std::uint64_t bytes) {
        m_bytes_done += bytes;
        if (m_options.on_progress && m_bytes_total > 0) {
            auto const percent =
                static_cast<int>(std::min<std::uint64_t>(99, m_bytes_done * 100 / m_bytes_total));
            m_options.on_progress({percent, m_bytes_done, 0});
        }
    }

    /// meta.conf must be one that can be read, and its own name for itself, if it has one, must be right.
    [[nodiscard]] Result<> check_meta_conf() const {
        auto const name = m_options.script.string();
        if (m_meta_conf.size() > largest_meta_conf) {
            return failure(
                ErrorCode::invalid_argument,
                name + ": makes a meta.conf of " + std::to_string(m_meta_conf.size()) +
                    " bytes, but devices read at most 49999; use fewer tasks, variables or resources");
        }
        auto const uuid = archive_uuid(as_bytes(m_meta_conf));
        auto const wanted_uuid = m_loaded.config.text("meta-uuid");
        auto const wanted_nickname = m_loaded.config.text("meta-nickname");
        if (!wanted_uuid.empty() && wanted_uuid != uuid && wanted_uuid != "${FWUP_META_UUID}") {
            return failure(ErrorCode::invalid_argument,
                           name + ": meta-uuid can't be chosen: it follows from the content and is " + uuid);
        }
        if (!wanted_nickname.empty() && wanted_nickname != archive_nickname(uuid) &&
            wanted_nickname != "${FWUP_META_NICKNAME}") {
            return failure(ErrorCode::invalid_argument,
                           name + ": meta-nickname can't be chosen: it follows from the content and is " +
                               archive_nickname(uuid));
        }
        return {};
    }

    static Result<> copy_spool(ZipWriter& writer, NamedResource const& resource) {
        TRY(auto path, resource_path(resource.name));
        auto const& sums = resource.packed.sums;
        TRY_OK(writer.begin_entry(
            {std::move(path), resource.packed.method, sums.size_bytes, std::nullopt, resource.packed.notes}));
        constexpr std::size_t piece_size = 256u << 10;
        Bytes buffer(piece_size);
        for (std::uint64_t at = 0; at < sums.stored_bytes;) {
            auto const count =
                static_cast<std::size_t>(std::min<std::uint64_t>(sums.stored_bytes - at, piece_size));
            auto const piece = MutableBytesView(buffer).first(count);
            TRY_OK(read_exactly_at(resource.packed.spool, piece, at));
            TRY_OK(writer.write_stored(piece));
            at += count;
        }
        return writer.end_entry(sums);
    }

    CreateOptions const& m_options;
    Packing m_packing;
    LoadedScript m_loaded;
    std::vector<NamedResource> m_resources;
    std::string m_meta_conf;
    std::uint64_t m_bytes_total = 0;
    std::uint64_t m_bytes_done = 0;
};

} // namespace

Result<CreateReport> create_archive(CreateOptions const& options) {
    if (options.compression_level < 1 || options.compression_level > 9) {
        return failure(ErrorCode::invalid_argument, "the compression level must be 1 to 9, not " +
                                                        std::to_string(options.compression_level));
    }
    Creation creation(options, Packing::compress);
    TRY_OK(creation.prepare());
    return creation.write();
}

Result<std::string> script_to_meta_conf(CreateOptions const& options) {
    Creation creation(options, Packing::hash_only);
    TRY_OK(creation.prepare());
    return creation.meta_conf();
}

} // namespace sinew::firmware
