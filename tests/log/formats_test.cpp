// What the log writes beside its records: a round trip, and the refusal of every flipped byte.
#include <functional>

#include <xxhash.h>

#include "log/checkpoint.h"
#include "log/index.h"
#include "log/journal.h"
#include "log/journal_entry.h"
#include "log/seal.h"
#include "machine.h"

namespace leat::log::testing {
namespace {

TEST_SUITE_BEGIN("log");

/// Calls `check` with each of the copies of `bytes` in which one byte is another.
void for_each_flip(const Bytes& bytes, const std::function<void(std::size_t, BytesView)>& check) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    Bytes flipped = bytes;
    flipped[at] ^= static_cast<std::byte>(1U << (at % 8));
    CAPTURE(at);
    check(at, flipped);
  }
}

PartitionState some_state(int topic) {
  PartitionState state;
  state.id = partition(topic, 7);
  state.leader_epoch = LeaderEpoch{3};
  state.start_offset = Offset{12};
  state.end_offset = Offset{90};
  state.compacted_to = Offset{50};
  state.segments.push_back({Offset{10}, Offset{50}, 4000, 1234, 5, 6, true, {21, 22, 3900}, 2});
  state.segments.push_back({Offset{50}, Offset{90}, 77, -1, 7, 8, false});
  state.damage.push_back({{Offset{20}, Offset{22}}, Offset{10}, 100, 50});
  state.gaps.push_back({Offset{20}, Offset{21}});
  state.producers_from = Offset{12 + topic};
  return state;
}

bool same(const PartitionState& a, const PartitionState& b) {
  return a.id == b.id && a.leader_epoch == b.leader_epoch && a.start_offset == b.start_offset &&
         a.end_offset == b.end_offset && a.compacted_to == b.compacted_to &&
         a.segments == b.segments && a.damage == b.damage && a.gaps == b.gaps &&
         a.producers_from == b.producers_from;
}

Checkpoint some_checkpoint() {
  Checkpoint checkpoint;
  checkpoint.head = {11, 12, 13, LeaderEpoch{2}};
  checkpoint.partitions = {some_state(1), some_state(2)};
  return checkpoint;
}

void check_same(const Checkpoint& got, const Checkpoint& wanted) {
  CHECK(got.head.salt == wanted.head.salt);
  CHECK(got.head.sequence == wanted.head.sequence);
  CHECK(got.head.early_boot == wanted.head.early_boot);
  CHECK(got.head.epoch_floor == wanted.head.epoch_floor);
  REQUIRE(got.partitions.size() == wanted.partitions.size());
  for (std::size_t i = 0; i < got.partitions.size(); ++i) {
    CHECK(same(got.partitions[i], wanted.partitions[i]));
  }
}

TEST_CASE("a checkpoint survives any flipped byte, and says which copy of it did not") {
  Checkpoint wanted = some_checkpoint();
  Bytes bytes = encode(wanted);
  Result<Checkpoint> whole = decode_checkpoint(bytes);
  REQUIRE(whole.has_value());
  CHECK(whole->flaw == "");
  check_same(*whole, wanted);
  for_each_flip(bytes, [&](std::size_t at, BytesView flipped) {
    Result<Checkpoint> got = decode_checkpoint(flipped);
    REQUIRE(got.has_value());
    check_same(*got, wanted);
    bool is_first = at < bytes.size() / 2;
    CHECK(got->flaw.find(is_first ? "first copy" : "second copy") != std::string::npos);
  });
}

TEST_CASE("a checkpoint of which both copies are bad, or that is cut short, is refused") {
  Bytes bytes = encode(some_checkpoint());
  std::size_t copy = bytes.size() / 2;
  for (std::size_t at = 0; at < copy; ++at) {
    Bytes flipped = bytes;
    flipped[at] ^= std::byte{1};
    flipped[copy + (at * 7) % copy] ^= std::byte{16};
    CHECK(decode_checkpoint(flipped).error().code == Errc::corrupt_message);
    CHECK(decode_checkpoint(BytesView(bytes).first(at)).error().code == Errc::corrupt_message);
  }
}

/// One partition with one segment, written as earlier versions did.
Bytes encode_old(const Checkpoint& checkpoint, std::uint32_t version) {
  Bytes bytes = encode(checkpoint);
  // The last field of a partition came with version 4.
  bytes.resize(bytes.size() / 2 - 2 * sizeof(std::uint64_t));
  auto erase = [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    bytes.erase(bytes.begin() + begin, bytes.begin() + end);
  };
  // Behind head and partition: the segment's marks, and its version.
  constexpr std::ptrdiff_t marks_at = 92 + 49;
  constexpr std::ptrdiff_t version_at = marks_at + 16;
  erase(version == 1 ? marks_at : version_at, version_at + 4);
  constexpr std::ptrdiff_t compacted_to_at = 80;
  erase(compacted_to_at, compacted_to_at + 8);
  ByteWriter out(bytes);
  out.patch(4, version);
  out.write(std::uint64_t{XXH3_64bits(bytes.data(), bytes.size())});
  Bytes both = bytes;
  both.insert(both.end(), bytes.begin(), bytes.end());
  return both;
}

