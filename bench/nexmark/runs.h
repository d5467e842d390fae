// One run of one query, in each of the ways that are compared.
#pragma once

#include <cstdint>

#include "nexmark/answer.h"
#include "nexmark/by_hand.h"
#include "nexmark/queries.h"
#include "plan/bound_plan.h"

namespace leat::nexmark {

/// A query's plan, ready to be run.
class BoundQuery {
 public:
  explicit BoundQuery(const Query& query);
  const plan::BoundPlan& bound() const { return bound_; }
  const plan::Plan& plan() const { return plan_; }
  /// The chunk's or the file's node.
  std::size_t source(bool of_file) const;
  bool has_side() const;

 private:
  plan::Plan plan_;
  plan::BoundPlan bound_;
};

/// So many chunks are processed before event time moves on.
inline constexpr std::size_t step_chunks = 16;

/// All chunks through the graph of operators, on one lane.
void run_leat(const BoundQuery& query, const Events& events, const SideInput& side, Answer& answer);
/// The same chunks through the program.
void run_by_hand(const Program& program, const Events& events, const SideInput& side,
                 Answer& answer);
/// The topic through a whole task: records decoded, rows written as JSON to nowhere. How many rows
/// came out.
std::uint64_t run_json(const BoundQuery& query, stream::MemoryTopics& topics);

/// The values of q13, and the file that has them.
SideInput make_side();
void write_side_file(const SideInput& side);
void remove_side_file();

}  // namespace leat::nexmark
