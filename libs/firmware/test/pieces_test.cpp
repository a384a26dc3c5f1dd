/// Resources in pieces: made on any number of cores, checked one by one, and gone on with after a broken
/// download.
#include "archive/notes.hpp"
#include "archive/zip_format.hpp"
#include "archive/zip_reader.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/create.hpp>
#include <sinew/firmware/delta.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/verify.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sinew::firmware::test {

namespace {

using ::testing::HasSubstr;

std::string const script = R"(
meta-product = "Blinky"
file-resource small { contents = "some text" }
file-resource rootfs { host-path = "rootfs" }
file-resource empty { host-path = "empty" }
task complete { on-resource rootfs { raw_write(8) } }
task other { on-resource small { raw_write(8) } }
)";
constexpr std::size_t rootfs_bytes = 1'300'000; // three pieces

/// Noise and text.
Bytes rootfs() {
    auto content = old_content();
    content.resize(rootfs_bytes);
    return content;
}

class Pieces : public ::testing::Test {
protected:
    Pieces() {
        workshop.write("rootfs", rootfs());
        workshop.write("empty", "");
    }
    [[nodiscard]] Bytes archive(Compression compression = Compression::deflate, unsigned cores = 0) const {
        auto options = workshop.options(script);
        options.compression = compression;
        options.cores = cores;
        must(create_archive(options));
        return workshop.read("out.fw");
    }
    Workshop workshop;
};

/// A stream that can't seek, like a socket.
class Socket final : public InputStream {
public:
    explicit Socket(BytesView bytes)
        : m_input(bytes) {}
    Result<std::size_t> read(MutableBytesView into) override { return m_input.read(into); }

private:
    MemoryInput m_input;
};

Result<ApplyReport> apply_stream(BytesView archive, BlockDevice& disk, std::string const& task) {
    FakeSystem const system;
    ApplyOptions options;
    options.task = task;
    options.running_system = &system;
    Socket input(archive);
    return apply_archive(input, disk, options);
}

/// Where the content of the pieces of rootfs is stored: begin and end of each.
std::vector<std::pair<std::size_t, std::size_t>> places(BytesView archive) {
    MemoryInput input(archive);
    ZipReader reader(input);
    while (true) {
        auto const entry = must(reader.next()).value();
        if (entry.name != "data/rootfs") {
            continue;
        }
        auto const header = static_cast<std::size_t>(reader.entry_offset());
        std::size_t at = header + zip::local_header_size + load_le16(archive, header + 26) +
                         load_le16(archive, header + 28);
        std::vector<std::pair<std::size_t, std::size_t>> found;
        auto const list = must(checkpoints(entry.notes, rootfs_bytes)).value();
        for (auto const& piece : list.pieces) {
            found.emplace_back(at, at + piece.stored_bytes);
            at += piece.stored_bytes;
        }
        return found;
    }
}

PartialReport partial(BytesView archive) {
    Socket input(archive);
    return must(verify_partial(input));
}

TEST_F(Pieces, are_the_same_on_any_number_of_cores) {
    for (auto const compression : {Compression::deflate, Compression::zstd}) {
        auto const on_one = archive(compression, 1);
        EXPECT_EQ(on_one, archive(compression, 2));
        EXPECT_EQ(on_one, archive(compression, 8));
        EXPECT_EQ(on_one, archive(compression));
    }
}

TEST_F(Pieces, are_one_stream_for_other_readers) {
    auto options = workshop.options(script);
    for (int level = 1; level <= 9; ++level) {
        options.compression_level = level;
        must(create_archive(options));
        EXPECT_THAT(tool({"unzip", "-t", workshop.text_path("out.fw")}), HasSubstr("No errors detected"));
    }
    EXPECT_THAT(tool({"zip", "-T", workshop.text_path("out.fw")}), HasSubstr("OK"));
    tool({"/usr/bin/python3", "-c",
          "import zipfile,sys\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n"
          "assert z.read('data/rootfs')==open(sys.argv[2],'rb').read()",
          workshop.text_path("out.fw"), workshop.text_path("rootfs")});
}

TEST_F(Pieces, of_both_kinds_are_applied_and_verified) {
    for (auto const compression : {Compression::deflate, Compression::zstd}) {
        auto const bytes = archive(compression);
        MemoryInput input(bytes);
        must(verify_archive(input));
        MemoryDevice disk;
        must(apply_stream(bytes, disk, "complete"));
        EXPECT_EQ(bytes_at(disk, 8, rootfs_bytes), rootfs());
        MemoryDevice other; // rootfs is passed over
        must(apply_stream(bytes, other, "other"));
        EXPECT_EQ(as_text(bytes_at(other, 8, 9)), "some text");
    }
}

TEST_F(Pieces, of_zstd_are_refused_by_unzip) {
    workshop.write("a.fw", archive(Compression::zstd));
    EXPECT_THAT(tool({"sh", "-c", "unzip -t '" + workshop.text_path("a.fw") + "' 2>&1 || true"}),
                HasSubstr("skipping: data/rootfs"));
}

