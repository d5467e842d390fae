#include "stream/task_inputs.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"
#include "plan/untimed_rows.h"
#include "stream/file_feed.h"
#include "stream/node_operators.h"
#include "stream/topic_feed.h"

namespace leat::stream {

namespace {

// Whether rows of the node are looked up in a join of that kind, as they are or filtered.
bool is_looked_up(const plan::BoundPlan& plan, std::size_t node, plan::Join::Kind kind) {
  std::vector<bool> passes(plan.nodes.size(), false);  // the node's rows, as they are or filtered
  passes[node] = true;
  for (std::size_t i = node + 1; i < plan.nodes.size(); ++i) {
    const auto& inputs = plan.nodes[i].inputs;
    bool takes = std::any_of(inputs.begin(), inputs.end(), [&](auto from) { return passes[from]; });
    if (!takes) continue;
    const auto* join = std::get_if<plan::Join>(&plan.nodes[i].node->body);
    if (join != nullptr && join->kind == kind && passes[inputs[1]]) return true;
    passes[i] = join == nullptr && !traits_of(plan.nodes[i]).keeps_rows;
  }
  return false;
}

// A line of CSV that has one column may be one whose text is empty, and any line is one of raw
// text.
FileFeed::Options::Blank blank_lines_of(const plan::Source& source) {
  using Blank = FileFeed::Options::Blank;
  switch (source.format) {
    case plan::Source::Format::json: return Blank::skipped;
    case plan::Source::Format::csv:
      return source.columns.size() > 1 ? Blank::empty_skipped : Blank::given;
    case plan::Source::Format::raw: return Blank::given;
  }
  return Blank::given;
}

std::uint64_t records_of(const TaskInput& input) {
  return input.rows() + input.bad();
}

}  // namespace

Result<void> TaskInputs::open(TopicStore& store, file::FileSystem* files,
                              const std::vector<std::vector<bool>>& used) {
  for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
    if (!traits_of(plan_.nodes[i]).is_source) continue;
    if (auto ok = open_source(i, store, files, used[i]); !ok) return ok;
  }
  return {};
}

Result<void> TaskInputs::open_source(std::size_t node, TopicStore& store, file::FileSystem* files,
                                     const std::vector<bool>& used) {
  const auto& source = std::get<plan::Source>(plan_.nodes[node].node->body);
  if (source.topic.empty()) {
    if (files == nullptr) {
      return fail(Errc::plan_error, fmt::format("{}: there are no files to read here",
                                                plan::place_of(*plan_.plan, node)));
    }
    FileFeed::Options options;
    options.csv = source.format == plan::Source::Format::csv;
    options.blank = blank_lines_of(source);
    add(node, PartitionId{0}, nullptr, std::make_unique<FileFeed>(*files, source.file, options),
        used);
    return {};
  }
  auto topic = store.find_topic(source.topic);
  if (!topic) {
    return fail(topic.error().code,
                fmt::format("{}: {}", plan::place_of(*plan_.plan, node), topic.error().what));
  }
  auto opened = store.open(*topic);
  if (!opened) return fail(opened);
  TopicReader& reader = *readers_.emplace_back(std::move(*opened));
  auto readable = reader.readable();
  if (!readable) return fail(readable);
  for (std::int32_t id = 0; id < topic->partitions; ++id) {
    PartitionId partition{id};
    auto feed = std::make_unique<TopicFeed>(reader, partition, static_cast<std::int32_t>(node),
                                            options_.read_bytes);
    TaskInput& input = add(node, partition, &reader, std::move(feed), used);
    input.reader().seek(readable->at(static_cast<std::size_t>(id)).start, operators::watermark_min);
  }
  return {};
}

TaskInput& TaskInputs::add(std::size_t node, PartitionId partition, TopicReader* topic,
                           std::unique_ptr<RecordFeed> feed, const std::vector<bool>& used) {
  const plan::BoundNode& bound = plan_.nodes[node];
  TaskInput::Place place;
  place.number = static_cast<std::uint32_t>(inputs_.size());
  place.source = node;
  place.plan = &std::get<plan::Source>(bound.node->body);
  place.topic = topic;
  place.is_table = is_looked_up(plan_, node, plan::Join::Kind::table);
  bool counts = !bound.table || is_looked_up(plan_, node, plan::Join::Kind::as_of);
  place.is_timed = counts && !plan::is_untimed(*place.plan);
  place.watch_idle = options_.watch_idle;
  SourceReader reader(bound, static_cast<std::int32_t>(node), partition, std::move(feed),
                      {options_.block_rows, used});
  inputs_.push_back(std::make_unique<TaskInput>(place, std::move(reader), clock_));
  return *inputs_.back();
}

void TaskInputs::set_outputs(const PlanOutputs& outputs) {
  for (auto& input : inputs_) input->set_outputs(outputs);
}

