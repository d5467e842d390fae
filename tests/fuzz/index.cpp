// The index file of a good segment, with any bytes in it: what is looked up with its help is what a
// plain scan of the segment finds, and what is written back is true.
//
//   input := choice:u8 bytes*             the choice says what is looked up
#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include <xxhash.h>

#include "base/assert.h"
#include "base/random.h"
#include "fuzz/memory_files.h"
#include "fuzz/targets.h"
#include "log/index.h"
#include "log/segment.h"
#include "record/builder.h"

namespace leat::fuzz {
namespace {

const std::string path =
    "/data/partitions/0123456789abcdef0123456789abcdef/0/00000000000000000100.log";
const std::string index_path = path.substr(0, path.size() - 4) + ".index";
constexpr Offset base{100};
constexpr std::size_t header_bytes = 16;
constexpr std::size_t entry_bytes = 20;
constexpr std::uint64_t interval_bytes = 100;

/// A segment that a plain scan has been over.
struct Truth {
  struct Batch {
    log::Place place;
    std::int64_t max_timestamp_before_ms;
    std::int64_t max_timestamp_ms;
  };
  Bytes bytes;
  std::vector<Batch> batches;
  log::Place end;

  bool has(log::Place place) const {
    return place == end || std::any_of(batches.begin(), batches.end(),
                                       [&](const Batch& batch) { return batch.place == place; });
  }
  log::Place floor(Offset offset) const {
    auto at = std::partition_point(batches.begin(), batches.end(), [&](const Batch& batch) {
      return batch.place.offset <= offset;
    });
    return std::prev(at)->place;
  }
};

Truth make_truth() {
  Truth truth;
  record::BatchBuilder builder;
  std::int64_t max_timestamp_ms = -1;
  Offset offset = base;
  for (int i = 0; i < 24; ++i) {
    std::int64_t timestamp_ms = 1000 + 10 * (i % 5) + i;
    for (int j = 0; j <= i % 3; ++j) builder.append(timestamp_ms, {}, as_bytes("value"));
    Bytes batch = builder.build({.base_offset = offset});
    truth.batches.push_back({{offset, truth.bytes.size()}, max_timestamp_ms, timestamp_ms});
    max_timestamp_ms = std::max(max_timestamp_ms, timestamp_ms);
    truth.bytes.insert(truth.bytes.end(), batch.begin(), batch.end());
    offset += i % 3 + 1;
  }
  truth.end = {offset, truth.bytes.size()};
  return truth;
}

const Truth& truth() {
  static const Truth made = make_truth();
  return made;
}

bool is_true(BytesView entry) {
  ByteReader fields(entry);
  Offset offset = base + fields.read<std::uint32_t>();
  std::uint64_t position = fields.read<std::uint32_t>();
  auto before_ms = fields.read<std::int64_t>();
  const auto& batches = truth().batches;
  return std::any_of(batches.begin(), batches.end(), [&](const Truth::Batch& batch) {
    return batch.place == log::Place{offset, position} &&
           batch.max_timestamp_before_ms == before_ms;
  });
}

/// Whether every entry that is taken from the file is true. One that is not, but has the right
/// check, is a forgery, which no accident makes: there any answer will do that is in the segment.
bool decode(BytesView bytes) {
  log::Index index(base, path);
  index.decode(bytes, truth().end);
  if (index.size() == 0) return true;
  Bytes taken = index.encode(0);
  // What was taken stands in the file, from its begin.
  ASSERT(taken.size() == log::Index::file_position(index.size()) && taken.size() <= bytes.size());
  ASSERT(std::equal(taken.begin(), taken.end(), bytes.begin()));
  for (BytesView rest = BytesView(taken).subspan(header_bytes); !rest.empty();
       rest = rest.subspan(entry_bytes)) {
    if (!is_true(rest)) return false;
  }
  return true;
}

void look_up(const log::Segment& segment, Offset offset, std::uint64_t max_bytes, bool is_honest) {
  auto range = segment.read(offset, max_bytes, truth().end);
  if (!is_honest) {
    ASSERT(range || range.error().code == Errc::corrupt_message);
    ASSERT(!range || range->begin.position < range->end.position);
    ASSERT(!range || range->end.position <= truth().end.position);
    return;
  }
  ASSERT(range.has_value());
  ASSERT(range->begin == truth().floor(offset));
  ASSERT(truth().has(range->end) && range->end.position > range->begin.position);
  // One more batch would have been too much, or about as much as was asked for is there.
  if (range->end.offset < truth().end.offset) {
    auto next = segment.read(range->end.offset, 1, truth().end);
    ASSERT(next.has_value() &&
           next->end.position - range->begin.position > max_bytes - max_bytes / 8);
  }
}

void look_up_time(const log::Segment& segment, std::int64_t timestamp_ms) {
  auto place = segment.floor_timestamp(timestamp_ms);
  ASSERT(place.has_value() && truth().has(*place));
  for (const Truth::Batch& batch : truth().batches) {
    if (batch.place.position >= place->position) break;
    ASSERT(batch.max_timestamp_ms < timestamp_ms);
  }
}

}  // namespace

void index(BytesView input) {
  if (input.empty()) return;
  Random random(static_cast<std::uint64_t>(input[0]));
  BytesView bytes = input.subspan(1);
  bool is_honest = decode(bytes);

  static MemoryFiles files;
  files.put(path, truth().bytes);
  files.put(index_path, bytes);
  log::SegmentState state;
  state.base_offset = base;
  state.next_offset = truth().end.offset;
  state.bytes = truth().end.position;
  bool is_damaged = false;
  log::Segment::Settings settings;
  settings.index_interval_bytes = interval_bytes;
  settings.sink = std::make_shared<const log::DamageSink>(
      [&](const log::Damage&, const std::string&) { is_damaged = true; });
  auto segment = std::make_shared<log::Segment>(files, path, state, settings);
  std::int64_t records = truth().end.offset - base;
  for (int i = 0; i < 4; ++i) {
    auto offset = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(records)));
    look_up(*segment, base + offset, random.below(1000), is_honest);
    if (is_honest) look_up_time(*segment, 990 + random.between(0, 100));
  }
  ASSERT(!is_honest || !is_damaged);
  ASSERT(segment->save_index().has_value());
  auto saved = file::read_file(files, index_path);
  ASSERT(saved.has_value());
  ASSERT(!is_honest || decode(*saved));
}

void repair_index(Bytes& input) {
  // Seeded as index.cpp does: by the last three parts of the segment's path.
  static const std::uint64_t seed = [] {
    std::string name = path.substr(path.find("/0123"));
    return XXH3_64bits(name.data(), name.size());
  }();
  for (std::size_t at = 1 + header_bytes; at + entry_bytes <= input.size(); at += entry_bytes) {
    std::uint64_t hash = XXH3_64bits_withSeed(input.data() + at, entry_bytes - 4, seed);
    store_big_endian(input.data() + at + entry_bytes - 4, static_cast<std::uint32_t>(hash));
  }
}

std::vector<Bytes> index_seeds() {
  log::Index index(base, path);
  for (std::size_t i = 0; i < truth().batches.size(); i += 2) {
    index.add(truth().batches[i].place, truth().batches[i].max_timestamp_before_ms);
  }
  Bytes whole{std::byte{5}};
  Bytes encoded = index.encode(0);
  whole.insert(whole.end(), encoded.begin(), encoded.end());
  Bytes half(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() / 2));
  Bytes forged = whole;
  forged[1 + header_bytes + 3] ^= std::byte{1};
  repair_index(forged);
  return {whole, half, forged};
}

}  // namespace leat::fuzz
