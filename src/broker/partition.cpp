#include "broker/partition.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "record/batch.h"

namespace leat::broker {
namespace {

/// a + b, or the nearest int64: bounds of "unlimited" are near the type's own.
std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<std::int64_t>::min()
               : std::numeric_limits<std::int64_t>::max();
}

/// DeleteRecords' offset for "all that can be read".
constexpr std::int64_t to_high_watermark = -1;

/// From this version of Produce on, batches add their partitions to their transactions (KIP-890).
constexpr int first_adding_version = 12;

/// A batch as far as epochs matter.
struct Stretch {
  LeaderEpoch epoch;
  Offset base;
  Offset next;
};

/// The end of the damage around `offset`.
Offset behind_damage(const log::LogView& view, Offset offset) {
  for (const log::OffsetRange& range : view.damaged) {
    if (range.base <= offset && offset < range.next) return range.next;
  }
  return view.high_watermark;
}

/// The first batch from `from` on that can be read; nullopt if there is none.
Result<std::optional<Stretch>> next_batch(const log::LogView& view, Offset from) {
  while (from < view.high_watermark) {
    auto slice = view.read(from, 0);
    if (!slice && slice.error().code == Errc::corrupt_message) {
      from = behind_damage(view, from);
      continue;
    }
    if (!slice) return fail(slice);
    if (slice->bytes == 0) break;
    std::array<std::byte, record::batch_header_bytes> header;
    auto got = slice->file->read_at(slice->position, header);
    if (!got) return fail(got);
    if (*got < header.size()) return fail(Errc::storage_error, "a segment ends in a batch");
    auto epoch = load_big_endian<std::int32_t>(header.data() + record::batch_field::leader_epoch);
    return Stretch{LeaderEpoch{epoch}, slice->base_offset, slice->next_offset};
  }
  return std::nullopt;
}

}  // namespace

Partition::Partition(std::shared_ptr<log::Log> log, const Environment& environment,
                     std::string topic, const TopicSettings& settings)
    : log_(std::move(log)),
      environment_(environment),
      topic_(std::move(topic)),
      settings_(settings) {}

Partition::Ticket Partition::on_gone(UniqueFunction<void()> listener) {
  auto ticket = std::make_shared<UniqueFunction<void()>>(std::move(listener));
  std::erase_if(gone_listeners_, [](const auto& other) { return other.expired(); });
  gone_listeners_.push_back(ticket);
  if (is_gone_) (*ticket)();
  return ticket;
}

void Partition::set_gone() {
  is_gone_ = true;
  if (is_being_made_) end_making(fail(Errc::unknown_topic_or_partition, "the partition is gone"));
  // What was not noted may be lost.
  while (!unnoted_.empty()) {
    set_noted(unnoted_.begin()->first,
              fail(Errc::request_timed_out, "the partition went before the transaction was noted"));
  }
  for (const auto& weak : std::exchange(gone_listeners_, {})) {
    if (auto listener = weak.lock()) (*listener)();
  }
}

void Partition::begin_making() {
  is_being_made_ = true;
  unmade_.reset();
}

void Partition::end_making(const Result<void>& made) {
  is_being_made_ = false;
  unmade_ = made ? std::nullopt : std::optional(made.error());
  for (auto& answer : std::exchange(unanswered_, {})) answer(made);
}

void Partition::append_checked(log::Batch batch, log::Log::AppendDone done) {
  // Shared, because place() either keeps the callback or refuses and leaves it to us.
  auto shared = std::make_shared<log::Log::AppendDone>(std::move(done));
  auto placed = place(std::move(batch), [shared](Result<Offset> at) { (*shared)(std::move(at)); });
  if (placed) return;
  environment_.executor.post(
      [shared, error = placed.error()] { (*shared)(tl::unexpected(error)); });
}

