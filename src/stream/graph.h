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
  GraphCounts counts() const;

  /// Puts what the lanes have together first.
  void snapshot(StateWriter& writer);
  Result<void> restore(StateReader& reader);

 private:
  class Stage;
  struct Lane {
    std::vector<std::unique_ptr<OperatorState>> states;  // by operator
    TopicSink sink;
    GraphCounts counts;
  };
  void merge_lanes(Watermark watermark);

  std::vector<std::unique_ptr<Operator>> operators_;
  std::optional<std::size_t> merging_;    // the operator that puts lanes together
  std::vector<Lane> lanes_;               // the first one has what was put together
  std::optional<TopicSink> window_rows_;  // writes the rows of the window, which later steps change
  BadRecords bad_records_;
  std::string pipeline_;
  std::optional<Provenance> late_;
  std::optional<Provenance> dead_letters_;
};

}  // namespace leat::stream