TEST_F(Pieces, damaged_anywhere_are_found_before_they_are_written) {
    for (auto const compression : {Compression::deflate, Compression::zstd}) {
        auto const good = archive(compression);
        for (auto const& [begin, end] : places(good)) {
            for (auto const at : {begin, end - 1}) {
                auto bad = good;
                bad[at] ^= std::byte{0x10};
                MemoryDevice disk;
                auto const applied = apply_stream(bad, disk, "complete");
                ASSERT_FALSE(applied);
                EXPECT_EQ(applied.error().code(), ErrorCode::corrupt);
                EXPECT_THAT(message_of(applied), HasSubstr("resource 'rootfs' is damaged between bytes "));
                EXPECT_THAT(message_of(applied),
                            HasSubstr(" and " + std::to_string(end) + " of the archive"));
                // What did reach the disk is right.
                auto const written = bytes_at(disk, 8, rootfs_bytes);
                EXPECT_TRUE(std::ranges::equal(written, rootfs(), [](std::byte on_disk, std::byte right) {
                    return on_disk == right || on_disk == std::byte{0};
                }));
                EXPECT_EQ(partial(bad).good_bytes, begin == places(good)[0].first
                                                       ? partial(BytesView(good).first(begin)).good_bytes
                                                       : begin);
            }
        }
    }
}

TEST_F(Pieces, that_a_task_does_not_need_are_checked_too) {
    auto bad = archive();
    bad[places(bad)[2].first + 5] ^= std::byte{1};
    MemoryDevice disk;
    EXPECT_THAT(message_of(apply_stream(bad, disk, "other")), HasSubstr("resource 'rootfs' is damaged"));
}

TEST_F(Pieces, with_a_damaged_list_are_refused) {
    auto bad = archive();
    auto const list_end = places(bad)[0].first;
    bad[list_end - 1] ^= std::byte{1};
    MemoryDevice disk;
    EXPECT_THAT(message_of(apply_stream(bad, disk, "complete")),
                HasSubstr("resource 'rootfs' in the archive is damaged: its list of checksums is damaged"));
}

TEST_F(Pieces, tell_how_much_of_a_download_is_good) {
    auto const good = archive();
    EXPECT_TRUE(partial(good).is_complete);
    EXPECT_EQ(partial(good).good_bytes, good.size());
    for (auto const& [begin, end] : places(good)) {
        auto const cut_within = partial(BytesView(good).first(end - 1));
        EXPECT_FALSE(cut_within.is_complete);
        EXPECT_LE(cut_within.good_bytes, begin);
        EXPECT_GE(cut_within.good_bytes + smallest_piece + 1000, begin);
        EXPECT_THAT(cut_within.trouble, HasSubstr("truncated"));
        EXPECT_EQ(partial(BytesView(good).first(end)).good_bytes, end);
    }
    for (std::size_t size = 0; size < good.size(); size += good.size() / 10) {
        EXPECT_LE(partial(BytesView(good).first(size)).good_bytes, size);
    }
    EXPECT_EQ(partial(BytesView(good).first(good.size() - 1)).is_complete, false);
    EXPECT_EQ(partial(noise(5000, 2)).good_bytes, 0u);
    EXPECT_EQ(partial({}).good_bytes, 0u);
}

TEST_F(Pieces, let_a_download_go_on_where_it_was_good) {
    auto const good = archive();
    auto part = Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(places(good)[2].first + 100));
    part[places(good)[1].first + 7] ^= std::byte{4};
    auto const from = static_cast<std::ptrdiff_t>(partial(part).good_bytes);
    EXPECT_EQ(from, static_cast<std::ptrdiff_t>(places(good)[1].first));
    part.resize(static_cast<std::size_t>(from));
    part.insert(part.end(), good.begin() + from, good.end());
    EXPECT_TRUE(partial(part).is_complete);
    EXPECT_EQ(part, good);
}

TEST_F(Pieces, that_are_good_do_not_make_a_wrong_whole_good) {
    auto const ours = archive();
    auto other = rootfs();
    other[5] ^= std::byte{1};
    workshop.write("rootfs", other);
    auto const theirs = archive();
    // The entry of the one behind the meta.conf of the other.
    auto const entry_of = [](BytesView archive) {
        MemoryInput input(archive);
        ZipReader reader(input);
        while (must(reader.next()).value().name != "data/rootfs") {
        }
        return static_cast<std::ptrdiff_t>(reader.entry_offset());
    };
    Bytes mixed(ours.begin(), ours.begin() + entry_of(ours));
    mixed.insert(mixed.end(), theirs.begin() + entry_of(theirs), theirs.end());
    auto const report = partial(mixed);
    EXPECT_FALSE(report.is_complete);
    EXPECT_EQ(report.good_bytes, static_cast<std::uint64_t>(entry_of(ours)));
    EXPECT_THAT(report.trouble, HasSubstr("BLAKE2b-256"));
}

