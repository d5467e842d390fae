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

/// Operators one behind the other, their states, and the sink. Not thread-safe.
class Graph {
 public:
  /// REQUIRES: check(plan) succeeded.
  Graph(const Plan& plan, const GraphTopics& topics);
  ~Graph();

  Result<void> process(const column::Chunk& chunk, OutputBatches& out);
  Result<void> advance(Watermark watermark, OutputBatches& out);
  const GraphCounts& counts() const { return counts_; }

  void snapshot(StateWriter& writer) const;
  Result<void> restore(StateReader& reader);

 private:
  class Stage;

  std::vector<std::unique_ptr<Operator>> operators_;
  std::vector<std::unique_ptr<OperatorState>> states_;
  TopicSink sink_;
  std::optional<TopicSink> window_rows_;  // writes the rows of the window, which later steps change
  BadRecords bad_records_;
  std::string pipeline_;
  std::optional<Provenance> late_;
  std::optional<Provenance> dead_letters_;
  GraphCounts counts_;
};

}  // namespace leat::stream