Result<void> TaskInputs::seek(const std::vector<Offset>& positions) {
  if (positions.size() != inputs_.size()) {
    return fail(Errc::invalid_argument,
                fmt::format("{} positions for {} partitions", positions.size(), inputs_.size()));
  }
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    inputs_[i]->reader().seek(positions[i], operators::watermark_min);
  }
  return {};
}

Result<void> TaskInputs::pin_ends() {
  for (auto& reader : readers_) {  // a file ends by itself
    auto readable = reader->readable();
    if (!readable) return fail(readable);
    for (auto& input : inputs_) {
      if (input->place().topic != reader.get()) continue;
      auto id = static_cast<std::size_t>(input->reader().partition().value());
      input->pin_end(readable->at(id).high_watermark);
    }
  }
  return {};
}

void TaskInputs::set_ends(const std::vector<std::optional<Offset>>& ends) {
  ASSERT(ends.size() == inputs_.size());
  for (std::size_t i = 0; i < ends.size(); ++i) inputs_[i]->set_end(ends[i]);
}

bool TaskInputs::finished() const {
  return std::all_of(inputs_.begin(), inputs_.end(),
                     [](const auto& input) { return input->reader().finished(); });
}

std::vector<Offset> TaskInputs::positions() const {
  std::vector<Offset> positions;
  for (const auto& input : inputs_) positions.push_back(input->reader().position());
  return positions;
}

Result<bool> TaskInputs::fill_all(Watermark watermark) {
  bool any = false;
  for (auto& input : inputs_) {
    auto filled = input->fill(watermark);
    if (!filled) return filled;
    any = any || *filled;
  }
  return any;
}

bool TaskInputs::waits() const {
  return std::any_of(inputs_.begin(), inputs_.end(),
                     [](const auto& input) { return input->waits(); });
}

bool TaskInputs::have_rows() const {
  return std::any_of(inputs_.begin(), inputs_.end(),
                     [](const auto& input) { return input->reader().has_rows(); });
}

std::optional<Watermark> TaskInputs::least_watermark() const {
  std::optional<Watermark> least;
  for (const auto& input : inputs_) {
    if (input->is_idle() || !input->place().is_timed) continue;
    Watermark watermark = input->reader().watermark();
    least = least ? std::min(*least, watermark) : watermark;
  }
  return least;
}

Watermark TaskInputs::watermark_at_end() const {
  Watermark least = operators::watermark_max;
  for (const auto& input : inputs_) {
    Watermark watermark = input->reader().watermark();
    bool has_some = input->place().is_timed && watermark != operators::watermark_min;
    if (has_some) least = std::min(least, watermark);
  }
  return least == operators::watermark_max ? operators::watermark_min : least;
}

void TaskInputs::begin_step() {
  begins_.clear();
  for (const auto& input : inputs_) {
    begins_.push_back({input->reader().position(), records_of(*input), input->is_idle()});
  }
}

void TaskInputs::end_step(StepRecord& did) {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    TaskInput& input = *inputs_[i];
    auto number = static_cast<std::uint32_t>(i);
    Offset next = input.reader().position();
    if (next != begins_[i].position) {
      did.consumed.push_back({number, next, records_of(input) - begins_[i].records});
    }
    if (input.is_idle()) did.idle.push_back(number);
    if (input.decision) did.decisions.push_back(*input.decision);
    did.moved = did.moved || next != begins_[i].position || input.decision.has_value() ||
                input.is_idle() != begins_[i].idle;
  }
}

Result<void> TaskInputs::begin_ranges() {
  for (auto& input : inputs_) {
    if (input->place().topic != nullptr) continue;
    input->begin_range(Offset{std::numeric_limits<std::int64_t>::max()});
  }
  for (auto& reader : readers_) {
    auto readable = reader->readable();
    if (!readable) return fail(readable);
    for (auto& input : inputs_) {
      if (input->place().topic != reader.get()) continue;
      auto id = static_cast<std::size_t>(input->reader().partition().value());
      input->begin_range(readable->at(id).high_watermark);
    }
  }
  return {};
}

// Whether the step's numbers are of these inputs.
Result<void> TaskInputs::check(const StepRecord& step) const {
  auto known = [&](std::uint32_t input) { return input < inputs_.size(); };
  bool all = std::all_of(step.consumed.begin(), step.consumed.end(),
                         [&](const auto& consumed) { return known(consumed.input); }) &&
             std::all_of(step.idle.begin(), step.idle.end(), known) &&
             std::all_of(step.decisions.begin(), step.decisions.end(),
                         [&](const Decision& decision) { return known(decision.input); });
  if (!all) {
    return fail(Errc::invalid_argument,
                fmt::format("the step is of a plan with other inputs than the {} of {}",
                            inputs_.size(), plan_.plan->name));
  }
  for (const auto& consumed : step.consumed) {
    const TaskInput& input = *inputs_[consumed.input];
    if (consumed.next >= input.reader().position()) continue;
    return fail(Errc::step_mismatch,
                fmt::format("the step ends at offset {} of partition {} of {}, behind which "
                            "the task is already, at {}",
                            consumed.next.value(), input.reader().partition().value(), input.name(),
                            input.reader().position().value()));
  }
  return {};
}