TEST_F(Pieces, of_a_signed_archive_need_the_key_even_when_partial) {
    auto const keys = generate_keys();
    auto const bytes = workshop.archive(script, keys.private_key);
    MemoryInput input(BytesView(bytes).first(bytes.size() / 2));
    auto const refused = verify_partial(input, {.public_keys = {generate_keys().public_key}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::denied);
}

TEST_F(Pieces, survive_signing_anew) {
    workshop.write("a.fw", archive());
    must(sign_archive(workshop.path("a.fw"), workshop.path("b.fw"), generate_keys().private_key));
    auto bytes = workshop.read("b.fw");
    EXPECT_TRUE(partial(bytes).is_complete);
    bytes[places(bytes)[1].first] ^= std::byte{1};
    EXPECT_EQ(partial(bytes).good_bytes, places(bytes)[1].first);
}

TEST_F(Pieces, are_not_needed_to_read_an_archive) {
    workshop.write("a.fw", archive());
    tool({"sh", "-c",
          "cd '" + workshop.path("").string() +
              "' && mkdir x && cd x && unzip -q ../a.fw && zip -q ../b.fw meta.conf data/small data/rootfs "
              "data/empty"});
    auto const bytes = workshop.read("b.fw");
    MemoryDevice disk;
    must(apply_stream(bytes, disk, "complete"));
    EXPECT_EQ(bytes_at(disk, 8, rootfs_bytes), rootfs());
    // Whole entries are what can be relied on then.
    auto const report = partial(BytesView(bytes).first(bytes.size() - 5000));
    EXPECT_FALSE(report.is_complete);
    EXPECT_GT(report.good_bytes, 0u);
    EXPECT_LT(report.good_bytes, 3000u);
}

TEST_F(Pieces, of_patches_are_checked_too) {
    std::string const with_source = R"(
meta-product = "Blinky"
file-resource rootfs { host-path = "rootfs" }
task upgrade { on-resource rootfs { delta-source-raw-offset = 8 delta-source-raw-count = 8000 raw_write(10000) } }
)";
    workshop.write("old.fw", workshop.archive(with_source));
    auto changed = rootfs();
    auto const added = noise(900'000, 77);
    std::ranges::copy(added, changed.begin() + 300'000);
    workshop.write("rootfs", changed);
    workshop.write("new.fw", workshop.archive(with_source));
    for (auto const form : {DeltaForm::segments, DeltaForm::vcdiff}) {
        DeltaOptions options;
        options.from = workshop.path("old.fw");
        options.to = workshop.path("new.fw");
        options.output = workshop.path("delta.fw");
        options.form = form;
        must(make_delta_archive(options));
        auto bytes = workshop.read("delta.fw");
        EXPECT_TRUE(partial(bytes).is_complete);
        auto const middle = bytes.size() * 3 / 4;
        auto const cut = partial(BytesView(bytes).first(middle));
        EXPECT_GT(cut.good_bytes, 500'000u);
        bytes[middle] ^= std::byte{1};
        EXPECT_THAT(partial(bytes).trouble, HasSubstr("resource 'rootfs' is damaged between bytes"));
    }
}

TEST(Checkpoints, grow_with_their_resource) {
    EXPECT_EQ(piece_bytes_for(0), smallest_piece);
    EXPECT_EQ(piece_bytes_for(std::uint64_t{3} << 30), smallest_piece);
    EXPECT_EQ(piece_bytes_for(std::uint64_t{5} << 30), 2 * smallest_piece);
    EXPECT_EQ(piece_bytes_for(std::uint64_t{1} << 40), largest_piece);
}

TEST(Checkpoints, that_do_not_fit_their_entry_are_corrupt) {
    Checkpoints list{smallest_piece, {{100, 1}, {200, 2}}};
    Bytes notes;
    append_note(notes, list);
    EXPECT_EQ(must(checkpoints(notes, smallest_piece + 1)).value().pieces[1].stored_bytes, 200u);
    EXPECT_EQ(must(checkpoints(notes, 2 * smallest_piece)).value().pieces.size(), 2u);
    EXPECT_FALSE(checkpoints(notes, smallest_piece));
    EXPECT_FALSE(checkpoints(notes, 2 * smallest_piece + 1));
    EXPECT_FALSE(checkpoints(notes, ~std::uint64_t{0}));
    EXPECT_FALSE(must(checkpoints({}, smallest_piece)));
    for (auto const& wrong : {Checkpoints{0, {{1, 1}}}, Checkpoints{8u << 20, {{1, 1}}},
                              Checkpoints{smallest_piece, {{0xFFFFFFFF, 1}}}}) {
        notes.clear();
        append_note(notes, wrong);
        EXPECT_FALSE(checkpoints(notes, 100));
    }
}

TEST(Checkpoints, of_a_later_form_are_passed_over) {
    Bytes notes;
    append_note(notes, Checkpoints{smallest_piece, {{100, 1}}});
    notes[3] = std::byte{2};
    EXPECT_FALSE(must(checkpoints(notes, 100)));
}

} // namespace

} // namespace sinew::firmware::test
