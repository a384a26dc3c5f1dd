/// The real PartitionTools: e2fsprogs and mount(2) on a block device.
///
/// Threading: one thread.
#pragma once

#include "data_partition.hpp"

#include <sinew/base/result.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace sinew::init {

class Ext4Tools final : public PartitionTools {
public:
    /// `while_waiting` is called every second while a program runs.
    Ext4Tools(std::string device, std::string mount_point, std::function<void()> while_waiting)
        : m_device(std::move(device))
        , m_mount_point(std::move(mount_point))
        , m_while_waiting(std::move(while_waiting)) {}
    Result<PartitionBytes*> bytes() override;
    Result<> mount(Access access) override;
    Result<int> check(Repair repair, std::optional<SuperblockCopy> const& copy) override;
    Result<> make_file_system() override;

private:
    /// What a thorough repair replaced goes onto the repaired file system, if there is room: with e2undo(8) its
    /// owner can go back.
    void keep_undo_file() const;
    std::string m_device;
    std::string m_mount_point;
    std::function<void()> m_while_waiting;
    std::unique_ptr<PartitionBytes> m_bytes;
};

} // namespace sinew::init
