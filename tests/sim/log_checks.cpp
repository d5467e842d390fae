#include "sim/log_checks.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "record/batch.h"

namespace leat::sim {
namespace {

/// The damaged range that holds `offset`.
std::optional<log::OffsetRange> damage_at(const log::LogView& view, Offset offset) {
  for (const auto& range : view.damaged) {
    if (range.base <= offset && offset < range.next) return range;
  }
  return std::nullopt;
}

/// The end of the gaps that `offset` is in.
Offset skip_gaps(const LogModel& model, Offset offset) {
  for (bool moved = true; moved;) {
    moved = false;
    for (const auto& gap : model.gaps) {
      if (gap.base > offset || offset >= gap.next) continue;
      offset = gap.next;
      moved = true;
    }
  }
  return offset;
}

/// What one read gave, as batches.
struct Batches {
  Bytes bytes;
  std::vector<record::BatchView> views;
};

Result<Batches> parse_slice(const log::Slice& slice) {
  auto bytes = read_slice(slice);
  if (!bytes) return fail(bytes);
  Batches batches{std::move(*bytes), {}};
  BytesView rest = batches.bytes;
  while (!rest.empty()) {
    auto batch = record::BatchView::parse(rest);
    if (!batch) return fail(batch);
    if (!batch->crc_matches()) return fail(Errc::corrupt_message, "served with a wrong CRC");
    batches.views.push_back(*batch);
    rest = rest.subspan(batch->size_bytes());
  }
  return batches;
}

std::string check_slice_frame(const LogModel& model, const log::LogView& view,
                              std::uint64_t max_bytes, const log::Slice& slice,
                              const std::vector<record::BatchView>& batches) {
  // It may lead over the gap behind its last batch.
  Offset next = batches.back().next_offset();
  bool ends_well = slice.next_offset == next || slice.next_offset == skip_gaps(model, next);
  if (slice.base_offset != batches.front().base_offset() || !ends_well) {
    return fmt::format("the slice says [{}, {}), its batches [{}, {})", slice.base_offset.value(),
                       slice.next_offset.value(), batches.front().base_offset().value(),
                       batches.back().next_offset().value());
  }
  if (slice.next_offset > view.high_watermark) {
    return fmt::format("the slice ends at {}, above the high watermark {}",
                       slice.next_offset.value(), view.high_watermark.value());
  }
  if (slice.bytes > max_bytes && batches.size() > 1) {
    return fmt::format("{} bytes in {} batches, asked for {}", slice.bytes, batches.size(),
                       max_bytes);
  }
  return {};
}

const ModelBatch* find_in(const std::vector<ModelBatch>& batches, const record::BatchView& stored) {
  auto found =
      std::ranges::find_if(batches, [&](const ModelBatch& batch) { return batch.is(stored); });
  return found == batches.end() ? nullptr : &*found;
}

/// A batch of the model that `stored` is, of those that may be at its offset.
const ModelBatch* match(const LogModel& model, const record::BatchView& stored, bool with_failed) {
  auto found = model.batches.find(stored.base_offset());
  if (found != model.batches.end() && found->second.is(stored)) return &found->second;
  return with_failed ? find_in(model.failed, stored) : nullptr;
}

std::string at(Offset offset, const std::string& what) {
  return fmt::format("offset {}: {}", offset.value(), what);
}

/// What is on record of an offset where nothing could be read.
std::string check_damage(const LogModel& model, const log::LogView& view, const Error& error,
                         const Excuses& excuses, Offset& from) {
  if (excuses.read_errors && error.code != Errc::corrupt_message) {
    from = view.high_watermark;
    return {};
  }
  if (error.code != Errc::corrupt_message || !excuses.damage) return at(from, error.what);
  auto range = damage_at(view, from);
  if (range) {
    from = range->next;
    return {};
  }
  // Found by this very read: a later view names it. Of a batch that failed and has come back the
  // model does not know how long it is: the next one may begin at the next offset.
  auto batch = model.find(from);
  bool is_known = batch != model.batches.end() && batch->first <= from;
  from = is_known ? batch->second.next() : from + 1;
  return {};
}

}  // namespace

Result<Bytes> read_slice(const log::Slice& slice) {
  Bytes bytes(slice.bytes);
  auto n = slice.file->read_at(slice.position, bytes);
  if (!n) return fail(n);
  if (*n != slice.bytes) return fail(Errc::io_error, "the slice reaches beyond its file");
  return bytes;
}

std::string check_read(const LogModel& model, const log::LogView& view, std::uint64_t max_bytes,
                       const Excuses& excuses, Offset& from) {
  Offset asked = from;
  auto slice = view.read(asked, max_bytes);
  if (!slice) return check_damage(model, view, slice.error(), excuses, from);
  Offset expected = skip_gaps(model, asked);
  if (slice->bytes == 0) {
    from = view.high_watermark;
    if (expected >= view.high_watermark) return {};
    return at(asked, "nothing to read below the high watermark");
  }
  auto batches = parse_slice(*slice);
  if (!batches && excuses.read_errors) {
    from = view.high_watermark;
    return {};
  }
  if (!batches) return at(asked, batches.error().what);
  std::string objection = check_slice_frame(model, view, max_bytes, *slice, batches->views);
  if (!objection.empty()) return at(asked, objection);
  for (const auto& stored : batches->views) {
    if (stored.base_offset() > expected || stored.next_offset() <= expected) {
      return at(expected, fmt::format("the batch given is [{}, {})", stored.base_offset().value(),
                                      stored.next_offset().value()));
    }
    if (!match(model, stored, false)) {
      return at(expected, "the batch given is not the one that was appended there");
    }
    expected = skip_gaps(model, stored.next_offset());
  }
  if (!view.is_checked(asked, max_bytes)) return at(asked, "read, and yet not checked");
  from = slice->next_offset;
  return {};
}

std::string check_all(const LogModel& model, const log::LogView& view, const Excuses& excuses) {
  Offset from = view.start_offset;
  while (from < view.high_watermark) {
    std::string objection = check_read(model, view, 1 << 20, excuses, from);
    if (!objection.empty()) return objection;
  }
  return {};
}

std::string check_timestamp(const LogModel& model, const log::LogView& view,
                            std::int64_t timestamp_ms, const Excuses& excuses) {
  auto found = view.find_timestamp(timestamp_ms);
  if (!found) {
    return excuses.damage || excuses.read_errors ? std::string() : found.error().what;
  }
  if (excuses.damage) return {};
  auto expected = model.find_timestamp(timestamp_ms);
  if (found->has_value() == expected.has_value() &&
      (!expected || ((*found)->offset == expected->offset &&
                     (*found)->timestamp_ms == expected->timestamp_ms))) {
    return {};
  }
  return fmt::format("the lookup of {} gave {} instead of {}", timestamp_ms,
                     *found ? (*found)->offset.value() : -1,
                     expected ? expected->offset.value() : -1);
}

std::string check_max_timestamp(const LogModel& model, const log::LogView& view,
                                const Excuses& excuses) {
  auto found = view.find_max_timestamp();
  if (!found) {
    return excuses.damage || excuses.read_errors ? std::string() : found.error().what;
  }
  if (excuses.damage) return {};
  auto expected = model.max_timestamp();
  if (!*found && !expected) return {};
  if (*found && expected && (*found)->timestamp_ms == *expected &&
      model.timestamp_at((*found)->offset) == expected) {
    return {};
  }
  return fmt::format("the largest timestamp is said to be {} at {}, it is {}",
                     *found ? (*found)->timestamp_ms : -1, *found ? (*found)->offset.value() : -1,
                     expected.value_or(-1));
}

namespace {

/// Walks a recovered log and collects what is in it.
class RecoveredBatches {
 public:
  RecoveredBatches(const LogModel& model, const log::LogView& view, const RecoveryTerms& terms)
      : model_(model), view_(view), terms_(terms) {}

