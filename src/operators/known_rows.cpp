#include "operators/known_rows.h"

#include <algorithm>

#include "operators/saved_rows.h"

namespace leat::operators {

KnownRows::KnownRows(const OverParts& parts, bool judges_latest)
    : parts_(parts),
      judges_latest_(judges_latest),
      store_(parts.inputs.types()),
      frames_(parts.bound, parts.inputs, store_, parts.frame),
      hashed_(parts.keys) {}

bool KnownRows::earlier(const Row& a, const Row& b) const {
  if (a.time_ms != b.time_ms) return a.time_ms < b.time_ms;
  return store_.row(a.id).position() < store_.row(b.id).position();
}

std::vector<KnownRows::Number> KnownRows::keys_of(std::span<const RowId> rows) {
  std::vector<Number> numbers(rows.size());
  auto cells_of = [&](std::size_t i) { return store_.row(rows[i]); };
  hashed_.for_each(table_, rows.size(), cells_of, [&](std::size_t i, const auto& key) {
    numbers[i] = key_of(table_.find_or_add(key));
  });
  return numbers;
}

KnownRows::Number KnownRows::key_of(std::pair<Number, bool> found) {
  auto [number, is_new] = found;
  if (keys_.size() <= number) keys_.resize(number + 1);
  if (!is_new) return number;
  Key& key = keys_[number];
  key.passed = frames_.make();
  if (judges_latest_) key.latest = frames_.make();
  return number;
}

std::size_t KnownRows::insert(Number number, RowId id) {
  Key& key = keys_[number];
  Row row{id, time_of(id)};
  auto less = [&](const Row& a, const Row& b) { return earlier(a, b); };
  // Mostly it is the last one.
  auto place = key.rows.empty() || earlier(key.rows.back(), row)
                   ? key.rows.end()
                   : std::upper_bound(key.rows.begin(), key.rows.end(), row, less);
  place = key.rows.insert(place, row);
  await(number, due_of(row));
  return static_cast<std::size_t>(place - key.rows.begin());
}

std::size_t KnownRows::frame_begin(const Key& key, std::size_t at) const {
  if (const auto& count = parts_.frame.rows) {
    return at - std::min(at, static_cast<std::size_t>(*count));
  }
  if (!parts_.frame.range_ms) return 0;
  std::int64_t begin = earlier_by(key.rows[at].time_ms, *parts_.frame.range_ms);
  auto found = std::partition_point(key.rows.begin(), key.rows.end(),
                                    [&](const Row& row) { return row.time_ms < begin; });
  return static_cast<std::size_t>(found - key.rows.begin());
}

void KnownRows::fill(Frame& frame, const Key& key, std::size_t begin, std::size_t end) {
  if (!parts_.slides()) frames_.merge(frame, key.passed);
  for (std::size_t i = begin; i < end; ++i) frames_.add(frame, key.rows[i].id);
}

// A row of frames of time is needed that much longer. Of frames of rows another one is not needed
// for each that is passed.
std::int64_t KnownRows::due_of(const Row& row) const {
  return later_by(row.time_ms, parts_.frame.range_ms.value_or(0) + 1);
}

void KnownRows::await(Number number, std::int64_t due_ms) {
  Key& key = keys_[number];
  if (due_ms >= key.due_ms) return;
  key.due_ms = due_ms;
  due_.push({due_ms, number});
}

// Once for each key that waits, not for each of its rows.
void KnownRows::await_next(Number number, Watermark watermark) {
  Key& key = keys_[number];
  key.due_ms = watermark_max;
  auto next = std::partition_point(key.rows.begin(), key.rows.end(),
                                   [&](const Row& row) { return due_of(row) <= watermark; });
  if (next != key.rows.end()) await(number, due_of(*next));
}

void KnownRows::pass(Watermark watermark) {
  while (!due_.empty() && due_.top().first <= watermark) {
    auto [due_ms, number] = due_.top();
    due_.pop();
    // It may have been looked at, or the number belong to another key by now.
    if (table_.has(number) && keys_[number].due_ms == due_ms) pass(number, watermark);
  }
  (void)frames_.run(0);
  for (RowId row : gone_) store_.release(row);
  gone_.clear();
}

// The first row that counts for rows from `watermark` on.
std::size_t KnownRows::needed_from(const Key& key, Watermark watermark) const {
  std::int64_t begin = earlier_by(watermark, parts_.frame.range_ms.value_or(0));
  auto found = std::partition_point(key.rows.begin(), key.rows.end(),
                                    [&](const Row& row) { return row.time_ms < begin; });
  auto passed = static_cast<std::size_t>(found - key.rows.begin());
  return passed - std::min(passed, static_cast<std::size_t>(parts_.frame.rows.value_or(0)));
}

void KnownRows::pass(Number number, Watermark watermark) {
  Key& key = keys_[number];
  std::size_t from = needed_from(key, watermark);
  for (std::size_t i = 0; i < from; ++i) {
    if (!parts_.slides()) frames_.add(key.passed, key.rows[i].id);
    gone_.push_back(key.rows[i].id);
  }
  // The last row's frame has the last of all rows.
  while (key.latest.size() > key.rows.size() - from) frames_.pop(key.latest);
  key.rows.erase(key.rows.begin(), key.rows.begin() + static_cast<std::ptrdiff_t>(from));
  await_next(number, watermark);
  if (!parts_.frame.range_ms || !key.rows.empty()) return;
  frames_.drop(key.passed);
  if (judges_latest_) frames_.drop(key.latest);
  table_.erase(number);
}

void KnownRows::snapshot(StateWriter& writer) const {
  SavedRows saved(writer, store_);
  if (!parts_.slides()) frames_.snapshot(writer);
  writer.write(static_cast<std::uint32_t>(table_.size()));
  std::vector<RowId> ids;
  // Each key's rows are somewhere else in memory.
  constexpr std::size_t ahead = 16;
  for (Number number = 0; number < table_.number_end(); ++number) {
    if (number + ahead < keys_.size()) __builtin_prefetch(keys_[number + ahead].rows.data());
    if (!table_.has(number)) continue;
    const Key& key = keys_[number];
    writer.write_text(table_.key(number));
    ids.clear();
    for (const Row& row : key.rows) ids.push_back(row.id);
    saved.write(ids);
    writer.write(key.changed_from_ms);
    if (parts_.slides()) continue;
    frames_.write(writer, key.passed);
    if (judges_latest_) frames_.write(writer, key.latest);
  }
}

void KnownRows::restore(StateReader& reader) {
  RestoredRows restored(reader, store_);
  if (!parts_.slides()) frames_.restore(reader);
  for (auto left = reader.read_count(1); left > 0 && reader.ok(); --left) {
    Number number = table_.find_or_add(reader.read_text()).first;
    keys_.resize(table_.number_end());
    Key& key = keys_[number];
    for (RowId id : restored.take_some()) key.rows.push_back({id, time_of(id)});
    key.changed_from_ms = reader.read<std::int64_t>();
    key.passed = parts_.slides() ? frames_.make() : frames_.read(reader);
    if (judges_latest_) key.latest = parts_.slides() ? frames_.make() : frames_.read(reader);
    // All of it, whatever was passed, is looked at once more.
    if (!key.rows.empty()) await(number, due_of(key.rows.front()));
  }
  restored.finish();
}

std::size_t KnownRows::bytes() const {
  std::size_t bytes = store_.bytes() + frames_.bytes() + table_.bytes();
  bytes += keys_.capacity() * sizeof(Key) + due_.size() * sizeof(Due);
  for (const Key& key : keys_) {
    bytes += key.rows.capacity() * sizeof(Row) + key.passed.bytes() + key.latest.bytes();
  }
  return bytes;
}

}  // namespace leat::operators
