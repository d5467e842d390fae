#include "broker/partition.h"

#include <utility>

#include <fmt/core.h>

namespace leat::broker {

Result<void> Partition::check_leader_epoch(std::int32_t client_epoch) const {
  std::int32_t ours = log_.leader_epoch().value();
  if (client_epoch < 0 || client_epoch == ours) return {};
  std::string what = fmt::format("{}-{} is at leader epoch {}, the client at {}", topic_,
                                 id().value(), ours, client_epoch);
  return fail(client_epoch < ours ? Errc::fenced_leader_epoch : Errc::unknown_leader_epoch,
              std::move(what));
}

void Partition::set_settings(TopicSettings settings) {
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
