#include "log/scan.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/core.h>

#include "base/crc32c.h"
#include "record/batch.h"

namespace leat::log {
namespace {

namespace field = record::batch_field;

/// A search for the boundary behind damage gives up after so many candidates that looked right:
/// hostile bytes could make it quadratic.
constexpr int resync_attempts_max = 64;
constexpr std::uint64_t resync_bytes_max = std::uint64_t{4} << 20;

/// Whether good batches lead from `begin` exactly to `end`.
Result<bool> leads_to(const file::File& file, Place begin, Place end) {
  BatchScanner scanner(file, begin, end.position, BatchScanner::Check::crc);
  while (true) {
    Result<std::optional<ScannedBatch>> batch = scanner.next();
    if (!batch) return fail(batch);
    if (!*batch) break;
  }
  return scanner.cause().empty() && scanner.place() == end;
}

/// Where the header of the bad batch in `region` says that it ends, if another one begins there.
Result<std::optional<Place>> claimed_boundary(const file::File& file, BytesView region, Place bad,
                                              Place end) {
  std::optional<BatchHead> head = parse_head(region, end.position - bad.position);
  if (!head || head->base_offset != bad.offset || head->next_offset > end.offset) {
    return std::nullopt;
  }
  Place claimed{head->next_offset, bad.position + head->bytes};
  if (claimed == end) return claimed;
  BatchScanner scanner(file, claimed, end.position, BatchScanner::Check::crc);
  Result<std::optional<ScannedBatch>> next = scanner.next();
  if (!next) return fail(next);
  if (!*next || (*next)->head.next_offset > end.offset) return std::nullopt;
  return claimed;
}

/// The first boundary behind the bad batch at `bad` from which good batches lead to `end`.
Result<Place> find_boundary(const file::File& file, Place bad, Place end) {
  std::uint64_t bytes = std::min(end.position - bad.position, resync_bytes_max);
  Bytes region(bytes);
  Result<std::size_t> got = file.read_at(bad.position, region);
  if (!got) return fail(got);
  region.resize(*got);
  Result<std::optional<Place>> claimed = claimed_boundary(file, region, bad, end);
  if (!claimed) return fail(claimed);
  if (*claimed) return **claimed;
  int attempts = 0;
  for (std::size_t at = 1; at + record::batch_header_bytes <= region.size(); ++at) {
    if (static_cast<std::int8_t>(region[at + field::magic]) != record::batch_magic) continue;
    std::uint64_t position = bad.position + at;
    std::optional<BatchHead> head =
        parse_head(BytesView(region).subspan(at), end.position - position);
    if (!head || head->base_offset <= bad.offset || head->base_offset >= end.offset) continue;
    if (++attempts > resync_attempts_max) break;
    Place candidate{head->base_offset, position};
    Result<bool> good = leads_to(file, candidate, end);
    if (!good) return fail(good);
    if (*good) return candidate;
  }
  return end;
}

}  // namespace

std::optional<BatchHead> parse_head(BytesView bytes, std::uint64_t room) {
  if (bytes.size() < record::batch_header_bytes) return std::nullopt;
  if (load_big_endian<std::int8_t>(bytes.data() + field::magic) != record::batch_magic) {
    return std::nullopt;
  }
  std::optional<std::size_t> size = record::batch_size(bytes);
  if (!size || *size > room) return std::nullopt;
  auto base = load_big_endian<std::int64_t>(bytes.data() + field::base_offset);
  auto delta = load_big_endian<std::int32_t>(bytes.data() + field::last_offset_delta);
  BatchHead head;
  head.record_count = load_big_endian<std::int32_t>(bytes.data() + field::record_count);
  if (base < 0 || delta < 0 || head.record_count < 0) return std::nullopt;
  if (base > std::numeric_limits<std::int64_t>::max() - delta - 1) return std::nullopt;
  head.base_offset = Offset{base};
  head.next_offset = head.base_offset + (std::int64_t{delta} + 1);
  head.bytes = *size;
  head.leader_epoch =
      LeaderEpoch{load_big_endian<std::int32_t>(bytes.data() + field::leader_epoch)};
  head.base_timestamp_ms = load_big_endian<std::int64_t>(bytes.data() + field::base_timestamp);
  head.max_timestamp_ms = load_big_endian<std::int64_t>(bytes.data() + field::max_timestamp);
  head.crc = load_big_endian<std::uint32_t>(bytes.data() + field::crc);
  head.producer_id = ProducerId{load_big_endian<std::int64_t>(bytes.data() + field::producer_id)};
  head.base_sequence = load_big_endian<std::int32_t>(bytes.data() + field::base_sequence);
  head.producer_epoch = load_big_endian<std::int16_t>(bytes.data() + field::producer_epoch);
  head.attributes = load_big_endian<std::int16_t>(bytes.data() + field::attributes);
  return head;
}

bool BatchHead::is_transactional() const {
  return (attributes & record::batch_attribute::transactional) != 0;
}

bool BatchHead::is_control() const {
  return (attributes & record::batch_attribute::control) != 0;
}

Result<bool> has_marks(const file::File& file, const SegmentMarks& marks) {
  if (!marks.are_known()) return true;
  for (auto [position, crc] : {std::pair(std::uint64_t{0}, marks.first_crc),
                               std::pair(marks.last_position, marks.last_crc)}) {
    std::array<std::byte, sizeof(crc)> bytes{};
    Result<std::size_t> got = file.read_at(position + field::crc, bytes);
    if (!got) return fail(got);
    if (*got == bytes.size() && load_big_endian<std::uint32_t>(bytes.data()) == crc) return true;
  }
  return false;
}

void add_mark(SegmentMarks& marks, const ScannedBatch& batch) {
  if (batch.position == 0) marks.first_crc = batch.head.crc;
  // Without the first one there are none.
  if (batch.position != 0 && !marks.are_known()) return;
  marks.last_crc = batch.head.crc;
  marks.last_position = batch.position;
}

BatchScanner::BatchScanner(const file::File& file, Place begin, std::uint64_t end, Check check)
    : file_(file), place_(begin), end_(end), check_(check) {}

Result<BytesView> BatchScanner::view(std::uint64_t position, std::uint64_t least) {
  std::uint64_t window_end = window_begin_ + window_bytes_;
  if (position < window_begin_ || position + least > window_end) {
    // Only heads are wanted: reading far ahead would be in vain where batches are large, and often
    // only one is.
    constexpr std::uint64_t ahead_crc = std::uint64_t{1} << 20;
    std::uint64_t ahead_heads = std::uint64_t{window_bytes_ == 0 ? 1U : 16U} << 10;
    std::uint64_t ahead = check_ == Check::crc ? ahead_crc : ahead_heads;
    std::uint64_t bytes = std::min(ahead, end_ - position);
    buffer_.reserve(bytes);
    Result<std::size_t> got = file_.read_at(position, buffer_.bytes().first(bytes));
    if (!got) return fail(got);
    window_begin_ = position;
    window_bytes_ = *got;
    window_end = position + *got;
  }
  return BytesView(buffer_.bytes()).subspan(position - window_begin_, window_end - position);
}

Result<bool> BatchScanner::crc_matches(std::uint64_t position, const BatchHead& head) {
  std::uint64_t end = position + head.bytes;
  position += field::attributes;
  std::uint32_t crc = 0;
  while (position < end) {
    Result<BytesView> piece = view(position, 1);
    if (!piece) return fail(piece);
    if (piece->empty()) return false;
    std::uint64_t n = std::min<std::uint64_t>(piece->size(), end - position);
    crc = crc32c(piece->first(n), crc);
    position += n;
  }
  return crc == head.crc;
}

std::optional<ScannedBatch> BatchScanner::stop(std::string cause) {
  cause_ = std::move(cause);
  return std::nullopt;
}

Result<std::optional<ScannedBatch>> BatchScanner::next() {
  if (place_.position >= end_ || !cause_.empty()) return std::nullopt;
  std::uint64_t room = end_ - place_.position;
  Result<BytesView> start =
      view(place_.position, std::min<std::uint64_t>(room, record::batch_header_bytes));
  if (!start) return fail(start);
  if (start->size() < std::min<std::uint64_t>(room, record::batch_header_bytes)) {
    return stop("the file ends here");
  }
  std::optional<BatchHead> head = parse_head(*start, room);
  if (!head) return stop("no record batch begins here");
  if (head->base_offset != place_.offset) {
    return stop(fmt::format("a record batch with base offset {} stands where {} belongs",
                            head->base_offset.value(), place_.offset.value()));
  }
  if (check_ == Check::crc) {
    Result<bool> good = crc_matches(place_.position, *head);
    if (!good) return fail(good);
    if (!*good) return stop("the record batch fails its CRC");
  }
  ScannedBatch batch{place_.position, *head};
  place_ = {head->next_offset, place_.position + head->bytes};
  return batch;
}

Result<void> check_range(const file::File& file, Offset segment_base, Place begin, Place end,
                         const NextBoundary& next_boundary, const RangeVisitor& visitor) {
  while (begin.position < end.position) {
    BatchScanner scanner(file, begin, end.position, BatchScanner::Check::crc);
    while (true) {
      Result<std::optional<ScannedBatch>> batch = scanner.next();
      if (!batch) return fail(batch);
      // A batch may lead past the end's offset only if the end is no boundary after all.
      if (!*batch || (*batch)->head.next_offset > end.offset) break;
      visitor.batch(**batch);
      begin = scanner.place();
    }
    if (begin == end) return {};
    Place certain = end;
    std::optional<Place> entry = next_boundary(begin.position + 1);
    if (entry && entry->position < end.position && entry->offset > begin.offset) certain = *entry;
    Result<Place> boundary = find_boundary(file, begin, certain);
    if (!boundary) return fail(boundary);
    std::string cause = scanner.cause();
    if (cause.empty()) cause = "the offsets do not lead to what follows";
    visitor.damage({{begin.offset, boundary->offset},
                    segment_base,
                    begin.position,
                    boundary->position - begin.position},
                   cause);
    begin = *boundary;
  }
  if (begin.offset < end.offset) {
    visitor.damage({{begin.offset, end.offset}, segment_base, begin.position, 0},
                   "fewer records than the log has offsets");
  }
  return {};
}

}  // namespace leat::log
