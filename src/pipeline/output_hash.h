// What a step gave, as a number that tells whether it gave the same when it was repeated.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "plan/plan.h"
#include "stream/output_batches.h"

namespace leat::pipeline {

/// The names of all topics that the plan writes to, sorted: results, late rows, dead letters.
std::vector<std::string> output_topics(const plan::Plan& plan);

/// Knows topics by what the plan calls them, so that the same output has the same hash in every
/// role and in topics that were made anew. Not thread-safe.
class OutputHash {
 public:
  /// The topic with that id is the plan's `name`.
  void add_topic(const std::string& name, const Uuid& id) { names_[id] = name; }

  /// Of the bytes of all batches by topic and partition, those of a partition in their order; 0 if
  /// there are none. REQUIRES: their topics were added.
  std::uint64_t of(std::span<const stream::OutputBatch> output);

 private:
  std::map<Uuid, std::string> names_;
  std::vector<std::size_t> order_;
};

}  // namespace leat::pipeline
