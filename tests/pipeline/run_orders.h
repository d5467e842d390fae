// Orders that a test gives to the run of a play, and what they come to.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "pipeline/play.h"

namespace leat::pipeline {

/// Rows as they are.
inline plan::Plan copy(const std::string& more = "") {
  return plan_of("", more);
}

/// What an order has come to, once it has.
template <class T>
using Told = std::shared_ptr<std::optional<Result<T>>>;

template <class T = void>
Told<T> nothing_yet() {
  return std::make_shared<std::optional<Result<T>>>();
}

template <class T>
UniqueFunction<void(Result<T>)> tell(const Told<T>& told) {
  return [told](Result<T> result) { *told = std::move(result); };
}

template <class T>
Result<T> wait(Play& play, const Told<T>& told) {
  play.pass(std::chrono::seconds(1));
  if (*told) return std::move(**told);
  return fail(Errc::request_timed_out, "it does not come there");
}

inline Result<void> pause(Play& play) {
  auto told = nothing_yet();
  play.run().pause(tell(told));
  return wait(play, told);
}

inline Result<void> run_to(Play& play, Positions positions) {
  auto told = nothing_yet();
  play.run().run_to(std::move(positions), tell(told));
  return wait(play, told);
}

inline Result<HandedOver> hand_over(Play& play) {
  auto told = nothing_yet<HandedOver>();
  play.run().hand_over(tell(told));
  return wait(play, told);
}

inline Position at(std::int64_t offset, std::int32_t partition = 0) {
  return {"in", PartitionId{partition}, Offset{offset}};
}

}  // namespace leat::pipeline
