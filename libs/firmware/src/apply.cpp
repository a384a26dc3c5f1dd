/// The order of an update: check everything, write payload, then the small writes in order.
#include "apply/delta_input.hpp"
#include "apply/plan.hpp"
#include "apply/preflight.hpp"
#include "apply/runner.hpp"
#include "apply/task.hpp"
#include "archive/archive_head.hpp"
#include "archive/notes.hpp"
#include "archive/resource_stream.hpp"
#include "archive/zip_directory.hpp"
#include "archive/zip_reader.hpp"
#include "disk/checked_device.hpp"
#include "disk/output_cache.hpp"
#include "script/config.hpp"
#include "script/variables.hpp"
#include "script/version.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/running_system.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr std::size_t default_cache_mb = 8;
constexpr std::size_t largest_cache_mb = 1024;

std::size_t cache_segments(ApplyOptions const& options, Section const& config) {
    auto megabytes = std::size_t{options.cache_size_mb};
    if (megabytes == 0) {
        megabytes =
            static_cast<std::size_t>(std::max<std::int64_t>(0, config.integer("block-cache-size-mb")));
    }
    megabytes = megabytes == 0 ? default_cache_mb : std::min(megabytes, largest_cache_mb);
    return megabytes * (1u << 20) / OutputCache::segment_bytes;
}

class Application {
public:
    Application(InputStream& input, BlockDevice& disk, ApplyOptions const& options)
        : m_input(input)
        , m_reader(input)
        , m_disk(disk)
        , m_options(options)
        , m_system(options.running_system != nullptr ? *options.running_system : m_kernel) {}

    Result<ApplyReport> run() {
        TRY_OK(prepare());
        OutputCache cache(m_disk, cache_segments(m_options, m_head.config));
        if (m_root) {
            cache.protect(m_root->first_block, m_root->block_count, m_root->why);
        }
        report_progress(cache, 0);
        Runner runner(m_head.config, cache, m_options, [&](std::uint64_t bytes) {
            m_payload_done += bytes;
            report_progress(cache, 99);
        });
        if (auto written = write_all_of_it(cache, runner); !written) {
            cache.drop();
            run_on_error(cache);
            return std::unexpected(std::move(written).error());
        }
        TRY_OK(write_reboot_param(runner.reboot_param()));
        if (m_options.on_progress) {
            m_options.on_progress({100, m_reader.bytes_in(), cache.bytes_out()});
        }
        return ApplyReport{std::move(m_head.metadata), m_task->title, m_reader.bytes_in(), cache.bytes_out()};
    }

private:
    /// Everything that can be checked before the first write.
    Result<> prepare() {
        TRY(auto const head, read_head(m_reader));
        TRY_OK(check_signature(head, m_options.public_keys));
        TRY(m_head, parse_head(head, Variables(m_options.variables, Variables::Environment::used)));
        TRY_OK(check_platform(m_head.metadata, m_options.expected_platform));
        TRY_OK(check_required_version(m_head.config.text("require-fwup-version")));
        TRY(m_specs, resource_specs(m_head.config));
        ExplainCondition explain;
        if (m_options.explain_conditions == ExplainConditions::yes && m_options.on_message) {
            explain = [this](std::string const& text) { m_options.on_message(MessageKind::info, text); };
        }
        TRY(m_task,
            choose_task(m_head.config, m_options.task, {m_disk, m_system, m_options.unsafe}, explain));
        m_root = running_root(m_disk, m_system);
        TRY(m_plan,
            check_task({m_head.config, *m_task, m_specs, m_disk, m_system, m_root, m_options.unsafe}));
        TRY_OK(check_completeness());
        TRY_OK(check_delta_sources(*m_task, delta_notes(head.notes), m_disk));
        m_payload_total = m_plan.payload_bytes();
        return {};
    }

    /// A truncated file is found before the first write, if it is a file.
    Result<> check_completeness() {
        TRY(m_directory, read_zip_directory(m_input));
        if (!m_directory) {
            return {};
        }
        m_reader.use_directory(*m_directory);
        for (auto const& event : m_plan.events) {
            if (event.resource != nullptr &&
                std::ranges::find(*m_directory, event.resource->path, &ZipDirectoryEntry::name) ==
                    m_directory->end()) {
                return failure(ErrorCode::corrupt, "the archive has no resource '" + event.resource->name +
                                                       "'; get the file again; nothing was written");
            }
        }
        return {};
    }