  std::string collect() {
    Offset from = view_.start_offset;
    while ((from = skip_gaps(model_, from)) < view_.high_watermark) {
      auto slice = view_.read(from, 1 << 20);
      std::string objection = slice ? take(*slice, from) : pass_damage(slice.error(), from);
      if (!objection.empty()) return objection;
    }
    return {};
  }
  LogModel::Batches batches;

 private:
  std::string take(const log::Slice& slice, Offset& from) {
    if (slice.bytes == 0) return at(from, "nothing to read below the high watermark");
    auto read = parse_slice(slice);
    if (!read) return at(from, read.error().what);
    for (const auto& stored : read->views) {
      from = skip_gaps(model_, from);
      if (stored.base_offset() > from || stored.next_offset() <= from) {
        return at(from, fmt::format("recovered [{}, {}) in its place", stored.base_offset().value(),
                                    stored.next_offset().value()));
      }
      const ModelBatch* batch = match(model_, stored, terms_.failed_may_return);
      if (!batch && terms_.checkpoint_is_lost) batch = find_in(model_.ghosts, stored);
      if (!batch) return at(from, "recovered what was never appended there");
      batches[batch->base] = *batch;
      from = batch->next();
    }
    return {};
  }

  std::string pass_damage(const Error& error, Offset& from) {
    Offset begin = from;
    std::string objection = check_damage(model_, view_, error, terms_.excuses, from);
    if (!objection.empty()) return objection;
    for (auto known = model_.find(begin); known != model_.batches.end(); ++known) {
      if (known->first < from) batches[known->first] = known->second;
    }
    return {};
  }

