// Writing a firmware to a disk, with /data kept where possible. See burn.hpp.
#include <sinew/base/file.hpp>
#include <sinew/firmware.hpp>
#include <sinew/system.hpp>
#include <sinew/tooling/burn.hpp>
#include <sinew/tooling/context.hpp>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t usual_image_bytes = 1ull << 30;

/// What a firmware is and which disk it makes.
struct Plan {
    fs::path archive;
    firmware::Metadata metadata;
    system::Target target;
    system::Layout layout;
    [[nodiscard]] std::uint64_t smallest_bytes() const {
        return layout.total_blocks * system::block_size_bytes;
    }
};

Result<Plan> make_plan(Context const& context, fs::path const& archive) {
    TRY(auto metadata, firmware::read_metadata(archive));
    TRY(auto const root, context.root());
    if (auto known = context.check_target(metadata.platform); !known) {
        return std::unexpected(std::move(known).error().with_context(archive.string() + " is for an"));
    }
    TRY(auto target, system::load_system(root / "systems", metadata.platform));
    TRY(auto layout, system::compute_layout(target.description));
    return Plan{archive, std::move(metadata), std::move(target), std::move(layout)};
}

std::unexpected<Error> too_small(Plan const& plan, std::string const& what, std::uint64_t size_bytes) {
    return failure(ErrorCode::no_space,
                   fmt::format("{} has {}, but {} needs {}; take a larger one", what, format_size(size_bytes),
                               plan.target.description.name, format_size(plan.smallest_bytes())));
}

Result<BurnReport> apply(Context const& context, Plan const& plan, firmware::BlockDevice& disk,
                         DataFate fate) {
    Console& console = context.console();
    TRY(auto input, firmware::FileInput::open(plan.archive));
    firmware::ApplyOptions options;
    options.task = fate == DataFate::kept ? "complete-keep-data" : "complete";
    options.on_message = [&console](firmware::MessageKind kind, std::string const& text) {
        kind == firmware::MessageKind::info ? console.detail(text) : console.warn(text);
    };
    options.on_progress = [&console](firmware::Progress const& progress) {
        console.progress("writing", static_cast<std::uint64_t>(progress.percent), 100, ProgressUnit::percent);
    };
    auto applied = firmware::apply_archive(*input, disk, options);
    console.end_progress();
    if (!applied) {
        return std::unexpected(std::move(applied).error());
    }
    return BurnReport{std::move(applied->metadata), fate};
}

/// Removes a file that was not finished.
class Unfinished {
public:
    explicit Unfinished(fs::path path)
        : m_path(std::move(path)) {}
    ~Unfinished() {
        if (!m_path.empty()) {
            std::error_code ignored;
            fs::remove(m_path, ignored);
        }
    }
    Unfinished(Unfinished const&) = delete;
    Unfinished& operator=(Unfinished const&) = delete;
    Unfinished(Unfinished&&) = delete;
    Unfinished& operator=(Unfinished&&) = delete;
    void finished() { m_path.clear(); }

private:
    fs::path m_path;
};

Result<BurnReport> make_image(Context const& context, Plan const& plan, fs::path const& image,
                              std::uint64_t size_bytes) {
    if (size_bytes < plan.smallest_bytes()) {
        return too_small(plan, "an image of that size", size_bytes);
    }
    fs::path partial = image;
    partial += ".partial";
    Unfinished unfinished(partial);
    {
        TRY(auto const file, open_file(partial, O_RDWR | O_CREAT | O_TRUNC));
        if (ftruncate(file.get(), static_cast<off_t>(size_bytes)) != 0) {
            return std::unexpected(error_from_errno(errno, partial.string()));
        }
    }
    TRY(auto disk, firmware::FileDevice::open(partial, firmware::DeviceAccess::read_write));
    TRY(auto report, apply(context, plan, *disk, DataFate::erased));
    disk.reset();
    std::error_code problem;
    fs::rename(partial, image, problem);
    if (problem) {
        return std::unexpected(error_from_errno(problem.value(), image.string()));
    }
    unfinished.finished();
    return report;
}

Result<BurnReport> burn_over(Context const& context, Plan const& plan, fs::path const& path, bool erase) {
    TRY(auto disk, firmware::FileDevice::open(path, firmware::DeviceAccess::read_write));
    if (disk->size_bytes() < plan.smallest_bytes()) {
        return too_small(plan, path.string(), disk->size_bytes());
    }
    DataFate const fate = erase ? DataFate::erased : data_fate(*disk, plan.target.description, plan.layout);
    return apply(context, plan, *disk, fate);
}

} // namespace

DataFate data_fate(firmware::BlockDevice& disk, system::Description const& description,
                   system::Layout const& layout) {
    auto const table = firmware::read_partition_table(disk);
    if (!table || fmt::format("{:08x}", table->signature) != description.disk.signature) {
        return DataFate::erased;
    }
    bool const same = std::ranges::all_of(layout.partitions, [&](system::PlacedPartition const& wanted) {
        // The kernel's numbers begin with 1, those of update scripts with 0. An expanded partition is larger.
        firmware::Partition const* const found = table->find(wanted.number - 1);
        return found != nullptr && found->block_offset == wanted.block_offset &&
               (found->block_count == wanted.block_count ||
                (wanted.expand && found->block_count > wanted.block_count));
    });
    return same ? DataFate::kept : DataFate::erased;
}

Result<BurnReport> burn_image(Context const& context, fs::path const& archive, fs::path const& image,
                              ImageOptions const& options) {
    TRY(auto const plan, make_plan(context, archive));
    if (fs::exists(image)) {
        if (!fs::is_regular_file(image)) {
            return failure(ErrorCode::invalid_argument,
                           fmt::format("{} is no image file; a disk is written with `sinew burn {}`",
                                       image.string(), image.string()));
        }
        if (options.size_bytes && *options.size_bytes != fs::file_size(image)) {
            return failure(ErrorCode::invalid_argument,
                           fmt::format("{} exists with {}; remove it to make one of {}", image.string(),
                                       format_size(fs::file_size(image)), format_size(*options.size_bytes)));
        }
        return burn_over(context, plan, image, options.erase);
    }
    std::uint64_t const usual = std::max(usual_image_bytes, plan.smallest_bytes());
    return make_image(context, plan, image, options.size_bytes.value_or(usual));
}

Result<BurnReport> burn_disk(Context const& context, fs::path const& archive, fs::path const& device,
                             bool erase) {
    TRY(auto const plan, make_plan(context, archive));
    return burn_over(context, plan, device, erase);
}

} // namespace sinew::tooling