Result<Offset> Partition::place(log::Batch batch, log::Log::AppendDone done) {
  if (!is_being_made_ && !unmade_) return log_->append(std::move(batch), std::move(done));
  auto answer = [weak = weak_from_this(), done = std::move(done)](Result<Offset> base) mutable {
    auto self = weak.lock();
    if (!base || !self) return done(std::move(base));
    if (self->unmade_) return done(tl::unexpected(*self->unmade_));
    if (!self->is_being_made_) return done(std::move(base));
    self->unanswered_.emplace_back(
        [done = std::move(done), base](const Result<void>& made) mutable {
          done(made ? base : fail(made));
        });
  };
  return log_->append(std::move(batch), std::move(answer));
}

Result<log::Batch> Partition::check(std::shared_ptr<const void> owner, MutableBytes records,
                                    int produce_version, std::int64_t now_ms,
                                    std::vector<record::RecordError>* rejected) const {
  record::ProduceRules rules;
  rules.produce_version = static_cast<std::int16_t>(produce_version);
  rules.max_message_bytes = static_cast<std::size_t>(settings_.max_message_bytes);
  rules.requires_keys = settings_.cleanup != CleanupPolicy::remove;
  bool stamps = settings_.timestamps == TimestampKind::log_append_time;
  rules.timestamp_type =
      stamps ? record::TimestampType::log_append_time : record::TimestampType::create_time;
  rules.earliest_timestamp_ms = saturating_add(now_ms, -settings_.timestamp_before_max_ms);
  rules.latest_timestamp_ms = saturating_add(now_ms, settings_.timestamp_after_max_ms);
  auto checked = record::validate_produce(records, rules, environment_.scratch, rejected);
  if (!checked) return fail(checked);
  if (checked->batch.is_transactional() && environment_.transactions == nullptr) {
    return fail(Errc::invalid_request, "this server does not offer transactions");
  }
  std::int64_t max_timestamp_ms = checked->max_timestamp_ms;
  std::int32_t record_count = checked->batch.record_count();
  if (stamps) {
    record::set_append_time(records, now_ms);
    max_timestamp_ms = now_ms;
  } else if (checked->header_needs_max_timestamp()) {
    record::set_max_timestamp(records, max_timestamp_ms);
  }
  return log::Batch{std::move(owner), records, record_count, max_timestamp_ms};
}

void Partition::append(std::shared_ptr<const void> owner, MutableBytes records, int produce_version,
                       AppendDone done, std::vector<record::RecordError>* rejected) {
  std::int64_t now_ms = environment_.clock.wall_ms();
  auto later = [this](AppendDone callback, Error error) {
    environment_.executor.post(
        [callback = std::move(callback), error = std::move(error)]() mutable {
          callback(tl::unexpected(std::move(error)));
        });
  };
  auto batch = check(std::move(owner), records, produce_version, now_ms, rejected);
  if (!batch) return later(std::move(done), batch.error());

  std::int64_t append_time_ms =
      settings_.timestamps == TimestampKind::log_append_time ? now_ms : -1;
  Offset start = log_->start_offset();
  auto answer = [append_time_ms, start,
                 done = std::move(done)](Result<Offset> base_offset) mutable {
    if (!base_offset) return done(fail(base_offset));
    done(Appended{*base_offset, append_time_ms, start});
  };
  auto view = record::BatchView::parse(batch->bytes);
  ASSERT(view);
  if (!view->has_producer_id()) return append_checked(std::move(*batch), std::move(answer));
  ProducerId producer = view->producer_id();
  bool is_transactional = view->is_transactional();
  std::int16_t epoch = view->producer_epoch();
  bool adds = produce_version >= first_adding_version;
  enter({std::move(*batch), std::move(answer), producer, epoch, is_transactional, false, adds});
}

