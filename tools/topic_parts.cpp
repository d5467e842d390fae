#include "tools/topic_parts.h"

#include <fmt/core.h>

namespace leat::tools {

namespace {

Result<std::vector<std::int32_t>> find_partitions(client::BlockingClient& client,
                                                  const TopicQuery& query) {
  auto topic = client.describe_topic(query.topic);
  if (!topic) return fail(topic);
  auto count = static_cast<std::int32_t>(topic->partitions.size());
  std::vector<std::int32_t> partitions;
  for (std::int32_t i = 0; i < count; ++i)
    if (query.partition.value_or(i) == i) partitions.push_back(i);
  if (partitions.empty())
    return fail(Errc::unknown_topic_or_partition,
                fmt::format("topic {} has {} partitions and none of number {}", query.topic, count,
                            query.partition.value_or(-1)));
  return partitions;
}

/// The time that `position` is, if it is one.
std::optional<std::int64_t> time_of(const std::optional<Position>& position) {
  if (!position || position->kind != Position::Kind::time) return std::nullopt;
  return position->number;
}

}  // namespace

Result<std::vector<TopicPart>> find_parts(client::BlockingClient& client, const TopicQuery& query) {
  auto partitions = find_partitions(client, query);
  if (!partitions) return fail(partitions);
  // The end is asked for first: what a time finds later may lie behind it, never before the start.
  std::vector<std::int64_t> questions{client::at_end, client::at_start};
  std::optional<std::int64_t> begin_time = time_of(query.range.begin);
  std::optional<std::int64_t> end_time = time_of(query.range.end);
  if (begin_time) questions.push_back(*begin_time);
  if (end_time) questions.push_back(*end_time);
  std::vector<client::OffsetQuery> queries;
  for (std::int64_t at : questions)
    for (std::int32_t partition : *partitions) queries.push_back({query.topic, partition, at});
  auto offsets = client.list_offsets(std::move(queries), query.read_committed);
  if (!offsets) return fail(offsets);
  std::vector<TopicPart> parts;
  for (std::size_t i = 0; i < partitions->size(); ++i) {
    auto answer = [&](std::size_t question) {
      return (*offsets)[question * partitions->size() + i];
    };
    PartitionEnds ends;
    ends.end_offset = answer(0).value_or(0);
    ends.start_offset = answer(1).value_or(0);
    if (begin_time) ends.begin_time_offset = answer(2);
    if (end_time) ends.end_time_offset = answer(questions.size() - 1);
    auto resolved = resolve(query.range, ends, query.stops_at_end);
    if (!resolved)
      return fail(resolved.error().code,
                  fmt::format("{}/{}: {}", query.topic, (*partitions)[i], resolved.error().what));
    parts.push_back({(*partitions)[i], *resolved, ends.end_offset});
  }
  return parts;
}

}  // namespace leat::tools