TEST_CASE("checkpoints of earlier versions are read, and tell of what they knew") {
  for (std::uint32_t version : {1, 2}) {
    CAPTURE(version);
    Checkpoint wanted = some_checkpoint();
    wanted.partitions.resize(1);
    PartitionState& state = wanted.partitions.front();
    state.segments.resize(1);
    state.damage.clear();
    state.gaps.clear();
    state.producers_from.reset();
    Bytes old = encode_old(wanted, version);
    state.segments.front().version = 0;
    state.compacted_to = Offset{0};
    if (version == 1) state.segments.front().marks = {};
    Result<Checkpoint> got = decode_checkpoint(old);
    REQUIRE(got.has_value());
    check_same(*got, wanted);
  }
}

TEST_CASE("a seal is read back as it was written, and not at all once a byte is flipped") {
  Seal seal;
  seal.base_offset = Offset{3};
  seal.next_offset = Offset{1} + (std::int64_t{1} << 40);
  seal.bytes = 5;
  seal.batches = 6;
  seal.records = 7;
  seal.min_timestamp_ms = -1;
  seal.max_timestamp_ms = 9;
  seal.last_append_ms = 10;
  seal.hash = ~std::uint64_t{0};
  Bytes bytes = encode(seal);
  Result<Seal> read = decode_seal(bytes);
  REQUIRE(read.has_value());
  CHECK(*read == seal);
  for_each_flip(bytes, [](std::size_t, BytesView flipped) {
    CHECK(decode_seal(flipped).error().code == Errc::corrupt_message);
  });
  CHECK(!decode_seal(BytesView(bytes).first(bytes.size() - 1)).has_value());
}

