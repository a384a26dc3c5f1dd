/// Limits, reading back, and writes that change nothing.
#include "disk/checked_device.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sinew::firmware::test {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

/// Remembers what is written; one block of it doesn't take.
class WornDisk final : public BlockDevice {
public:
    static constexpr std::uint64_t bad_byte = 10'000;
    bool is_worn = false;
    std::vector<std::pair<std::uint64_t, std::size_t>> writes;

    Result<> read_at(std::uint64_t offset, MutableBytesView into) override {
        return m_disk.read_at(offset, into);
    }
    Result<> write_at(std::uint64_t offset, BytesView bytes) override {
        writes.emplace_back(offset, bytes.size());
        TRY_OK(m_disk.write_at(offset, bytes));
        bool const hits = offset <= bad_byte && bad_byte < offset + bytes.size();
        return is_worn && hits ? m_disk.write_at(bad_byte, Bytes(1, std::byte{0x5A})) : Result<>{};
    }
    Result<> sync() override { return {}; }
    Result<> discard(std::uint64_t /*offset*/, std::uint64_t /*length*/) override { return {}; }
    std::uint64_t size_bytes() const override { return m_disk.size_bytes(); }
    Growth growth() const override { return Growth::grows; }
    std::string name() const override { return "card"; }

private:
    MemoryDevice m_disk{Growth::grows, 65536};
};

TEST(CheckedDevice, a_limit_behind_the_end_of_a_disk_changes_nothing) {
    MemoryDevice disk(Growth::fixed, 65536);
    EXPECT_EQ(CheckedDevice(disk, {.limit_bytes = 1'000'000}).size_bytes(), 65536);
    EXPECT_EQ(CheckedDevice(disk, {.limit_bytes = 4096}).size_bytes(), 4096);
    MemoryDevice image(Growth::grows, 65536);
    EXPECT_EQ(CheckedDevice(image, {.limit_bytes = 1'000'000}).size_bytes(), 1'000'000);
}

TEST(CheckedDevice, a_worn_block_is_found_at_the_next_sync) {
    WornDisk disk;
    disk.is_worn = true;
    CheckedDevice checked(disk, {.read_back = ReadBack::yes});
    must(checked.write_at(0, noise(4096, 1)));
    must(checked.sync());
    must(checked.write_at(8192, noise(4096, 2)));
    EXPECT_EQ(message_of(checked.sync()),
              "card doesn't hold what was written to it at byte 8192; the medium is "
              "worn out or counterfeit, use another");
}

TEST(CheckedDevice, a_block_that_is_written_twice_is_checked_twice) {
    WornDisk disk;
    CheckedDevice checked(disk, {.read_back = ReadBack::yes});
    must(checked.write_at(8192, noise(4096, 1)));
    must(checked.write_at(8704, noise(512, 2))); // what the first write left there is gone, and that is fine
    must(checked.sync());
    disk.is_worn = true;
    must(checked.write_at(9728, noise(512, 3)));
    EXPECT_FALSE(checked.write_at(9728, noise(512, 4))) << "the first of them wasn't right";
}

TEST(CheckedDevice, nothing_is_written_behind_the_limit) {
    WornDisk disk;
    CheckedDevice checked(disk, {.limit_bytes = 2048});
    EXPECT_EQ(checked.size_bytes(), 2048u);
    EXPECT_EQ(checked.growth(), Growth::fixed);
    must(checked.write_at(1536, Bytes(512)));
    EXPECT_THAT(message_of(checked.write_at(1536, Bytes(1024))), HasSubstr("goes past the largest size"));
    EXPECT_THAT(disk.writes, ElementsAre(Pair(1536u, 512u)));
}

TEST(CheckedDevice, only_what_changes_is_written) {
    WornDisk disk;
    auto content = noise(20'000 / 512 * 512, 1);
    must(disk.write_at(0, content));
    disk.writes.clear();
    CheckedDevice checked(disk, {.unchanged = UnchangedBlocks::left_alone});
    must(checked.write_at(0, content));
    EXPECT_TRUE(disk.writes.empty());
    content[5000] ^= std::byte{1};
    content[9000] ^= std::byte{1};
    must(checked.write_at(0, content));
    EXPECT_THAT(disk.writes, ElementsAre(Pair(4096u, 8192u)));
    Bytes present(content.size());
    must(checked.read_at(0, present));
    EXPECT_EQ(present, content);
}

} // namespace

} // namespace sinew::firmware::test
