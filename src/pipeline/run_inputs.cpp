#include "pipeline/run_inputs.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace leat::pipeline {

std::string ways_out(const std::string& pipeline) {
  return fmt::format(
      "put the topic back as it was, from a backup, and resume; or make a new version out of what "
      "there is: leat pipeline replay {} --from start --promote",
      pipeline);
}

std::string way_anew(const std::string& pipeline) {
  return fmt::format("make a new version: leat pipeline replay {} --from start --promote",
                     pipeline);
}

Result<RunInputs> RunInputs::open(const stream::Task& task, const plan::Plan& plan,
                                  stream::TopicStore& topics) {
  RunInputs inputs;
  for (const auto& partition : task.progress().partitions) {
    BeginRecord::Input input;
    input.source = static_cast<std::uint32_t>(partition.source);
    input.name = partition.name;
    input.partition = partition.id;
    input.start = partition.position;
    if (!std::get<plan::Source>(plan.nodes[partition.source].body).topic.empty()) {
      auto topic = topics.find_topic(partition.name);
      if (!topic) return fail(topic);
      input.topic_id = topic->id;
      auto& reader = inputs.readers_[topic->id];
      if (reader == nullptr) {
        auto opened = topics.open(*topic);
        if (!opened) return fail(opened);
        reader = std::move(*opened);
      }
    }
    inputs.inputs_.push_back(std::move(input));
  }
  return inputs;
}

Result<std::vector<std::optional<stream::Readable>>> RunInputs::readable() {
  std::map<Uuid, std::vector<stream::Readable>> by_topic;
  for (auto& [id, reader] : readers_) {
    auto readable = reader->readable();
    if (!readable) {
      return fail(readable.error().code,
                  fmt::format("topic {}: {}", reader->topic().name, readable.error().what));
    }
    by_topic[id] = std::move(*readable);
  }
  std::vector<std::optional<stream::Readable>> all;
  for (const auto& input : inputs_) {
    auto& added = all.emplace_back();
    if (input.topic_id.is_zero()) continue;
    added = by_topic.at(input.topic_id).at(static_cast<std::size_t>(input.partition.value()));
  }
  return all;
}

Result<std::vector<std::optional<Offset>>> RunInputs::find(const Positions& positions) const {
  std::vector<std::optional<Offset>> offsets(inputs_.size());
  for (const auto& [name, partition, offset] : positions) {
    bool known = false;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i].name != name || inputs_[i].partition != partition) continue;
      offsets[i] = offset;
      known = true;
    }
    if (known) continue;
    return fail(Errc::invalid_argument, fmt::format("the pipeline does not read partition {} of {}",
                                                    partition.value(), name));
  }
  return offsets;
}

Positions RunInputs::named(const std::vector<Offset>& offsets) const {
  Positions positions;
  std::set<std::pair<std::string, PartitionId>> seen;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (!seen.emplace(inputs_[i].name, inputs_[i].partition).second) continue;
    positions.push_back({inputs_[i].name, inputs_[i].partition, offsets[i]});
  }
  return positions;
}

Result<void> RunInputs::check_same(const BeginRecord& begin, const std::string& pipeline) const {
  for (std::size_t i = 0; i < std::max(begin.inputs.size(), inputs_.size()); ++i) {
    bool both = i < begin.inputs.size() && i < inputs_.size();
    if (!both || begin.inputs[i].source != inputs_[i].source ||
        begin.inputs[i].partition != inputs_[i].partition) {
      const auto& differs = i < inputs_.size() ? inputs_[i] : begin.inputs[i];
      return fail(
          Errc::snapshot_mismatch,
          fmt::format("{} has another number of partitions than when the version began, and "
                      "keys may be in others: {}",
                      differs.name, way_anew(pipeline)));
    }
    if (begin.inputs[i].topic_id == inputs_[i].topic_id) continue;
    return fail(Errc::unknown_topic_id,
                fmt::format("the topic {} was made anew: its id is {}, and was {} when the version "
                            "began; {}",
                            inputs_[i].name, inputs_[i].topic_id.to_hex(),
                            begin.inputs[i].topic_id.to_hex(), ways_out(pipeline)));
  }
  return {};
}

Result<void> RunInputs::check_there(const std::vector<Offset>& positions,
                                    const std::string& pipeline) {
  auto readable = this->readable();
  if (!readable) return fail(readable);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const auto& there = (*readable)[i];
    if (!there) continue;
    bool gone = positions[i] < there->start;
    if (!gone && positions[i] <= there->high_watermark) continue;
    return fail(Errc::offset_out_of_range,
                fmt::format("the next record to read, offset {} of partition {} of {}, {}: its "
                            "records are {} to {} now; {}",
                            positions[i].value(), inputs_[i].partition.value(), inputs_[i].name,
                            gone ? "was deleted" : "is not there", there->start.value(),
                            there->high_watermark.value(), ways_out(pipeline)));
  }
  return {};
}

}  // namespace leat::pipeline