TEST_CASE("an index is read back up to the entry in which a byte is flipped") {
  constexpr Place end{Offset{160}, 10'000};
  const std::string path = "/data/partitions/aa/0/00000000000000000100.log";
  Index index(Offset{100}, path);
  for (int i = 0; i < 20; ++i) {
    index.add({Offset{100 + 3 * i}, static_cast<std::uint64_t>(400 * i)}, 1000 + i);
  }
  Bytes bytes = index.encode(0);
  REQUIRE(bytes.size() == Index::file_position(20));
  Index whole(Offset{100}, path);
  whole.decode(bytes, end);
  CHECK(whole.size() == 20);
  CHECK(whole.encode(0) == bytes);
  for_each_flip(bytes, [&](std::size_t at, BytesView flipped) {
    Index read(Offset{100}, path);
    read.decode(flipped, end);
    std::size_t good = 0;
    while (Index::file_position(good + 1) <= at) ++good;
    CHECK(read.size() == (at < Index::file_position(0) ? 0 : good));
  });
}

TEST_CASE("an index is not taken for that of another segment, nor beyond the segment's end") {
  Index index(Offset{0}, "/data/partitions/aa/0/00000000000000000000.log");
  index.add({Offset{0}, 0}, -1);
  index.add({Offset{5}, 500}, -1);
  Index other(Offset{0}, "/data/partitions/bb/0/00000000000000000000.log");
  other.decode(index.encode(0), {Offset{9}, 1000});
  CHECK(other.size() == 0);
  Index shorter(Offset{0}, "/elsewhere/partitions/aa/0/00000000000000000000.log");
  shorter.decode(index.encode(0), {Offset{9}, 500});
  CHECK(shorter.size() == 1);
  Index emptier(Offset{0}, "/elsewhere/partitions/aa/0/00000000000000000000.log");
  emptier.decode(index.encode(0), {Offset{5}, 1000});
  CHECK(emptier.size() == 1);
}

/// A journal with one frame that holds an entry of each kind.
class JournalOfOne {
 public:
  JournalOfOne() : files_(executor_, 1), layout_("/data") {
    REQUIRE(files_.make_directories(layout_.journal_directory()).has_value());
    Journal journal(files_, layout_, journal_bytes_min);
    REQUIRE(journal.open(77, 5).has_value());
    FrameBuilder frame;
    DataEntry data;
    data.id = partition(1);
    data.leader_epoch = LeaderEpoch{4};
    data.segment_base = Offset{10};
    data.base_offset = Offset{15};
    data.next_offset = Offset{17};
    data.position = 300;
    data.bytes = text_.size();
    data.max_timestamp_ms = 99;
    data.append_ms = 98;
    data.is_inline = true;
    frame.add(data);
    frame.add_inline(as_bytes(text_));
    frame.add(StartEntry{partition(2), Offset{8}, true});
    frame.add(DamageEntry{partition(3), {{Offset{1}, Offset{2}}, Offset{0}, 3, 4}});
    frame.add(GapEntry{partition(3), {Offset{1}, Offset{2}}});
    frame.add(RemovedEntry{partition(4)});
    frame.add(EndEntry{partition(5), Offset{6}});
    REQUIRE(journal.write(frame).has_value());
  }

  JournalScan scan() {
    Result<JournalScan> scan = scan_journal(files_, layout_, 77, 5);
    REQUIRE(scan.has_value());
    return std::move(*scan);
  }
  std::uint64_t frame_bytes() { return scan().frames.at(0).bytes; }
  void flip(std::uint64_t at) { files_.flip_bit(layout_.journal(0), at, static_cast<int>(at % 8)); }

  const std::string text_ = "what was appended";

 private:
  SimExecutor executor_;
  file::FakeFileSystem files_;
  Layout layout_;
};

TEST_CASE("a journal frame is read back entry by entry") {
  JournalOfOne journal;
  JournalScan scan = journal.scan();
  REQUIRE(scan.frames.size() == 1);
  const Frame& frame = scan.frames[0];
  CHECK(frame.salt == 77);
  CHECK(frame.sequence == 6);
  CHECK(frame.previous == 5);
  CHECK(frame.synced == 5);
  REQUIRE(frame.entries.size() == 6);
  const auto& data = std::get<DataEntry>(frame.entries[0]);
  CHECK(data.id == partition(1));
  CHECK(data.leader_epoch == LeaderEpoch{4});
  CHECK(data.segment_base == Offset{10});
  CHECK(data.base_offset == Offset{15});
  CHECK(data.next_offset == Offset{17});
  CHECK(data.position == 300);
  CHECK(data.bytes == journal.text_.size());
  CHECK(data.max_timestamp_ms == 99);
  CHECK(data.append_ms == 98);
  CHECK(data.is_inline);
  const auto& start = std::get<StartEntry>(frame.entries[1]);
  CHECK((start.id == partition(2) && start.start == Offset{8} && start.all));
  const auto& damage = std::get<DamageEntry>(frame.entries[2]);
  CHECK(damage.damage == Damage{{Offset{1}, Offset{2}}, Offset{0}, 3, 4});
  CHECK(std::get<GapEntry>(frame.entries[3]).range == OffsetRange{Offset{1}, Offset{2}});
  CHECK(std::get<RemovedEntry>(frame.entries[4]).id == partition(4));
  CHECK(std::get<EndEntry>(frame.entries[5]).end == Offset{6});
  CHECK(scan.holes.empty());
}

TEST_CASE("a journal frame does not count once a byte of it is flipped") {
  JournalOfOne journal;
  std::uint64_t bytes = journal.frame_bytes();
  REQUIRE(bytes > frame_header_bytes + journal.text_.size());
  for (std::uint64_t at = 0; at < bytes; ++at) {
    CAPTURE(at);
    journal.flip(at);
    CHECK(journal.scan().frames.empty());
    journal.flip(at);
  }
  // The padding behind it may hold anything.
  journal.flip(bytes);
  CHECK(journal.scan().frames.size() == 1);
}

TEST_CASE("damage that overlaps is one range, and damage within damage is no news") {
  auto damage = [](std::int64_t base, std::int64_t next, std::uint64_t position,
                   std::uint64_t bytes) {
    return Damage{{Offset{base}, Offset{next}}, Offset{0}, position, bytes};
  };
  std::vector<Damage> list;
  CHECK(add_damage(list, damage(10, 20, 100, 50)));
  CHECK(add_damage(list, damage(30, 40, 300, 50)));
  CHECK(!add_damage(list, damage(12, 20, 110, 40)));
  CHECK(!add_damage(list, damage(30, 40, 300, 50)));
  CHECK(add_damage(list, damage(15, 25, 120, 80)));
  CHECK(list == std::vector<Damage>{damage(10, 25, 100, 100), damage(30, 40, 300, 50)});
  CHECK(add_damage(list, damage(5, 50, 50, 400)));
  CHECK(list == std::vector<Damage>{damage(5, 50, 50, 400)});
  CHECK(add_damage(list, damage(50, 51, 450, 1)));
  CHECK(list.size() == 2);
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::log::testing
