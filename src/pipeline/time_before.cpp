#include "pipeline/time_before.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "pipeline/warm_up.h"
#include "stream/source_reader.h"
#include "stream/topic_feed.h"

namespace leat::pipeline {

namespace {

constexpr std::int64_t records_looked_at = 4096;

using operators::Watermark;
using operators::watermark_min;

const Position* find(const Positions& positions, const Position& wanted) {
  for (const Position& position : positions) {
    if (position.name == wanted.name && position.partition == wanted.partition) return &position;
  }
  return nullptr;
}

/// The largest event time of records [begin, end), and nothing if none is a row.
Result<std::optional<std::int64_t>> largest_of(const plan::BoundPlan& plan, std::size_t node,
                                               stream::TopicReader& topic, PartitionId partition,
                                               Offset begin, Offset end) {
  const auto& source = std::get<plan::Source>(plan.nodes[node].node->body);
  auto number = static_cast<std::int32_t>(node);
  // The event time is all that is looked at.
  stream::SourceReader::Options options;
  options.used.assign(plan.nodes[node].schema.size(), false);
  stream::SourceReader reader(plan.nodes[node], number, partition,
                              std::make_unique<stream::TopicFeed>(topic, partition, number),
                              options);
  reader.seek(begin, watermark_min);
  reader.set_end(end);
  while (true) {
    auto filled = reader.fill({});
    if (!filled) return fail(filled);
    while (reader.next_bad() != nullptr) continue;
    if (reader.has_rows()) reader.consume(reader.block()->rows - reader.next_row());
    while (reader.next_bad() != nullptr) continue;
    if (!*filled) break;
  }
  Watermark watermark = reader.watermark();
  if (watermark == watermark_min) return std::optional<std::int64_t>();
  return std::optional<std::int64_t>(watermark + source.disorder_ms);
}

class Look {
 public:
  Look(const plan::BoundPlan& plan, stream::TopicStore& topics) : plan_(plan), topics_(topics) {}

  /// Adds what is before `at` of all topics that the node reads.
  Result<void> add(std::size_t node, const Positions& at,
                   const std::function<Result<Positions>(std::int64_t time_ms)>& first_at) {
    const auto& source = std::get<plan::Source>(plan_.nodes[node].node->body);
    auto found = topics_.find_topic(source.topic);
    if (!found) return fail(found);
    auto opened = topics_.open(*found);
    if (!opened) return fail(opened);
    auto readable = (*opened)->readable();
    if (!readable) return fail(readable);
    for (const Position& position : at) {
      if (position.name != source.topic) continue;
      // Of a topic that was made anew since, with fewer of them.
      if (static_cast<std::size_t>(position.partition.value()) >= readable->size()) continue;
      const auto& there = readable->at(static_cast<std::size_t>(position.partition.value()));
      Offset end = std::min(position.offset, there.high_watermark);
      Offset begin = std::max(there.start, Offset{end.value() - records_looked_at});
      auto largest =
          largest_of(plan_, node, **opened, position.partition, begin, std::max(begin, end));
      if (!largest) return fail(largest);
      auto ahead = ahead_of_records(*plan_.plan, source.topic);
      if (*largest && ahead && begin > there.start) {
        auto first = first_at(**largest + 1 - *ahead);
        if (!first) return fail(first);
        const Position* from = find(*first, position);
        if (from != nullptr && from->offset < begin) {
          largest = largest_of(plan_, node, **opened, position.partition,
                               std::max(there.start, from->offset), end);
          if (!largest) return fail(largest);
        }
      }
      take(*largest, source.disorder_ms);
    }
    return {};
  }

  TimeBefore finish() const {
    TimeBefore before;
    before.latest_ms = latest_;
    before.watermark_at_end_ms = least_;
    if (!is_empty_somewhere_) before.watermark_ms = least_;
    return before;
  }

 private:
  void take(std::optional<std::int64_t> largest, std::int64_t disorder_ms) {
    if (!largest) {
      is_empty_somewhere_ = true;
      return;
    }
    latest_ = std::max(latest_.value_or(*largest), *largest);
    least_ = std::min(least_.value_or(*largest - disorder_ms), *largest - disorder_ms);
  }

  const plan::BoundPlan& plan_;
  stream::TopicStore& topics_;
  bool is_empty_somewhere_ = false;
  std::optional<std::int64_t> latest_;
  std::optional<std::int64_t> least_;
};

}  // namespace

Result<TimeBefore> time_before(
    const plan::Plan& plan, stream::TopicStore& topics, const Positions& at,
    const std::function<Result<Positions>(std::int64_t time_ms)>& first_at) {
  auto bound = plan::bind(plan);
  if (!bound) return fail(bound);
  Look look(*bound, topics);
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const auto* source = std::get_if<plan::Source>(&plan.nodes[i].body);
    // Tables have no time that anything waits for.
    bool is_timed = source != nullptr && !source->topic.empty() && !source->upsert;
    if (!is_timed) continue;
    if (auto ok = look.add(i, at, first_at); !ok) return fail(ok);
  }
  return look.finish();
}

}  // namespace leat::pipeline
