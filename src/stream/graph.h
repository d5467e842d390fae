// A plan's steps, ready to run.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "stream/operator.h"
#include "stream/output_batches.h"
#include "stream/plan.h"
#include "stream/provenance.h"
#include "stream/topic_sink.h"
#include "stream/workers.h"

namespace leat::stream {

/// The topics that a plan writes to.
struct GraphTopics {
  Topic sink;
  std::optional<Topic> late;
  std::optional<Topic> dead_letters;
};

/// What came out of a graph, for people.
struct GraphCounts {
  std::uint64_t rows_out = 0;
  std::uint64_t late = 0;
  std::uint64_t rejected = 0;
};

/// Operators one behind the other, their states, and the sink. It has a set of states for each of
/// several lanes, so that threads may process rows at the same time, each on a lane of its own;
/// everything else is for one thread, while none processes. What comes out does not depend on which
/// rows were processed on which lane.
class Graph {
 public:
  /// REQUIRES: check(plan) succeeded.
  Graph(const Plan& plan, const GraphTopics& topics, std::size_t lanes);
  ~Graph();

  /// Whether rows may come in any order and on any lane; else all must come in theirs, on lane 0.
  bool takes_any_order() const { return merging_.has_value(); }
  Result<void> process(std::size_t lane, const column::Chunk& chunk, OutputBatches& out);
  Result<void> advance(Watermark watermark, OutputBatches& out);
  /// The same, the work shared by time: each worker takes what completes in a part of the time from
  /// `before`, where the watermark was, to `watermark`. REQUIRES: takes_any_order(), and a lane for
  /// each worker.
  Result<void> advance_shared(Watermark before, Watermark watermark, Workers& workers,
                              OutputBatches& out);
  GraphCounts counts() const;

  /// Puts what the lanes have together first.
  void snapshot(StateWriter& writer);
  Result<void> restore(StateReader& reader);

 private:
  class Stage;
  struct Lane {
    std::vector<std::unique_ptr<OperatorState>> states;  // by operator
    TopicSink sink;
    std::optional<TopicSink> window_rows;  // writes the window's rows, which later steps change
    // Of the operator that puts lanes together: what is complete in this lane's part of the time.
    // Empty but within advance_shared().
    std::unique_ptr<OperatorState> complete;
    OutputBatches out;  // the same
    GraphCounts counts;
  };
  void merge_lanes(OperatorState& whole, Watermark watermark);
  Result<void> advance_part(Lane& lane, Watermark watermark);

  std::vector<std::unique_ptr<Operator>> operators_;
  std::optional<std::size_t> merging_;  // the operator that puts lanes together
  std::vector<Lane> lanes_;             // the first one has what was put together
  BadRecords bad_records_;
  std::string pipeline_;
  std::optional<Provenance> late_;
  std::optional<Provenance> dead_letters_;
};

}  // namespace leat::stream
