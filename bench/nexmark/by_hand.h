// The queries as a programmer would write them without Leat: loops over the same chunks, with maps.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "nexmark/answer.h"
#include "nexmark/events.h"

namespace leat::nexmark {

/// One query. It knows, and Leat does not, that events come in the order of time. Chunks go once
/// they were taken, as they do in a stream: texts that are kept have to be copied.
class ByHand {
 public:
  virtual ~ByHand() = default;
  virtual void take(const EventColumns& events) = 0;
  /// Behind some chunks: gives what was changed meanwhile, if the query's rows are revised.
  virtual void end_step() {}
  /// Behind all.
  virtual void finish() {}
};

/// What q13 looks up: the value of key `i` is `values[i]`.
using SideInput = std::vector<std::string>;

struct Program {
  const char* query;
  std::unique_ptr<ByHand> (*make)(Answer& answer, const SideInput& side);
};

/// Of all queries, in three files: those that keep nothing, those with windows, and tables.
std::vector<Program> stateless_programs();
std::vector<Program> window_programs();
std::vector<Program> table_programs();

template <class Query>
std::unique_ptr<ByHand> make_by_hand(Answer& answer, const SideInput& side) {
  if constexpr (std::is_constructible_v<Query, Answer&, const SideInput&>)
    return std::make_unique<Query>(answer, side);
  else
    return std::make_unique<Query>(answer);
}

}  // namespace leat::nexmark
