// A segment's bytes as a disk might give them back: every batch in it is found or fenced, and what
// is read is what a plain walk over the bytes finds good.
//
//   input := end:u16 bytes*               `end` is the offset that the segment is said to end at
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/assert.h"
#include "fuzz/memory_files.h"
#include "fuzz/targets.h"
#include "log/scan.h"
#include "log/segment.h"
#include "record/batch.h"
#include "record/builder.h"
#include "record/validate.h"

namespace leat::fuzz {
namespace {

constexpr std::size_t prefix_bytes = 2;
const std::string path =
    "/data/partitions/0123456789abcdef0123456789abcdef/0/00000000000000000000.log";

/// The batch at `place` by the slow way; nullopt for one that is not good.
std::optional<record::BatchView> batch_at(BytesView bytes, log::Place place, log::Place end) {
  auto batch = record::BatchView::parse(bytes.subspan(place.position));
  if (!batch || !batch->crc_matches()) return std::nullopt;
  if (batch->base_offset() != place.offset || batch->next_offset() > end.offset)
    return std::nullopt;
  return *batch;
}

/// What check_range() says of the whole segment, each batch and each damage as it is found.
class Walk {
 public:
  Walk(BytesView bytes, log::Place end) : bytes_(bytes), end_(end) {}

  void run(const file::File& file) {
    log::RangeVisitor visitor;
    visitor.batch = [this](const log::ScannedBatch& found) { batch(found); };
    visitor.damage = [this](const log::Damage& found, const std::string& cause) {
      ASSERT(!cause.empty());
      damage(found);
    };
    auto no_boundary = [](std::uint64_t) { return std::optional<log::Place>(); };
    auto checked = log::check_range(file, Offset{0}, {Offset{0}, 0}, end_, no_boundary, visitor);
    ASSERT(checked.has_value());
    ASSERT(at_ == end_ || (bytes_.empty() && end_.offset == Offset{0}));
  }

  const std::vector<log::ScannedBatch>& batches() const { return batches_; }
  const std::vector<log::Damage>& damages() const { return damages_; }

 private:
  void batch(const log::ScannedBatch& found) {
    ASSERT(found.position == at_.position && found.head.base_offset == at_.offset);
    auto slow = batch_at(bytes_, at_, end_);
    ASSERT(slow.has_value());
    ASSERT(slow->next_offset() == found.head.next_offset && slow->crc() == found.head.crc);
    ASSERT(slow->size_bytes() == found.head.bytes);
    ASSERT(slow->max_timestamp_ms() == found.head.max_timestamp_ms);
    ASSERT(slow->leader_epoch() == found.head.leader_epoch);
    ASSERT(slow->record_count() == found.head.record_count);
    at_ = {found.head.next_offset, at_.position + found.head.bytes};
    batches_.push_back(found);
  }
  void damage(const log::Damage& found) {
    ASSERT(found.position == at_.position && found.offsets.base == at_.offset);
    ASSERT(found.offsets.next >= found.offsets.base);
    if (at_.position < end_.position) ASSERT(!batch_at(bytes_, at_, end_));
    at_ = {found.offsets.next, at_.position + found.bytes};
    damages_.push_back(found);
  }

  BytesView bytes_;
  log::Place end_;
  log::Place at_{};
  std::vector<log::ScannedBatch> batches_;
  std::vector<log::Damage> damages_;
};

/// A read gives the batch with the offset and what follows it, up to damage; or refuses damage.
void check_read(const log::Segment& segment, const Walk& walk, Offset offset, log::Place end) {
  auto range = segment.read(offset, 200, end);
  auto has = [&](const auto& offsets) { return offsets.base <= offset && offset < offsets.next; };
  bool is_damaged = std::any_of(walk.damages().begin(), walk.damages().end(),
                                [&](const log::Damage& damage) { return has(damage.offsets); });
  ASSERT(range.has_value() != is_damaged);
  if (!range) {
    ASSERT(range.error().code == Errc::corrupt_message);
    return;
  }
  const auto& batches = walk.batches();
  auto batch = std::find_if(batches.begin(), batches.end(), [&](const log::ScannedBatch& each) {
    return each.head.base_offset <= offset && offset < each.head.next_offset;
  });
  ASSERT(batch != batches.end());
  ASSERT((range->begin == log::Place{batch->head.base_offset, batch->position}));
  log::Place at = range->begin;
  for (; batch != batches.end() && at.position < range->end.position; ++batch) {
    ASSERT(batch->position == at.position && batch->head.base_offset == at.offset);
    at = {batch->head.next_offset, at.position + batch->head.bytes};
  }
  ASSERT(at == range->end && at.position > range->begin.position);
}

}  // namespace

void segment(BytesView input) {
  if (input.size() < prefix_bytes) return;
  log::Place end{Offset{load_big_endian<std::uint16_t>(input.data())}, input.size() - prefix_bytes};
  BytesView bytes = input.subspan(prefix_bytes);
  static MemoryFiles files;
  files.put(path, bytes);
  auto file = files.open(path, file::OpenMode::read);
  Walk walk(bytes, end);
  walk.run(**file);

  if (end.offset == Offset{0} || bytes.empty()) return;
  log::SegmentState state;
  state.next_offset = end.offset;
  state.bytes = end.position;
  log::Segment::Settings settings;
  settings.index_interval_bytes = 100;
  auto segment = std::make_shared<log::Segment>(files, path, state, settings);
  for (std::int64_t offset = 0; offset < std::min<std::int64_t>(end.offset.value(), 8); ++offset) {
    check_read(*segment, walk, Offset{offset}, end);
  }
  check_read(*segment, walk, end.offset - 1, end);
}

/// Offsets that follow one another, and CRCs, from the begin to where the lengths lead.
void repair_segment(Bytes& input) {
  if (input.size() < prefix_bytes) return;
  std::int64_t offset = 0;
  for (MutableBytes rest = MutableBytes(input).subspan(prefix_bytes); !rest.empty();) {
    auto batch = record::BatchView::parse(rest);
    if (!batch) return;
    MutableBytes mine = rest.first(batch->size_bytes());
    rest = rest.subspan(mine.size());
    store_big_endian(mine.data() + record::batch_field::base_offset, offset);
    record::set_crc(mine);
    offset += std::int64_t{batch->last_offset_delta()} + 1;
  }
}

std::vector<Bytes> segment_seeds() {
  Bytes seed;
  ByteWriter(seed).write(std::uint16_t{16});
  record::BatchBuilder builder;
  for (std::int64_t offset = 0; offset < 16; offset += 4) {
    std::string text(static_cast<std::size_t>(10 * offset), 'x');
    for (int i = 0; i < 4; ++i) builder.append(1000 + offset, {}, as_bytes(text));
    Bytes batch = builder.build({.base_offset = Offset{offset}});
    seed.insert(seed.end(), batch.begin(), batch.end());
  }
  Bytes torn(seed.begin(), seed.end() - 100);
  Bytes flipped = seed;
  flipped[150] ^= std::byte{4};
  return {seed, torn, flipped};
}

}  // namespace leat::fuzz
