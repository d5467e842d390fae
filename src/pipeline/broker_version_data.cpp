#include "pipeline/broker_version_data.h"

#include <optional>
#include <utility>

#include <fmt/core.h>

#include "broker/epochs.h"
#include "pipeline/snapshots.h"

namespace leat::pipeline {

namespace {

Result<Offset> find_in(const log::LogView& view, const LogPosition& position) {
  std::int64_t start = view.start_offset.value();
  std::int64_t end = view.last_stable_offset.value_or(view.high_watermark).value();
  std::optional<std::int64_t> at_time;
  if (position.kind == LogPosition::Kind::time) {
    auto found = view.find_timestamp(position.number);
    if (!found) return fail(found);
    if (*found) at_time = (*found)->offset.value();
  }
  std::int64_t offset = position.in(start, end, at_time);
  if (offset >= start && offset <= end) return Offset{offset};
  return fail(Errc::offset_out_of_range,
              fmt::format("offset {} is outside what it has, [{}, {})", offset, start, end));
}

}  // namespace

Result<Positions> BrokerVersionData::find(const std::vector<std::string>& topics,
                                          const LogPosition& position) {
  Positions positions;
  for (const std::string& name : topics) {
    broker::TopicPtr topic = broker_.find_topic(name);
    if (!topic) continue;
    for (const auto& partition : topic->partitions) {
      auto offset = find_in(*partition->view(), position);
      if (!offset) {
        return fail(offset.error().code,
                    fmt::format("partition {} of {}: {}", partition->id().value(), name,
                                offset.error().what));
      }
      positions.push_back({name, partition->id(), *offset});
    }
  }
  return positions;
}

void BrokerVersionData::remove_epochs(const std::string& owner, Done done) {
  Snapshots snapshots(broker_.files(), broker_.options().store.directory, owner);
  // A snapshot without epochs would be taken for one of a version that is made later.
  auto removed = snapshots.remove();
  broker_.executor().post(
      [&broker = broker_, owner, removed = std::move(removed), done = std::move(done)]() mutable {
        if (!removed) return done(removed);
        broker.epochs().remove(owner, std::move(done));
      });
}

void BrokerVersionData::delete_topic(const std::string& name, Done done) {
  broker_.executor().post([&broker = broker_, name, done = std::move(done)]() mutable {
    broker::TopicPtr topic = broker.find_topic(name);
    if (!topic) return done({});
    broker.delete_topic(topic->info.id, std::move(done));
  });
}

}  // namespace leat::pipeline
