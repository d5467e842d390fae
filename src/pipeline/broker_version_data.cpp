#include "pipeline/broker_version_data.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "broker/epochs.h"
#include "log/segment.h"
#include "pipeline/recorded_version.h"
#include "pipeline/plan_traits.h"
#include "pipeline/snapshots.h"
#include "stream/broker_topics.h"

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

using Input = BeginRecord::Input;

/// Whether records have been removed from the middle.
bool is_compacted(const log::LogView& view) {
  return std::any_of(view.segments.begin(), view.segments.end(),
                     [](const auto& segment) { return segment->name().version > 0; });
}

Result<void> check_there(const Input& input, const broker::TopicPtr& topic) {
  const std::string& name = input.name;
  auto number = static_cast<std::size_t>(input.partition.value());
  if (!topic) return fail(Errc::unknown_topic_or_partition, fmt::format("{} is gone", name));
  if (topic->info.id != input.topic_id) {
    return fail(Errc::inconsistent_topic_id, fmt::format("{} was made anew", name));
  }
  if (number >= topic->partitions.size()) {
    return fail(Errc::unknown_topic_or_partition,
                fmt::format("partition {} of {} is gone", number, name));
  }
  auto view = topic->partitions[number]->view();
  if (view->start_offset > input.start) {
    return fail(Errc::offset_out_of_range,
                fmt::format("partition {} of {} begins at {} now, and it read from {} on", number,
                            name, view->start_offset.value(), input.start.value()));
  }
  if (!is_compacted(*view)) return {};
  return fail(Errc::offset_out_of_range,
              fmt::format("partition {} of {} has been compacted", number, name));
}

/// Where who stood at `next` of an input goes on now, and what it misses by that.
Offset go_on_at(const Input& input, Offset next, const log::LogView& view, bool is_same_topic,
                std::vector<std::string>& lost) {
  std::string place = fmt::format("partition {} of {}", input.partition.value(), input.name);
  Offset start = view.start_offset;
  Offset end = view.last_stable_offset.value_or(view.high_watermark);
  if (!is_same_topic) {
    std::string sentence =
        fmt::format("{} was made anew, and what it has now is read from its start", input.name);
    if (std::find(lost.begin(), lost.end(), sentence) == lost.end()) lost.push_back(sentence);
    return start;
  }
  if (next < start) {
    lost.push_back(fmt::format("records {} to {} of {} were deleted before it read them",
                               next.value(), start.value() - 1, place));
  } else if (next > end) {
    lost.push_back(fmt::format("{} ends at {} now, and it had read up to {}", place, end.value(),
                               next.value()));
  }
  return std::clamp(next, start, end);
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

Result<void> BrokerVersionData::check_repeatable(const std::string& owner) {
  auto begin = find_first_begin(epochs_, owner);
  if (!begin) return fail(begin);
  if (!*begin) return fail(Errc::not_found, "it has recorded nothing");
  std::map<std::string, std::size_t> partitions;  // of the first source of each topic
  for (const Input& input : (*begin)->inputs) {
    if (input.topic_id.is_zero()) continue;
    broker::TopicPtr topic = broker_.find_topic(input.name);
    if (auto ok = check_there(input, topic); !ok) return ok;
    std::size_t& count = partitions[input.name];
    count = std::max(count, static_cast<std::size_t>(input.partition.value()) + 1);
  }
  for (const auto& [name, count] : partitions) {
    broker::TopicPtr topic = broker_.find_topic(name);
    if (!topic || topic->partitions.size() == count) continue;
    return fail(Errc::snapshot_mismatch, fmt::format("{} has {} partitions now, and had {}", name,
                                                     topic->partitions.size(), count));
  }
  return {};
}

Result<Halt> BrokerVersionData::find_halt(const std::string& owner) {
  auto recorded = find_recorded(epochs_, broker_.files(), broker_.options().store.directory, owner);
  if (!recorded) return fail(recorded);
  Halt halt;
  if (!*recorded) return halt;
  for (std::size_t i = 0; i < (*recorded)->positions.size(); ++i) {
    const Input& input = (*recorded)->begin.inputs[i];
    if (input.topic_id.is_zero()) continue;
    broker::TopicPtr topic = broker_.find_topic(input.name);
    auto number = static_cast<std::size_t>(input.partition.value());
    bool is_known = std::any_of(halt.at.begin(), halt.at.end(), [&](const Position& position) {
      return position.name == input.name && position.partition == input.partition;
    });
    // Several sources may read it.
    if (is_known || !topic || number >= topic->partitions.size()) continue;
    Offset at = go_on_at(input, (*recorded)->positions[i], *topic->partitions[number]->view(),
                         topic->info.id == input.topic_id, halt.lost);
    halt.at.push_back({input.name, input.partition, at});
  }
  return halt;
}

Result<TimeBefore> BrokerVersionData::time_before(const plan::Plan& plan, const Positions& at) {
  stream::BrokerTopics topics(broker_);
  return pipeline::time_before(plan, topics, at, [&](std::int64_t time_ms) {
    return find(source_topics(plan), {LogPosition::Kind::time, time_ms});
  });
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
