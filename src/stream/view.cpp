// A snapshot of a view, within that of its task:
//
//   view := has_ended:u8 ended_at:i64 dropped_to_ms:i64
//           rows:u32 (key:text json:text event_time_ms:i64)*
#include "stream/view.h"

#include <algorithm>

#include <fmt/format.h>

namespace leat::stream {

namespace {

constexpr std::size_t row_overhead = 160;  // of its nodes and counts

std::size_t bytes_of(const ViewRowPtr& row) {
  return row ? row->key.size() + row->json.size() + row_overhead : 0;
}

}  // namespace

std::size_t View::bytes_of(const Change& change) {
  return change.key.size() + sizeof(Change) + stream::bytes_of(change.row);
}

void View::stage(std::string key, ViewRowPtr row) {
  staged_.push_back({std::move(key), std::move(row)});
}

void View::seal() {
  sealed_.push_back({std::exchange(staged_, {}), ended_at_});
}

// The key of a row that is there is its own, so that it lives as long.
void View::set(const std::string& key, ViewRowPtr row, Epoch& epoch) {
  auto found = rows_.find(key);
  Change before{key, found == rows_.end() ? nullptr : found->second};
  if (found != rows_.end()) {
    if (options_.keep_ms) by_time_.erase({found->second->event_time_ms, found->first});
    row_bytes_ -= stream::bytes_of(found->second);
    rows_.erase(found);
  }
  if (row) {
    if (options_.keep_ms) by_time_.emplace(row->event_time_ms, row->key);
    row_bytes_ += stream::bytes_of(row);
    std::string_view own = row->key;
    rows_.emplace(own, std::move(row));
  }
  epoch.bytes += bytes_of(before);
  epoch.before.push_back(std::move(before));
}

void View::expire(Epoch& epoch) {
  if (!options_.keep_ms || moment_.watermark == operators::watermark_min ||
      moment_.watermark == operators::watermark_max) {
    return;
  }
  while (!by_time_.empty() && by_time_.begin()->first < moment_.watermark - *options_.keep_ms) {
    moment_.dropped_to_ms = std::max(moment_.dropped_to_ms, by_time_.begin()->first);
    set(std::string(by_time_.begin()->second), nullptr, epoch);
  }
}

void View::forget() {
  while (undo_bytes_ > options_.undo_bytes_max) {
    undo_bytes_ -= undo_.front().bytes;
    undo_.pop_front();
  }
}

void View::publish(ViewMoment moment) {
  Sealed sealed = std::move(sealed_.front());
  sealed_.pop_front();
  std::lock_guard lock(mutex_);
  Epoch epoch;
  epoch.moment = std::exchange(moment_, std::move(moment));
  moment_.complete_to = sealed.ended_at.value_or(moment_.watermark);
  moment_.dropped_to_ms = epoch.moment.dropped_to_ms;
  epoch.bytes = sizeof(Epoch) + epoch.moment.inputs.size() * sizeof(ViewMoment::Input);
  for (Change& change : sealed.changes) set(change.key, std::move(change.row), epoch);
  expire(epoch);
  undo_bytes_ += epoch.bytes;
  undo_.push_back(std::move(epoch));
  forget();
}

void View::forget_past() {
  std::lock_guard lock(mutex_);
  undo_.clear();
  undo_bytes_ = 0;
}

Result<std::size_t> View::epochs_behind(const Query& query) const {
  std::size_t behind = 0;
  const ViewMoment* at = &moment_;
  auto is_past = [&] {
    return (query.epoch && at->epoch > *query.epoch) ||
           (query.time_ms && at->committed_ms > *query.time_ms);
  };
  while (is_past()) {
    if (behind == undo_.size()) {
      return fail(Errc::offset_out_of_range,
                  fmt::format("view {} is known from epoch {} on", options_.name, at->epoch));
    }
    at = &undo_[undo_.size() - ++behind].moment;
  }
  if (query.epoch && *query.epoch > moment_.epoch) {
    return fail(Errc::offset_out_of_range, fmt::format("view {} is at epoch {}, before epoch {}",
                                                       options_.name, moment_.epoch, *query.epoch));
  }
  return behind;
}

Result<View::Answer> View::read(const Query& query) const {
  std::lock_guard lock(mutex_);
  auto behind = epochs_behind(query);
  if (!behind) return fail(behind);
  Answer answer{*behind == 0 ? moment_ : undo_[undo_.size() - *behind].moment, {}, false};
  // What the epochs since then have replaced; of a key the oldest counts.
  std::map<std::string_view, ViewRowPtr> replaced;
  for (std::size_t i = 0; i < *behind; ++i) {
    const auto& before = undo_[undo_.size() - 1 - i].before;
    for (auto change = before.rbegin(); change != before.rend(); ++change) {
      replaced[change->key] = change->row;
    }
  }
  if (query.key) {
    auto then = replaced.find(*query.key);
    auto now = rows_.find(*query.key);
    if (then != replaced.end()) {
      if (then->second) answer.rows.push_back(then->second);
    } else if (now != rows_.end()) {
      answer.rows.push_back(now->second);
    }
    return answer;
  }
  auto now = query.after ? rows_.upper_bound(*query.after) : rows_.begin();
  auto then = query.after ? replaced.upper_bound(*query.after) : replaced.begin();
  while (now != rows_.end() || then != replaced.end()) {
    bool is_then = then != replaced.end() && (now == rows_.end() || then->first <= now->first);
    if (is_then && now != rows_.end() && now->first == then->first) ++now;
    const ViewRowPtr& row = is_then ? then->second : now->second;
    if (row && answer.rows.size() == query.limit) {
      answer.has_more = true;
      break;
    }
    if (row) answer.rows.push_back(row);
    is_then ? static_cast<void>(++then) : static_cast<void>(++now);
  }
  return answer;
}

std::pair<std::uint64_t, std::uint64_t> View::epochs() const {
  std::lock_guard lock(mutex_);
  return {undo_.empty() ? moment_.epoch : undo_.front().moment.epoch, moment_.epoch};
}

std::size_t View::rows() const {
  std::lock_guard lock(mutex_);
  return rows_.size();
}

std::size_t View::bytes() const {
  std::lock_guard lock(mutex_);
  return row_bytes_ + undo_bytes_;
}

void View::snapshot(StateWriter& writer) const {
  std::map<std::string_view, ViewRowPtr> all;
  std::int64_t dropped_to_ms = 0;
  {
    std::lock_guard lock(mutex_);
    all.insert(rows_.begin(), rows_.end());
    dropped_to_ms = moment_.dropped_to_ms;
  }
  auto apply = [&](const std::vector<Change>& changes) {
    for (const Change& change : changes) {
      all.erase(change.key);
      if (change.row) all.emplace(change.row->key, change.row);
    }
  };
  for (const auto& sealed : sealed_) apply(sealed.changes);
  apply(staged_);
  writer.write(static_cast<std::uint8_t>(ended_at_ ? 1 : 0));
  writer.write(ended_at_.value_or(0));
  writer.write(dropped_to_ms);
  writer.write(static_cast<std::uint32_t>(all.size()));
  for (const auto& [key, row] : all) {
    writer.write_text(key);
    writer.write_text(row->json);
    writer.write(row->event_time_ms);
  }
}

Result<void> View::restore(StateReader& reader) {
  constexpr std::size_t row_bytes_min = 10;
  bool has_ended = reader.read<std::uint8_t>() != 0;
  auto ended_at = reader.read<operators::Watermark>();
  if (has_ended) ended_at_ = ended_at;
  auto dropped_to_ms = reader.read<std::int64_t>();
  std::uint32_t count = reader.read_count(row_bytes_min);
  std::lock_guard lock(mutex_);
  moment_.dropped_to_ms = dropped_to_ms;
  Epoch ignored;
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    auto row = std::make_shared<ViewRow>();
    row->key = reader.read_text();
    row->json = reader.read_text();
    row->event_time_ms = reader.read<std::int64_t>();
    std::string key = row->key;
    set(key, std::move(row), ignored);
  }
  if (!reader.ok()) return fail(Errc::corrupt_message, "the snapshot of a view ends early");
  return {};
}

}  // namespace leat::stream