    Result<> write_all_of_it(OutputCache& cache, Runner& runner) {
        if (auto const* const event = m_plan.find("on-init")) {
            TRY_OK(runner.run(*event, nullptr));
            // A script forbids here what must not be started half written; that must hold before payload
            // streams out. Only the partition table stays behind: there are scripts that switch slots by it,
            // and do so here.
            TRY_OK(cache.flush_all_but(runner.table_blocks()));
        }
        TRY_OK(write_resources(cache, runner));
        if (auto const* const event = m_plan.find("on-finish")) {
            TRY_OK(runner.run(*event, nullptr));
        }
        return cache.flush();
    }

    Result<> write_resources(OutputCache& cache, Runner& runner) {
        std::set<std::string_view> seen;
        while (true) {
            TRY(auto const entry, m_reader.next());
            if (!entry) {
                break;
            }
            auto const spec = std::ranges::find(m_specs, entry->name, &ResourceSpec::path);
            auto const* const event = spec == m_specs.end() ? nullptr : m_plan.find(*spec);
            if (event == nullptr || !seen.insert(spec->name).second) {
                continue;
            }
            TRY(auto const source, open_delta_source(*event->section, m_disk));
            m_reader.leave_out_checksum(); // BLAKE2b-256 decides, of patches by their result
            ResourceStream resource(m_reader, *entry, *spec, source.get());
            TRY_OK(runner.run(*event, &resource));
            report_progress(cache, 99);
        }
        for (auto const& event : m_plan.events) {
            if (event.resource != nullptr && !seen.contains(event.resource->name)) {
                return failure(ErrorCode::corrupt, "the archive ends without resource '" +
                                                       event.resource->name + "'; get the file again");
            }
        }
        return {};
    }

    /// From a clean cache; its own failure changes nothing about the error that led here.
    void run_on_error(OutputCache& cache) {
        auto const* const event = m_plan.find("on-error");
        if (event == nullptr) {
            return;
        }
        Runner runner(m_head.config, cache, m_options, [](std::uint64_t /*bytes*/) {});
        auto done = runner.run(*event, nullptr);
        if (done) {
            done = cache.flush();
        }
        if (!done && m_options.on_message) {
            m_options.on_message(MessageKind::warning, "on-error failed too: " + done.error().message());
        }
    }

    [[nodiscard]] Result<> write_reboot_param(std::optional<std::string> const& text) const {
        if (!text) {
            return {};
        }
        auto path = m_options.reboot_param_path;
        std::error_code ignored;
        if (path.empty()) {
            path = std::filesystem::is_directory("/run/systemd", ignored) ? "/run/systemd/reboot-param"
                                                                          : "/run/reboot-param";
        }
        return write_file_atomically(path, as_bytes(*text));
    }

    void report_progress(OutputCache const& cache, int most) {
        if (!m_options.on_progress) {
            return;
        }
        auto const percent =
            m_payload_total == 0
                ? 0
                : static_cast<int>(std::min<std::uint64_t>(99, m_payload_done * 100 / m_payload_total));
        m_options.on_progress({std::min(percent, most), m_reader.bytes_in(), cache.bytes_out()});
    }

    InputStream& m_input;
    ZipReader m_reader;
    /// If the archive can seek: where its entries are.
    std::optional<std::vector<ZipDirectoryEntry>> m_directory;
    BlockDevice& m_disk;
    ApplyOptions const& m_options;
    KernelRunningSystem m_kernel;
    RunningSystem const& m_system;
    ParsedHead m_head;
    std::vector<ResourceSpec> m_specs;
    Section const* m_task = nullptr;
    Plan m_plan;
    std::optional<ProtectedBlocks> m_root;
    std::uint64_t m_payload_total = 0;
    std::uint64_t m_payload_done = 0;
};

} // namespace

Result<ApplyReport> apply_archive(InputStream& archive, BlockDevice& disk, ApplyOptions const& options) {
    DeviceConditions conditions;
    if (options.most_blocks) {
        conditions.limit_bytes = *options.most_blocks * block_size_bytes;
    }
    conditions.read_back = options.verify_writes == VerifyWrites::yes ? ReadBack::yes : ReadBack::no;
    conditions.unchanged = options.minimize_writes == MinimizeWrites::yes ? UnchangedBlocks::left_alone
                                                                          : UnchangedBlocks::written;
    CheckedDevice checked(disk, conditions);
    return Application(archive, checked, options).run();
}

} // namespace sinew::firmware
