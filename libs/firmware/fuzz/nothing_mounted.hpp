/// The machine that fuzz targets run on, as the update engine sees it: nothing is mounted, no raw flash.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/firmware/running_system.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>

namespace sinew::firmware {

class NothingMounted final : public RunningSystem {
public:
    [[nodiscard]] Result<MountSource> mount_source(std::filesystem::path const& /*path*/) const override {
        return failure(ErrorCode::not_found, "nothing is mounted");
    }
    [[nodiscard]] bool is_path_on_device(std::filesystem::path const& /*path*/,
                                         std::filesystem::path const& /*device*/) const override {
        return false;
    }
    [[nodiscard]] std::optional<std::uint64_t>
    ubi_volume_bytes(std::filesystem::path const& /*volume*/) const override {
        return std::nullopt;
    }
};

} // namespace sinew::firmware
