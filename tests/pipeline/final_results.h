// What a plan came to: of its sinks' topics what stands in the end, in whatever order it came.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "interpreter/interpreter.h"
#include "plan/bound_plan.h"
#include "stream/memory_topics.h"

namespace leat::pipeline {

/// How often each record stands, by the topic. A row that was taken back does not; under a key
/// whose records replace each other only the last one does.
using FinalResults = std::map<std::string, std::map<std::string, int>>;

/// Of the topics that are called as the plan's with `suffix` behind.
FinalResults final_results(stream::MemoryTopics& topics, const plan::BoundPlan& plan,
                           const std::string& suffix);
/// What the judge says of it.
FinalResults judged_results(const plan::BoundPlan& plan, const interpreter::Run& run);

/// Whether what the plan gives depends on what is there when a row comes.
bool judges_arrival(const plan::BoundPlan& plan);
/// Whether it looks at processing time.
bool asks_now(const plan::Plan& plan);

/// One line for each that differs, at most some.
std::string text_of_difference(const FinalResults& found, const FinalResults& wanted);

}  // namespace leat::pipeline
