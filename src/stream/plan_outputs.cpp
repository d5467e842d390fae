#include "stream/plan_outputs.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "column/row_text.h"
#include "stream/upserts.h"

namespace leat::stream {

using namespace leat::plan;
using column::Chunk;

namespace {

// Where a node's late rows go; empty if they are only counted.
std::string late_topic_of(const Node& node) {
  return std::visit(
      [](const auto& body) -> std::string {
        if constexpr (requires { body.late_topic; })
          return body.late_topic;
        else
          return {};
      },
      node.body);
}

}  // namespace

Result<std::unique_ptr<PlanOutputs>> PlanOutputs::open(const BoundPlan& plan,
                                                       const Environment& environment,
                                                       std::int32_t partitions) {
  std::unique_ptr<PlanOutputs> outputs(new PlanOutputs(plan));
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    if (auto ok = outputs->open_sink(i, environment, partitions); !ok) return fail(ok);
    if (auto ok = outputs->open_sides(i, environment.store, partitions); !ok) return fail(ok);
  }
  if (plan.plan->bad_rows.policy == BadRows::Policy::dead_letter) {
    auto side = outputs->open_side(plan.plan->bad_rows.topic, environment.store, partitions);
    if (!side) return fail(side);
    outputs->bad_rows_.emplace(std::move(*side));
  }
  return outputs;
}

Result<void> PlanOutputs::open_sink(std::size_t i, const Environment& environment,
                                    std::int32_t partitions) {
  const BoundNode& node = plan_.nodes[i];
  const auto* sink = std::get_if<Sink>(&node.node->body);
  if (sink == nullptr) return {};
  if (sink->console) {
    auto nowhere = [](std::string_view) { return Result<void>(); };
    consoles_.emplace(i, ConsoleSink(node, environment.console ? environment.console : nowhere));
    return {};
  }
  if (!sink->files.empty()) {
    if (environment.files == nullptr) {
      return fail(Errc::plan_error,
                  fmt::format("{}: there are no files to write here", place_of(*plan_.plan, i)));
    }
    FileSink::Options options;
    options.epochs = environment.file_epochs;
    auto files = FileSink::open(node, *environment.files, plan_.plan->name, options);
    if (!files) return fail(files);
    files_.emplace(i, std::move(*files));
    return {};
  }
  if (!sink->view.empty()) {
    views_.emplace(i, ViewSink(node));
    return {};
  }
  auto wanted = static_cast<std::int32_t>(sink->partitions);
  auto topic = environment.store.create_topic(sink->topic, wanted > 0 ? wanted : partitions);
  if (!topic) return fail(topic);
  topics_.emplace(i, RecordSink(node, std::move(*topic)));
  return {};
}

Result<void> PlanOutputs::open_sides(std::size_t i, TopicStore& store, std::int32_t partitions) {
  const Node& node = *plan_.nodes[i].node;
  if (std::string topic = late_topic_of(node); !topic.empty()) {
    auto side = open_side(topic, store, partitions);
    if (!side) return fail(side);
    late_.emplace(i, std::move(*side));
  }
  const auto* source = std::get_if<Source>(&node.body);
  if (source == nullptr || source->bad_records.policy != BadRows::Policy::dead_letter) return {};
  auto side = open_side(source->bad_records.topic, store, partitions);
  if (!side) return fail(side);
  bad_records_.emplace(i, std::move(*side));
  return {};
}

Result<SideOutput> PlanOutputs::open_side(const std::string& name, TopicStore& store,
                                          std::int32_t partitions) const {
  auto topic = store.create_topic(name, partitions);
  if (!topic) return fail(topic);
  if (topic->partitions < partitions) {
    return fail(Errc::plan_error,
                fmt::format("{} has {} partitions, fewer than the {} of what it is to take "
                            "records of",
                            name, topic->partitions, partitions));
  }
  return SideOutput(*plan_.plan, std::move(*topic));
}

Result<void> PlanOutputs::write(std::size_t node, const Chunk& chunk) {
  if (auto found = topics_.find(node); found != topics_.end()) {
    found->second.write(chunk, out_);
    return {};
  }
  if (auto found = views_.find(node); found != views_.end()) {
    if (!skips_views_) found->second.write(chunk);
    return {};
  }
  if (discards_) return {};
  if (auto found = files_.find(node); found != files_.end()) return found->second->write(chunk);
  return consoles_.at(node).write(chunk);
}

Result<void> PlanOutputs::write_changes(std::size_t node, std::span<const Chunk> chunks) {
  const plan::BoundNode& bound = plan_.nodes[node];
  std::vector<Chunk> upserts;
  bool all = std::get<plan::Sink>(bound.node->body).changes == plan::Sink::Changes::all;
  if (!all && !bound.keys.empty()) {  // the console has none
    upserts = as_upserts(chunks, bound.keys);
    chunks = upserts;
  }
  for (const Chunk& chunk : chunks) {
    if (auto ok = write(node, chunk); !ok) return ok;
  }
  return {};
}

