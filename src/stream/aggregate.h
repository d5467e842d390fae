// The aggregates of a table of groups: what is kept for each, and what comes out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/result.h"
#include "column/vector.h"
#include "stream/plan.h"
#include "base/state.h"

namespace leat::stream {

/// The type of an aggregate's result over these columns. Errc::plan_error if it cannot be computed.
Result<column::Type> result_type(const Aggregate& aggregate, const Schema& input);

/// What one aggregate keeps for all groups of a table, group by group. No result depends on the
/// order of updates. Not thread-safe.
class Accumulators {
 public:
  virtual ~Accumulators() = default;
  /// Makes room for groups `[0, groups)`; new ones are empty.
  virtual void resize(std::size_t groups) = 0;
  /// Row `rows[i]` belongs to group `groups[i]`. `input` is null for a count of rows.
  virtual void update(const column::Vector* input, std::span<const std::uint32_t> rows,
                      std::span<const std::uint32_t> groups) = 0;
  /// Adds what `other`, of the same kind, has of its group `i` to `groups[i]`.
  virtual void merge(const Accumulators& other, std::span<const std::uint32_t> groups) = 0;
  /// Sets a cell of `out`, texts pointing into this. False, and the cell NULL, if the result is
  /// beyond its type.
  virtual bool result(std::size_t group, column::Vector& out, std::size_t row) const = 0;

  virtual void snapshot(StateWriter& writer) const = 0;
  /// REQUIRES: resize() to as many groups as were there.
  virtual void restore(StateReader& reader) = 0;
};

/// `input` is the type of the aggregate's column, nothing for a count of rows.
std::unique_ptr<Accumulators> make_accumulators(AggregateKind kind,
                                                std::optional<column::Type> input);

}  // namespace leat::stream