  const LogModel& model_;
  const log::LogView& view_;
  const RecoveryTerms& terms_;
};

}  // namespace

std::string check_recovery(LogModel& model, const log::Log& log, const RecoveryTerms& terms) {
  auto view = log.view();
  Offset reached = std::max(terms.must_have, view->start_offset);
  if (view->start_offset < terms.start_must_have && !terms.loss_is_excused &&
      !terms.checkpoint_is_lost) {
    return fmt::format("the start went back from {} to {}", terms.start_must_have.value(),
                       view->start_offset.value());
  }
  if (view->high_watermark < reached && !terms.loss_is_excused) {
    return fmt::format("only records below {} are left, those below {} were promised",
                       view->high_watermark.value(), reached.value());
  }
  if (log.high_watermark() != log.end_offset()) return "recovery left something unreadable";
  bool epoch_is_kept = !terms.loss_is_excused;
  if (epoch_is_kept && log.leader_epoch() < model.leader_epoch) return "the leader epoch went back";
  bool cut = view->high_watermark < model.high_watermark;
  if (cut && epoch_is_kept && log.leader_epoch() <= model.leader_epoch) {
    return fmt::format("the end went back from {} to {} under the same leader epoch",
                       model.high_watermark.value(), view->high_watermark.value());
  }
  std::string objection = model.settle_gaps(*view);
  bool may_forget =
      terms.gaps_may_be_forgotten || terms.loss_is_excused || terms.checkpoint_is_lost;
  if (!objection.empty() && !may_forget) return objection;
  RecoveredBatches recovered(model, *view, terms);
  objection = recovered.collect();
  if (!objection.empty()) return objection;
  for (const auto& [base, batch] : model.batches) {
    bool promised = batch.next() <= terms.must_have && batch.next() > view->start_offset;
    auto found = recovered.batches.find(base);
    bool same = found != recovered.batches.end() && found->second.serial == batch.serial;
    if (promised && !same && !terms.loss_is_excused) return at(base, "a promised batch is lost");
  }
  // A damaged range may end within a batch that is no longer there.
  std::erase_if(recovered.batches,
                [&](const auto& found) { return found.second.next() > view->high_watermark; });
  for (auto& [base, batch] : recovered.batches) batch.acknowledged = true;
  // Files that retention removed may come back with the next power loss.
  for (auto& [base, batch] : model.batches) {
    if (batch.next() <= view->start_offset) recovered.batches.insert({base, std::move(batch)});
  }
  for (auto& [base, batch] : model.batches) {
    auto kept = recovered.batches.find(base);
    if (kept != recovered.batches.end() && kept->second.serial == batch.serial) continue;
    model.ghosts.push_back(std::move(batch));
  }
  std::move(model.failed.begin(), model.failed.end(), std::back_inserter(model.ghosts));
  model.batches = std::move(recovered.batches);
  model.failed.clear();
  model.end = model.high_watermark = view->high_watermark;
  model.closed_end = std::min(model.closed_end, model.end);
  model.start = view->start_offset;
  model.start_acknowledged = std::min(model.start_acknowledged, model.start);
  model.leader_epoch = log.leader_epoch();
  return {};
}

}  // namespace leat::sim