void Partition::delete_records(std::int64_t offset, UniqueFunction<void(Result<Offset>)> done) {
  auto answer = [this](UniqueFunction<void(Result<Offset>)> callback, Result<Offset> result) {
    environment_.executor.post(
        [callback = std::move(callback), result = std::move(result)]() mutable {
          callback(std::move(result));
        });
  };
  if (settings_.cleanup == CleanupPolicy::compact) {
    std::string what = fmt::format("the records of {} are only compacted, not deleted", topic_);
    return answer(std::move(done), fail(Errc::policy_violation, std::move(what)));
  }
  Offset high_watermark = log_->high_watermark();
  Offset start = offset == to_high_watermark ? high_watermark : Offset{offset};
  if (start < Offset{0} || start > high_watermark) {
    std::string what = fmt::format("offset {} is not below the high watermark of {}-{}, {}", offset,
                                   topic_, id().value(), high_watermark.value());
    return answer(std::move(done), fail(Errc::offset_out_of_range, std::move(what)));
  }
  if (start <= log_->start_offset()) return answer(std::move(done), log_->start_offset());
  log_->advance_start(start, [start, done = std::move(done)](Result<void> moved) mutable {
    done(moved ? Result<Offset>(start) : fail(moved));
  });
}

Result<void> Partition::check_leader_epoch(std::int32_t client_epoch) const {
  std::int32_t ours = log_->leader_epoch().value();
  if (client_epoch < 0 || client_epoch == ours) return {};
  std::string what = fmt::format("{}-{} is at leader epoch {}, the client at {}", topic_,
                                 id().value(), ours, client_epoch);
  return fail(client_epoch < ours ? Errc::fenced_leader_epoch : Errc::unknown_leader_epoch,
              std::move(what));
}

void Partition::set_settings(const TopicSettings& settings) {
  bool is_essential = settings_.log.is_essential;
  settings_ = settings;
  settings_.log.is_essential = is_essential;
  log_->set_options(settings_.log);
}

Result<std::optional<ListedOffset>> list_offset(const log::LogView& view, LeaderEpoch epoch,
                                                std::int64_t timestamp, bool is_committed) {
  Offset end = is_committed ? *view.last_stable_offset : view.high_watermark;
  switch (timestamp) {
    case latest_timestamp: return ListedOffset{end, -1, epoch};
    case earliest_timestamp:
    case earliest_local_timestamp: return ListedOffset{view.start_offset, -1, epoch};
    case latest_tiered_timestamp: return std::nullopt;  // there is no tier behind the disk
    default: break;
  }
  if (timestamp < 0 && timestamp != max_timestamp) {
    return fail(Errc::unsupported_version,
                fmt::format("ListOffsets knows no special timestamp {}", timestamp));
  }
  auto found =
      timestamp == max_timestamp ? view.find_max_timestamp() : view.find_timestamp(timestamp);
  if (!found) return fail(found);
  if (!*found || (*found)->offset >= end) return std::nullopt;
  return ListedOffset{(*found)->offset, (*found)->timestamp_ms, epoch};
}

Result<std::optional<EpochEnd>> find_epoch_end(const log::LogView& view, LeaderEpoch current,
                                               std::int32_t epoch) {
  LeaderEpoch asked{epoch};
  if (epoch < 0 || asked > current) return std::nullopt;
  EpochEnd end{asked, view.high_watermark};
  if (asked == current) return end;
  // Epochs only rise along the log, so the first batch of a later one is found by halving.
  Offset low = view.start_offset;
  Offset high = view.high_watermark;
  while (low < high) {
    Offset middle{low.value() + (high.value() - low.value()) / 2};
    auto batch = next_batch(view, middle);
    if (!batch) return fail(batch);
    if (*batch && (*batch)->epoch <= asked) {
      end.epoch = (*batch)->epoch;
      low = (*batch)->next;
    } else {
      if (*batch) end.offset = std::max(view.start_offset, (*batch)->base);
      high = *batch ? std::min(middle, (*batch)->base) : middle;
    }
  }
  return end;
}

}  // namespace leat::broker