Result<void> TaskInputs::repeat_ranges(const StepRecord& step) {
  if (auto ok = check(step); !ok) return ok;
  auto consumed = step.consumed.begin();
  auto decision = step.decisions.begin();
  auto idle = step.idle.begin();
  for (std::uint32_t i = 0; i < inputs_.size(); ++i) {
    TaskInput& input = *inputs_[i];
    Offset end = input.reader().position();
    std::uint64_t records = 0;
    if (consumed != step.consumed.end() && consumed->input == i) {
      end = consumed->next;
      records = (consumed++)->records;
    }
    std::optional<SourceReader::Floor> floor;
    if (decision != step.decisions.end() && decision->input == i) {
      floor = {decision->watermark, decision->offset};
      ++decision;
    }
    input.repeat_range(end, records, floor);
    input.set_idle(idle != step.idle.end() && *idle == i);
    if (input.is_idle()) ++idle;
  }
  return {};
}

void TaskInputs::end_ranges() {
  for (auto& input : inputs_) input->end_range();
}

Result<void> TaskInputs::check_repeated(const StepRecord& step) const {
  for (const auto& [number, next, records] : step.consumed) {
    const TaskInput& input = *inputs_[number];
    std::uint64_t now = records_of(input) - begins_[number].records;
    if (now == records) continue;
    return fail(Errc::step_mismatch,
                fmt::format("from offset {} to {} of partition {} of {} there were {} records "
                            "when they were consumed, and there are {} now: some have been "
                            "removed since, so what came out cannot be made again",
                            begins_[number].position.value(), next.value() - 1,
                            input.reader().partition().value(), input.name(), records, now));
  }
  return {};
}

void TaskInputs::snapshot(StateWriter& writer) const {
  writer.write(static_cast<std::uint32_t>(inputs_.size()));
  for (const auto& input : inputs_) {
    const SourceReader& reader = input->reader();
    writer.write(static_cast<std::uint32_t>(input->place().source));
    writer.write(reader.partition().value());
    writer.write(reader.position().value());
    writer.write(reader.watermark());
    writer.write(static_cast<std::uint8_t>(input->is_idle() ? 1 : 0));
  }
}

Result<void> TaskInputs::restore(StateReader& reader) {
  auto partitions = reader.read<std::uint32_t>();
  for (std::uint32_t i = 0; i < partitions && reader.ok(); ++i) {
    std::size_t source = reader.read<std::uint32_t>();
    PartitionId partition{reader.read<std::int32_t>()};
    bool same = i < inputs_.size() && inputs_[i]->place().source == source &&
                inputs_[i]->reader().partition() == partition;
    if (!same) return other_partitions(i < inputs_.size() ? inputs_[i]->place().source : source);
    Offset position{reader.read<std::int64_t>()};
    inputs_[i]->reader().seek(position, reader.read<Watermark>());
    // Else its next row would be judged by a watermark that the operators have passed.
    inputs_[i]->set_idle(reader.read<std::uint8_t>() != 0);
  }
  return partitions == inputs_.size() ? Result<void>()
                                      : other_partitions(inputs_.back()->place().source);
}

Result<void> TaskInputs::other_partitions(std::size_t source) const {
  auto of_source = [&](const auto& input) { return input->place().source == source; };
  return fail(Errc::snapshot_mismatch,
              fmt::format("the snapshot is of another number of partitions than the {} that {} has",
                          std::count_if(inputs_.begin(), inputs_.end(), of_source),
                          plan::place_of(*plan_.plan, std::min(source, plan_.nodes.size() - 1))));
}

void TaskInputs::when_readable(const std::function<Work()>& make_wake) {
  for (auto& input : inputs_) {
    const SourceReader& reader = input->reader();
    bool has_more = input->place().topic == nullptr || reader.has_rows();
    if (has_more || input->awaited == reader.position()) continue;
    input->awaited = reader.position();
    input->place().topic->when_readable(reader.partition(), *input->awaited, make_wake());
  }
}

std::vector<std::optional<Offset>> TaskInputs::ends() const {
  std::vector<std::optional<Offset>> ends;
  for (const auto& input : inputs_) {
    const TopicReader* topic = input->place().topic;
    ends.push_back(topic != nullptr ? topic->known_end(input->reader().partition()) : std::nullopt);
  }
  return ends;
}

std::optional<std::chrono::nanoseconds> TaskInputs::idle_in() const {
  std::optional<std::chrono::nanoseconds> soonest;
  for (const auto& input : inputs_) {
    auto left = input->idle_in();
    if (left) soonest = soonest ? std::min(*soonest, *left) : left;
  }
  return soonest;
}

}  // namespace leat::stream
