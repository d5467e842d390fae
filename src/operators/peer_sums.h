// Aggregates over the rows that have the same time and key.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "aggregate/accumulators.h"
#include "column/chunk.h"
#include "operators/group_keys.h"
#include "operators/operator.h"
#include "operators/over_parts.h"

namespace leat::operators {

/// Rows of a chunk, in the order of time, with columns as OverInputs::evaluate() gives them.
struct PeerRows {
  column::Chunk chunk;
  std::vector<std::uint32_t> rows;  // which of it, rising

  std::int64_t time_ms(std::size_t i) const { return chunk.context->event_times_ms[rows[i]]; }
};

/// Adds up all rows of some times, and gives each of them with what those of its time and key come
/// to. Keeps only memory in between. Not thread-safe.
class PeerSums {
 public:
  explicit PeerSums(const OverParts& parts);

  /// REQUIRES: in the order of time, and whole times.
  Result<void> give(std::span<PeerRows> all, Context& context);
  std::size_t bytes() const;

 private:
  using Groups = std::vector<std::uint32_t>;

  /// What the groups come to: a column for each aggregate.
  struct Results {
    std::vector<column::Vector> columns;
    std::shared_ptr<column::TextArena> texts;
    std::unordered_map<std::uint32_t, std::string> failures;  // the first aggregate's that has none
  };

  void number(const PeerRows& some, Groups& groups);
  void number_times(const PeerRows& some, Groups& groups);
  void add(const PeerRows& some, const Groups& groups);
  Results results() const;
  Result<void> push(PeerRows& some, const Groups& groups, const Results& results,
                    Context& context) const;

  const OverParts& parts_;
  std::vector<std::unique_ptr<aggregate::Accumulators>> sums_;  // by group
  GroupKeys keys_;  // of time and key, where there is a key
  KeyScratch scratch_;
  std::uint32_t groups_ = 0;
  std::int64_t last_ms_ = 0;  // of the last group, where there is no key
};

}  // namespace leat::operators
