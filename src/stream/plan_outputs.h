// The sinks of a plan, and where late rows and what is bad go.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "column/position.h"
#include "file/file.h"
#include "plan/bound_plan.h"
#include "stream/bad_record.h"
#include "stream/console_sink.h"
#include "stream/file_sink.h"
#include "stream/output_batches.h"
#include "stream/record_sink.h"
#include "stream/side_output.h"
#include "stream/step_output.h"
#include "stream/topic_store.h"
#include "stream/view_sink.h"

namespace leat::stream {

/// Writes what leaves a graph: into batches for topics, which take() hands out, to files, and to
/// the console. What a sink is given is written as it comes; late and rejected rows are put in an
/// order that does not depend on how often they are handed out. Not thread-safe, but for
/// bad_record().
class PlanOutputs final : public Outlet {
 public:
  struct Environment {
    TopicStore& store;
    /// Null where a plan must not have sinks to files.
    file::FileSystem* files = nullptr;
    /// Takes lines for the console; null for nowhere.
    ConsoleSink::Write console;
    /// Sinks to files commit as part of these.
    std::optional<FileEpochs> file_epochs = {};
  };
  /// Makes the topics that are not there: of a sink with as many partitions as it says, else as
  /// `partitions`; of late rows and dead letters with `partitions`. The plan outlives it.
  static Result<std::unique_ptr<PlanOutputs>> open(const plan::BoundPlan& plan,
                                                   const Environment& environment,
                                                   std::int32_t partitions);

  Result<void> write(std::size_t node, const column::Chunk& chunk) override;
  Result<void> write_changes(std::size_t node, std::span<const column::Chunk> chunks) override;
  Result<void> late(std::size_t node, std::size_t input, const column::Chunk& chunk) override;
  Result<void> reject(std::size_t node, const column::Schema& schema, const column::Chunk& chunk,
                      std::uint32_t row, const std::string& reason) override;
  /// A record that the source could not make a row of, into `out`. Errc::bad_record if that is not
  /// to be. From any thread, with a partition's records from one.
  Result<void> bad_record(std::size_t source, PartitionId partition, const BadRecord& bad,
                          OutputBatches& out) const;

  /// What is to be appended to topics: all of a step. Of sinks first, by node, then late rows, by
  /// node and partition, then rejected ones, by node and time.
  std::vector<OutputBatch> take();
  /// From here on files and the console get nothing.
  void discard(bool discards) { discards_ = discards; }
  /// From here on views take nothing.
  void skip_views(bool skips) { skips_views_ = skips; }
  /// Makes what was written for files their folders' content.
  Result<void> commit_files();
  /// The same in two phases, as part of epochs: whether anything was prepared.
  Result<bool> prepare_files(std::uint64_t epoch);
  Result<void> publish_files();
  std::uint64_t file_bytes() const;
  /// What readers may see is up to whoever runs the pipeline: View::seal() and publish().
  std::vector<std::shared_ptr<View>> views() const;
  /// The input has ended: views have what happened before this.
  void end_views(operators::Watermark complete_to);
  /// Adds what views hold to the memory of their nodes.
  void add_bytes(std::vector<std::size_t>& by_node) const;
  /// What views hold is part of a run's state.
  void snapshot(StateWriter& writer) const;
  Result<void> restore(StateReader& reader);

 private:
  explicit PlanOutputs(const plan::BoundPlan& plan) : plan_(plan) {}
  Result<void> open_sink(std::size_t node, const Environment& environment, std::int32_t partitions);
  Result<void> open_sides(std::size_t node, TopicStore& store, std::int32_t partitions);
  Result<SideOutput> open_side(const std::string& topic, TopicStore& store,
                               std::int32_t partitions) const;

  const plan::BoundPlan& plan_;
  /// What a partition's late rows are written to, by a node.
  struct LateFrom {
    std::size_t node = 0;
    std::uint64_t origin = 0;
    friend auto operator<=>(const LateFrom&, const LateFrom&) = default;
  };

  // By the numbers of their nodes.
  std::map<std::size_t, RecordSink> topics_;
  std::map<std::size_t, ConsoleSink> consoles_;
  std::map<std::size_t, std::unique_ptr<FileSink>> files_;
  std::map<std::size_t, ViewSink> views_;
  std::map<std::size_t, SideOutput> late_;
  std::map<std::size_t, SideOutput> bad_records_;  // by source
  std::optional<SideOutput> bad_rows_;
  OutputBatches out_;  // of sinks, none of which share a topic
  // Others do: each has batches of its own, since how their rows alternate depends on how much of a
  // step is there at a time.
  std::map<LateFrom, OutputBatches> late_out_;
  bool discards_ = false;
  bool skips_views_ = false;
};

}  // namespace leat::stream
