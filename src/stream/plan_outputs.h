// The sinks of a plan, and where late rows and what is bad go.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
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

namespace leat::stream {

/// Writes what leaves a graph: into batches for topics, which take() hands out, to files, and to
/// the console. Not thread-safe, but for bad_record().
class PlanOutputs final : public Outlet {
 public:
  struct Environment {
    TopicStore& store;
    /// Null where a plan must not have sinks to files.
    file::FileSystem* files = nullptr;
    /// Takes lines for the console; null for nowhere.
    ConsoleSink::Write console;
  };
  /// Makes the topics that are not there: of a sink with as many partitions as it says, else as
  /// `partitions`; of late rows and dead letters with `partitions`. The plan outlives it.
  static Result<std::unique_ptr<PlanOutputs>> open(const plan::BoundPlan& plan,
                                                   const Environment& environment,
                                                   std::int32_t partitions);

  Result<void> write(std::size_t node, const column::Chunk& chunk) override;
  Result<void> late(std::size_t node, std::size_t input, const column::Chunk& chunk) override;
  Result<void> reject(std::size_t node, const column::Schema& schema, const column::Chunk& chunk,
                      std::uint32_t row, const std::string& reason) override;
  /// A record that the source could not make a row of, into `out`. Errc::bad_record if that is not
  /// to be. From any thread, with a partition's records from one.
  Result<void> bad_record(std::size_t source, PartitionId partition, const BadRecord& bad,
                          OutputBatches& out) const;

  /// What is to be appended to topics.
  std::vector<OutputBatch> take() { return out_.take(); }
  /// Makes what was written for files their folders' content.
  Result<void> commit_files();

 private:
  explicit PlanOutputs(const plan::BoundPlan& plan) : plan_(plan) {}
  Result<void> open_sink(std::size_t node, const Environment& environment, std::int32_t partitions);
  Result<void> open_sides(std::size_t node, TopicStore& store, std::int32_t partitions);
  Result<SideOutput> open_side(const std::string& topic, TopicStore& store,
                               std::int32_t partitions) const;

  const plan::BoundPlan& plan_;
  // By the numbers of their nodes.
  std::map<std::size_t, RecordSink> topics_;
  std::map<std::size_t, ConsoleSink> consoles_;
  std::map<std::size_t, std::unique_ptr<FileSink>> files_;
  std::map<std::size_t, SideOutput> late_;
  std::map<std::size_t, SideOutput> bad_records_;  // by source
  std::optional<SideOutput> bad_rows_;
  OutputBatches out_;
};

}  // namespace leat::stream
