// A plan's operators at work: their order, their states on each lane, what goes from one to
// another.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/state.h"
#include "column/chunk.h"
#include "operators/operator.h"
#include "operators/sorted_rows.h"
#include "plan/bound_plan.h"
#include "stream/step_output.h"
#include "stream/workers.h"

namespace leat::stream {

using operators::Watermark;
using operators::watermark_max;
using operators::watermark_min;

/// The operators of a plan. Each has a state on each of several lanes, so that threads may process
/// rows at the same time, each on a lane of its own; all else is for one thread, while none
/// processes. Rows that belong together by their keys meet on one lane: what a worker gives to a
/// node that gathers rows waits for finish_step(), which visits the nodes one after the other, each
/// on all lanes, shared by as many threads as there are. So nothing has a lock, and nothing that
/// comes out depends on the number of lanes.
///
/// In which order rows come out does not depend on it either, but for those that change later: of
/// these only the order within a key is sure. Where the order is exact it follows from the steps
/// alone, from the rows of each, in the order in which they were given where that counts, and the
/// watermark behind them; whatever state it went on from had the same steps before.
class Dataflow {
 public:
  /// `plan` outlives it. A graph whose result depends on the order of rows has one lane, whatever
  /// is asked for.
  Dataflow(const plan::BoundPlan& plan, std::size_t lanes, bool exact_order = false);
  ~Dataflow();

  std::size_t lanes() const { return lanes_.size(); }
  /// Whether rows may come in any order, but for those of a partition; else all must come in the
  /// order of time, or, of those that are there to be read, in that order.
  bool takes_any_order() const { return takes_any_order_; }
  /// Whether advance() has to be called behind each row that moves event time, since what comes out
  /// depends on which rows were there before it moved.
  bool goes_row_by_row() const { return row_by_row_; }

  /// Takes rows of the source with that number.
  Result<void> process(std::size_t lane, std::size_t source, const column::Chunk& chunk);
  /// Behind the rows of a step: no source will give a row of an event time before `watermark`,
  /// which never goes back, but for late ones. Then everything that can be known has been written.
  /// Where a row without a valid result ends the run, what comes before it has, and nothing else,
  /// nor will anything more.
  Result<void> finish_step(Watermark watermark, Workers& workers, Outlet& outlet);
  /// Behind some rows of a step that goes on: what is known for good is written, so that less is
  /// kept. What nodes change later they tell when the step is finished. What comes out of the step
  /// is the same without; and its order, if rows come in any.
  Result<void> advance(Watermark watermark, Workers& workers, Outlet& outlet);
  /// What now() is from here on.
  void set_now_ms(std::int64_t now_ms) { now_ms_ = now_ms; }

  OutputCounts counts() const { return counts_; }
  /// Whether a node has told what it had put off since this was last asked, so that its state is
  /// another one, whatever that came to.
  bool take_told() { return std::exchange(told_, false); }
  /// Memory of the states of each node, more or less.
  std::vector<std::size_t> bytes() const;

  /// Between two steps. Puts what the lanes have together first.
  void snapshot(StateWriter& writer);
  /// Has as many lanes as there were then, on which the keys are spread. Errc::snapshot_mismatch
  /// for another plan.
  Result<void> restore(StateReader& reader);

 private:
  class Port;
  struct Edge {
    std::size_t node = 0;   // who takes the rows
    std::size_t input = 0;  // as which of its inputs
  };
  struct Node;
  struct Lane;

  /// Whether rows for the node go to the lanes that have their keys.
  bool is_spread(std::size_t node) const;
  void make_nodes();
  void make_lanes(std::size_t lanes);
  void find_order();
  Result<void> give(Lane& lane, std::size_t from, const column::Chunk& chunk);
  Result<void> take(Lane& lane, const Edge& edge, const column::Chunk& chunk);
  Result<void> judge_gathered(Lane& lane, const column::Chunk* from);
  Result<void> spread(Lane& lane, const Edge& edge, const column::Chunk& chunk);
  Result<void> on_all_lanes(Workers& workers, bool shared,
                            const std::function<Result<void>(Lane&)>& work);
  Result<void> finish(Watermark watermark, bool goes_on, Workers& workers, Outlet& outlet);
  Result<void> finish_node(std::size_t node, Watermark watermark, bool goes_on, Workers& workers);
  Result<void> finish_merging(std::size_t node, Watermark watermark, Workers& workers);
  Result<void> take_exchanged(Lane& lane, std::size_t node);
  Result<void> write_all(bool goes_on, Outlet& outlet);
  Result<void> write_sink(std::size_t node, std::span<StepOutput* const> outputs, bool goes_on,
                          Outlet& outlet);

  const plan::BoundPlan& plan_;
  const bool exact_order_;
  bool tracks_ways_ = false;
  bool told_ = false;
  bool takes_any_order_ = true;
  bool row_by_row_ = false;
  bool small_step_ = true;
  std::int64_t now_ms_ = 0;
  std::vector<Node> nodes_;  // by the plan's numbers
  std::vector<std::unique_ptr<Lane>> lanes_;
  OutputCounts counts_;
  std::optional<Error> ended_;  // by a row without a valid result
};

}  // namespace leat::stream
