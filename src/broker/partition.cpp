#include "broker/partition.h"

#include <limits>
#include <utility>

#include <fmt/core.h>

#include "record/batch.h"
#include "record/validate.h"

namespace leat::broker {
namespace {

/// a + b, or the nearest int64: bounds of "unlimited" are near the type's own.
std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<std::int64_t>::min()
               : std::numeric_limits<std::int64_t>::max();
}

}  // namespace

Partition::Partition(log::Log& log, const Environment& environment, std::string topic,
                     const TopicSettings& settings)
    : log_(log), environment_(environment), topic_(std::move(topic)), settings_(settings) {}

Result<log::Batch> Partition::check(std::shared_ptr<const void> owner, MutableBytes records,
                                    int produce_version, std::int64_t now_ms) const {
  record::ProduceRules rules;
  rules.produce_version = static_cast<std::int16_t>(produce_version);
  rules.max_message_bytes = static_cast<std::size_t>(settings_.max_message_bytes);
  rules.requires_keys = settings_.cleanup != CleanupPolicy::remove;
  bool stamps = settings_.timestamps == TimestampKind::log_append_time;
  rules.timestamp_type =
      stamps ? record::TimestampType::log_append_time : record::TimestampType::create_time;
  rules.earliest_timestamp_ms = saturating_add(now_ms, -settings_.timestamp_before_max_ms);
  rules.latest_timestamp_ms = saturating_add(now_ms, settings_.timestamp_after_max_ms);
  auto checked = record::validate_produce(records, rules, environment_.scratch);
  if (!checked) return fail(checked);
  if (checked->batch.is_transactional()) {
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
                       AppendDone done) {
  std::int64_t now_ms = environment_.clock.wall_ms();
  auto later = [this](AppendDone callback, Error error) {
    environment_.executor.post(
        [callback = std::move(callback), error = std::move(error)]() mutable {
          callback(tl::unexpected(std::move(error)));
        });
  };
  auto batch = check(std::move(owner), records, produce_version, now_ms);
  if (!batch) return later(std::move(done), batch.error());

  std::int64_t append_time_ms =
      settings_.timestamps == TimestampKind::log_append_time ? now_ms : -1;
  Offset start = log_.start_offset();
  // Shared, because append() either keeps the callback or refuses and leaves it to us.
  auto shared = std::make_shared<AppendDone>(std::move(done));
  auto appended =
      log_.append(std::move(*batch), [shared, append_time_ms, start](Result<Offset> base_offset) {
        if (!base_offset) return (*shared)(fail(base_offset));
        (*shared)(Appended{*base_offset, append_time_ms, start});
      });
  if (!appended) later(std::move(*shared), appended.error());
}

Result<void> Partition::check_leader_epoch(std::int32_t client_epoch) const {
  std::int32_t ours = log_.leader_epoch().value();
  if (client_epoch < 0 || client_epoch == ours) return {};
  std::string what = fmt::format("{}-{} is at leader epoch {}, the client at {}", topic_,
                                 id().value(), ours, client_epoch);
  return fail(client_epoch < ours ? Errc::fenced_leader_epoch : Errc::unknown_leader_epoch,
              std::move(what));
}

void Partition::set_settings(const TopicSettings& settings) {
  settings_ = settings;
  log_.set_options(settings_.log);
}

Result<std::optional<ListedOffset>> list_offset(const log::LogView& view, LeaderEpoch epoch,
                                                std::int64_t timestamp) {
  switch (timestamp) {
    case latest_timestamp: return ListedOffset{view.high_watermark, -1, epoch};
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
  if (!*found) return std::nullopt;
  return ListedOffset{(*found)->offset, (*found)->timestamp_ms, epoch};
}

}  // namespace leat::broker
