#include "sim/log_model.h"

#include <algorithm>

#include <fmt/core.h>

namespace leat::sim {

bool ModelBatch::is(const record::BatchView& stored) const {
  namespace field = record::batch_field;
  auto same = [&](std::size_t from, std::size_t to) {
    return std::equal(bytes.begin() + from, bytes.begin() + to, stored.bytes().begin() + from);
  };
  return stored.base_offset() == base && stored.size_bytes() == bytes.size() &&
         same(field::length, field::leader_epoch) && same(field::magic, bytes.size());
}

LogModel::Batches::const_iterator LogModel::find(Offset offset) const {
  auto after = batches.upper_bound(offset);
  if (after == batches.begin()) return after;
  auto before = std::prev(after);
  return before->second.next() > offset ? before : after;
}

Offset LogModel::acknowledged_end(std::int64_t appended_ms_max) const {
  Offset acknowledged{0};
  for (const auto& [base, batch] : batches) {
    if (batch.acknowledged && batch.appended_ms <= appended_ms_max) acknowledged = batch.next();
  }
  return acknowledged;
}

bool LogModel::roll_back(Offset offset) {
  auto from = batches.lower_bound(offset);
  for (auto at = from; at != batches.end(); ++at) {
    if (at->second.acknowledged) return false;
  }
  for (auto at = from; at != batches.end(); ++at) failed.push_back(std::move(at->second));
  batches.erase(from, batches.end());
  end = std::min(end, offset);
  return true;
}

void LogModel::add_gap(log::OffsetRange range) {
  gaps.push_back(range);
  auto first = batches.lower_bound(range.base);
  auto last = batches.lower_bound(range.next);
  for (auto at = first; at != last; ++at) given_up.push_back(std::move(at->second));
  batches.erase(first, last);
}

std::string LogModel::settle_gaps(const log::LogView& view) {
  auto is_forgotten = [&](const log::OffsetRange& gap) {
    Offset base = std::max(gap.base, view.start_offset);
    Offset next = std::min(gap.next, view.high_watermark);
    return base < next && std::ranges::none_of(view.gaps, [&](const log::OffsetRange& known) {
             return known.base <= base && next <= known.next;
           });
  };
  std::string objection;
  for (const auto& gap : gaps_acknowledged) {
    if (!is_forgotten(gap)) continue;
    objection = fmt::format("that [{}, {}) is lost was accepted, and is forgotten",
                            gap.base.value(), gap.next.value());
  }
  for (const auto& gap : gaps) {
    if (!is_forgotten(gap)) continue;
    auto was_in = [&](const ModelBatch& batch) {
      return gap.base <= batch.base && batch.base < gap.next;
    };
    for (ModelBatch& batch : given_up) {
      if (was_in(batch)) batches.insert({batch.base, std::move(batch)});
    }
    std::erase_if(given_up, was_in);
  }
  std::erase_if(gaps, is_forgotten);
  gaps_acknowledged = gaps;
  return objection;
}

void LogModel::note_options(const log::LogOptions& options) {
  if (options.retention_bytes >= 0) {
    least_retention_bytes = std::min(least_retention_bytes, options.retention_bytes);
  }
  if (options.retention_ms >= 0) {
    least_retention_ms = std::min(least_retention_ms, options.retention_ms);
  }
}

void LogModel::forget_options(const log::LogOptions& options) {
  least_retention_bytes = least_retention_ms = std::numeric_limits<std::int64_t>::max();
  note_options(options);
}

std::string LogModel::objection_to_start(Offset now_at, std::int64_t now_ms) const {
  if (now_at <= start || now_at <= start_asked) return {};
  std::int64_t kept_bytes = 0;
  std::int64_t youngest_ms = std::numeric_limits<std::int64_t>::min();
  for (const auto& [base, batch] : batches) {
    if (base >= now_at) kept_bytes += static_cast<std::int64_t>(batch.bytes.size());
    if (base < now_at && base >= start) youngest_ms = std::max(youngest_ms, batch.appended_ms);
  }
  for (const ModelBatch& batch : given_up) {
    if (batch.base >= now_at) kept_bytes += static_cast<std::int64_t>(batch.bytes.size());
  }
  // Segments may have some bytes of their own.
  if (kept_bytes + 1024 >= least_retention_bytes) return {};
  bool aged = least_retention_ms < std::numeric_limits<std::int64_t>::max() &&
              youngest_ms <= now_ms - least_retention_ms;
  if (aged) return {};
  return fmt::format(
      "the start moved from {} to {}, which nobody asked for: {} bytes are left, "
      "the youngest record deleted was {} ms old",
      start.value(), now_at.value(), kept_bytes, now_ms - youngest_ms);
}

std::optional<log::TimestampOffset> LogModel::find_timestamp(std::int64_t timestamp_ms) const {
  for (auto at = find(start); at != batches.end(); ++at) {
    const ModelBatch& batch = at->second;
    for (std::int32_t i = 0; i < batch.records; ++i) {
      Offset offset = batch.base + i;
      if (offset < start || offset >= high_watermark) continue;
      if (batch.timestamps_ms[i] >= timestamp_ms) return {{batch.timestamps_ms[i], offset}};
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> LogModel::max_timestamp() const {
  std::optional<std::int64_t> largest;
  for (auto at = find(start); at != batches.end(); ++at) {
    const ModelBatch& batch = at->second;
    for (std::int32_t i = 0; i < batch.records; ++i) {
      Offset offset = batch.base + i;
      if (offset < start || offset >= high_watermark) continue;
      largest = std::max(largest.value_or(batch.timestamps_ms[i]), batch.timestamps_ms[i]);
    }
  }
  return largest;
}

std::optional<std::int64_t> LogModel::timestamp_at(Offset offset) const {
  auto at = find(offset);
  if (at == batches.end() || at->first > offset) return std::nullopt;
  return at->second.timestamps_ms[static_cast<std::size_t>(offset - at->first)];
}

}  // namespace leat::sim
