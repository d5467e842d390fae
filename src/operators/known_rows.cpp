#include "operators/known_rows.h"

#include <algorithm>

namespace leat::operators {

KnownRows::KnownRows(const OverParts& parts, bool judges_latest)
    : parts_(parts),
      judges_latest_(judges_latest),
      store_(parts.inputs.types()),
      frames_(parts.bound, parts.inputs, store_, parts.frame),
      key_writer_(parts.keys) {}

bool KnownRows::earlier(RowId a, RowId b) const {
  StoredRow left = store_.row(a), right = store_.row(b);
  if (left.time_ms() != right.time_ms()) return left.time_ms() < right.time_ms();
  return left.position() < right.position();
}

KnownRows::Place KnownRows::insert(RowId row) {
  auto [number, is_new] = key_writer_.find_or_add_in(table_, store_.row(row));
  if (keys_.size() <= number) keys_.resize(number + 1);
  Key& key = keys_[number];
  if (is_new) {
    key.passed = frames_.make();
    if (judges_latest_) key.latest = frames_.make();
  }
  auto less = [&](RowId a, RowId b) { return earlier(a, b); };
  // Mostly it is the last one.
  auto place = key.rows.empty() || earlier(key.rows.back(), row)
                   ? key.rows.end()
                   : std::upper_bound(key.rows.begin(), key.rows.end(), row, less);
  place = key.rows.insert(place, row);
  await(number, store_.row(row).time_ms());
  return {number, static_cast<std::size_t>(place - key.rows.begin())};
}

std::size_t KnownRows::frame_begin(const Key& key, std::size_t at) const {
  if (const auto& count = parts_.frame.rows) {
    return at - std::min(at, static_cast<std::size_t>(*count));
  }
  if (!parts_.frame.range_ms) return 0;
  std::int64_t begin = earlier_by(time_of(key.rows[at]), *parts_.frame.range_ms);
  auto found = std::partition_point(key.rows.begin(), key.rows.end(),
                                    [&](RowId row) { return time_of(row) < begin; });
  return static_cast<std::size_t>(found - key.rows.begin());
}

void KnownRows::fill(Frame& frame, const Key& key, std::size_t begin, std::size_t end) {
  if (!parts_.slides()) frames_.merge(frame, key.passed);
  for (std::size_t i = begin; i < end; ++i) frames_.add(frame, key.rows[i]);
}

// A row of frames of time is needed that much longer. Of frames of rows another one is not needed
// for each that is passed.
void KnownRows::await(Number number, std::int64_t time_ms) {
  due_.push({later_by(time_ms, parts_.frame.range_ms.value_or(0) + 1), number});
}

void KnownRows::pass(Watermark watermark) {
  while (!due_.empty() && due_.top().first <= watermark) {
    Number number = due_.top().second;
    due_.pop();
    // The number may have been looked at, or belong to another key by now.
    if (table_.has(number)) pass(number, watermark);
  }
  (void)frames_.run(0);
  for (RowId row : gone_) store_.release(row);
  gone_.clear();
}

// The first row that counts for rows from `watermark` on.
std::size_t KnownRows::needed_from(const Key& key, Watermark watermark) const {
  std::int64_t begin = earlier_by(watermark, parts_.frame.range_ms.value_or(0));
  auto found = std::partition_point(key.rows.begin(), key.rows.end(),
                                    [&](RowId row) { return time_of(row) < begin; });
  auto passed = static_cast<std::size_t>(found - key.rows.begin());
  return passed - std::min(passed, static_cast<std::size_t>(parts_.frame.rows.value_or(0)));
}

void KnownRows::pass(Number number, Watermark watermark) {
  Key& key = keys_[number];
  std::size_t from = needed_from(key, watermark);
  for (std::size_t i = 0; i < from; ++i) {
    if (!parts_.slides()) frames_.add(key.passed, key.rows[i]);
    gone_.push_back(key.rows[i]);
  }
  // The last row's frame has the last of all rows.
  while (key.latest.size() > key.rows.size() - from) frames_.pop(key.latest);
  key.rows.erase(key.rows.begin(), key.rows.begin() + static_cast<std::ptrdiff_t>(from));
  if (!parts_.frame.range_ms || !key.rows.empty()) return;
  frames_.drop(key.passed);
  if (judges_latest_) frames_.drop(key.latest);
  table_.erase(number);
}

void KnownRows::snapshot(StateWriter& writer) const {
  if (!parts_.slides()) frames_.snapshot(writer);
  writer.write(static_cast<std::uint32_t>(table_.size()));
  for (Number number = 0; number < table_.number_end(); ++number) {
    if (!table_.has(number)) continue;
    const Key& key = keys_[number];
    writer.write_text(table_.key(number));
    write_rows(writer, store_, key.rows);
    writer.write(key.changed_from_ms);
    if (parts_.slides()) continue;
    frames_.write(writer, key.passed);
    if (judges_latest_) frames_.write(writer, key.latest);
  }
}

void KnownRows::restore(StateReader& reader) {
  if (!parts_.slides()) frames_.restore(reader);
  for (auto left = reader.read_count(1); left > 0 && reader.ok(); --left) {
    Number number = table_.find_or_add(reader.read_text()).first;
    keys_.resize(table_.number_end());
    Key& key = keys_[number];
    key.rows = read_rows(reader, store_);
    key.changed_from_ms = reader.read<std::int64_t>();
    key.passed = parts_.slides() ? frames_.make() : frames_.read(reader);
    if (judges_latest_) key.latest = parts_.slides() ? frames_.make() : frames_.read(reader);
    for (RowId row : key.rows) await(number, time_of(row));
  }
}

std::size_t KnownRows::bytes() const {
  std::size_t bytes = store_.bytes() + frames_.bytes() + table_.bytes();
  bytes += keys_.capacity() * sizeof(Key) + due_.size() * sizeof(Due);
  for (const Key& key : keys_) {
    bytes += key.rows.capacity() * sizeof(RowId) + key.passed.bytes() + key.latest.bytes();
  }
  return bytes;
}

}  // namespace leat::operators