Result<void> PlanOutputs::late(std::size_t node, std::size_t input, const Chunk& chunk) {
  auto found = late_.find(node);
  if (found == late_.end()) return {};
  std::map<std::uint64_t, std::vector<std::uint32_t>> by_origin;
  column::RunCursor runs(*chunk.context);
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    std::uint32_t row = chunk.selection[i];
    by_origin[runs.run_of(row).origin()].push_back(row);
  }
  const auto& schema = plan_.nodes[plan_.nodes[node].inputs[input]].schema;
  for (const auto& [origin, rows] : by_origin) {
    auto ok = found->second.write_late(schema, chunk, rows, late_out_[{node, origin}]);
    if (!ok) return ok;
  }
  return {};
}

Result<void> PlanOutputs::reject(std::size_t node, const column::Schema& schema, const Chunk& chunk,
                                 std::uint32_t row, const std::string& reason) {
  switch (plan_.plan->bad_rows.policy) {
    case BadRows::Policy::skip: return {};
    case BadRows::Policy::dead_letter:
      bad_rows_->keep_rejected(node, schema, chunk, row, reason);
      return {};
    case BadRows::Policy::fail: break;
  }
  std::string json;
  column::JsonRows(schema).append(json, chunk, row);
  return fail(Errc::bad_record, fmt::format("pipeline {}, {}: {} in {}", plan_.plan->name,
                                            place_of(*plan_.plan, node), reason, json));
}

std::vector<OutputBatch> PlanOutputs::take() {
  OutputBatches all;
  all.add(out_.take());
  for (auto& [from, out] : late_out_) all.add(out.take());
  if (bad_rows_) bad_rows_->write_rejected(all);
  return all.take();
}

Result<void> PlanOutputs::bad_record(std::size_t source, PartitionId partition,
                                     const BadRecord& bad, OutputBatches& out) const {
  const auto& plan = std::get<Source>(plan_.nodes[source].node->body);
  switch (plan.bad_records.policy) {
    case BadRows::Policy::skip: return {};
    case BadRows::Policy::dead_letter:
      bad_records_.at(source).write_bad(static_cast<std::int32_t>(source), partition, bad.record,
                                        bad.reason, out);
      return {};
    case BadRows::Policy::fail: break;
  }
  std::string where = plan.topic.empty()
                          ? fmt::format("line {} of {}", bad.record.offset.value() + 1, plan.file)
                          : fmt::format("record {} of partition {} of {}",
                                        bad.record.offset.value(), partition.value(), plan.topic);
  return fail(Errc::bad_record,
              fmt::format("pipeline {}: {}: {}", plan_.plan->name, where, bad.reason));
}

Result<void> PlanOutputs::commit_files() {
  for (auto& [node, files] : files_) {
    if (auto ok = files->commit(); !ok) return ok;
  }
  return {};
}

Result<bool> PlanOutputs::prepare_files(std::uint64_t epoch) {
  bool any = false;
  for (auto& [node, files] : files_) {
    auto prepared = files->prepare(epoch);
    if (!prepared) return prepared;
    any = any || *prepared;
  }
  return any;
}

Result<void> PlanOutputs::publish_files() {
  for (auto& [node, files] : files_) {
    if (auto ok = files->publish(); !ok) return ok;
  }
  return {};
}

std::uint64_t PlanOutputs::file_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [node, files] : files_) bytes += files->unprepared_bytes();
  return bytes;
}

std::vector<std::shared_ptr<View>> PlanOutputs::views() const {
  std::vector<std::shared_ptr<View>> views;
  for (const auto& [node, sink] : views_) views.push_back(sink.view());
  return views;
}

void PlanOutputs::end_views(operators::Watermark complete_to) {
  if (skips_views_) return;
  for (const auto& [node, sink] : views_) sink.view()->stage_end(complete_to);
}

void PlanOutputs::add_bytes(std::vector<std::size_t>& by_node) const {
  for (const auto& [node, sink] : views_) by_node[node] += sink.view()->bytes();
}

void PlanOutputs::snapshot(StateWriter& writer) const {
  writer.section("views", 2);
  writer.write(static_cast<std::uint32_t>(views_.size()));
  for (const auto& [node, sink] : views_) sink.view()->snapshot(writer);
}

Result<void> PlanOutputs::restore(StateReader& reader) {
  if (auto ok = reader.section("views", 2); !ok) return ok;
  if (reader.read<std::uint32_t>() != views_.size()) {
    return fail(Errc::snapshot_mismatch, "the snapshot has another number of views");
  }
  for (const auto& [node, sink] : views_) {
    if (auto ok = sink.view()->restore(reader); !ok) return ok;
  }
  return {};
}

}  // namespace leat::stream
