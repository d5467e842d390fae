#include "tools/topic_parts.h"

#include <utility>

#include <fmt/core.h>

namespace leat::tools {

namespace {

using Offsets = std::vector<std::optional<std::int64_t>>;

Result<std::vector<std::int32_t>> find_partitions(blocking::Admin& admin, const TopicQuery& query) {
  auto count = static_cast<std::int32_t>(admin.describe_topic(query.topic).partitions.size());
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
std::optional<Timestamp> time_of(const std::optional<Position>& position) {
  if (!position || position->kind != Position::Kind::time) return std::nullopt;
  return Timestamp(std::chrono::milliseconds(position->number));
}

/// The answers to several questions about each partition, question after question.
Offsets ask(blocking::Admin& admin, const std::string& topic,
            const std::vector<std::int32_t>& partitions,
            const std::vector<OffsetQuery>& questions) {
  std::vector<OffsetQuery> queries;
  for (const OffsetQuery& question : questions)
    for (std::int32_t partition : partitions)
      queries.push_back({{topic, partition}, question.kind, question.time});
  return admin.list_offsets(std::move(queries));
}

}  // namespace

Result<std::vector<TopicPart>> find_parts(blocking::Admin& admin, const TopicQuery& query) {
  using Kind = OffsetQuery::Kind;
  auto partitions = find_partitions(admin, query);
  if (!partitions) return fail(partitions);
  std::optional<Timestamp> begin_time = time_of(query.range.begin);
  std::optional<Timestamp> end_time = time_of(query.range.end);
  // What a time finds may lie behind the end, as that is asked for before, never before the start.
  Offsets bounds =
      ask(admin, query.topic, *partitions,
          {{{}, Kind::start}, {{}, query.read_committed ? Kind::stable_end : Kind::end}});
  std::vector<OffsetQuery> times;
  if (begin_time) times.push_back({{}, Kind::time, *begin_time});
  if (end_time) times.push_back({{}, Kind::time, *end_time});
  Offsets found = ask(admin, query.topic, *partitions, times);
  std::vector<TopicPart> parts;
  std::size_t count = partitions->size();
  for (std::size_t i = 0; i < count; ++i) {
    PartitionEnds ends;
    ends.start_offset = bounds[i].value_or(0);
    ends.end_offset = bounds[count + i].value_or(0);
    if (begin_time) ends.begin_time_offset = found[i];
    if (end_time) ends.end_time_offset = found[(times.size() - 1) * count + i];
    auto resolved = resolve(query.range, ends, query.stops_at_end);
    if (!resolved)
      return fail(resolved.error().code,
                  fmt::format("{}/{}: {}", query.topic, (*partitions)[i], resolved.error().what));
    parts.push_back({(*partitions)[i], *resolved, ends.end_offset});
  }
  return parts;
}

}  // namespace leat::tools
