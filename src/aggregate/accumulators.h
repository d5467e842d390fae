// What aggregates keep for each group of a table, and what comes out.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/state.h"
#include "column/chunk.h"
#include "column/text_arena.h"
#include "plan/bound_plan.h"

namespace leat::aggregate {

/// What one aggregate takes of rows: their columns by row, those that its plan has.
struct Input {
  const column::Vector* argument = nullptr;
  const column::Vector* order_by = nullptr;
  /// Rows for which it is not true do not count; null for all.
  const column::Vector* filter = nullptr;
  /// Event times and positions, which order first, last, array_agg and ties.
  const column::RowContext* context = nullptr;
};

/// One of many steps that are taken with groups one by one: frames that slide over rows.
struct Step {
  enum class Kind : std::uint8_t { add, subtract, merge, clear, give };
  Kind kind = Kind::add;
  std::uint32_t group = 0;
  /// To add, subtract: the row. To merge: the group that is added. To give: the cell of the result.
  std::uint32_t other = 0;
};

/// A result that is beyond its type.
struct Failure {
  std::uint32_t cell = 0;
  std::string reason;
};

/// What one aggregate keeps for all groups of a table, by the group's number. No result depends on
/// the order of updates and merges. Not thread-safe.
class Accumulators {
 public:
  virtual ~Accumulators() = default;
  /// Makes room for groups `[0, groups)`; new ones are empty.
  virtual void resize(std::size_t groups) = 0;
  /// Row `rows[i]` belongs to group `groups[i]`. `rows` rise.
  virtual void update(const Input& input, std::span<const std::uint32_t> rows,
                      std::span<const std::uint32_t> groups) = 0;
  /// Whether rows can be taken away again: those of counts and sums can, distinct ones if they
  /// were made for it.
  virtual bool can_subtract() const = 0;
  /// Whether what is kept of a group is about as large as its rows.
  virtual bool grows() const = 0;
  /// Takes rows away that were added to these groups, which leaves what the others give. REQUIRES:
  /// can_subtract().
  virtual void subtract(const Input& input, std::span<const std::uint32_t> rows,
                        std::span<const std::uint32_t> groups) = 0;
  /// Adds what `other`, of the same aggregate, has of its group `i` to `groups[i]`.
  virtual void merge(const Accumulators& other, std::span<const std::uint32_t> groups) = 0;
  /// The same, of one group of `other`, which may be another group of this.
  virtual void merge_group(std::uint32_t group, const Accumulators& other, std::uint32_t from) = 0;
  /// Empties a group.
  virtual void clear_group(std::uint32_t group) = 0;
  /// Sets a cell of `out`. Texts point into this, or into `texts`, which must stay as it is while
  /// they are read. False, with why in `reason`, if the result is beyond its type.
  virtual bool result(std::uint32_t group, column::Vector& out, std::size_t row,
                      column::TextArena& texts, std::string& reason) const = 0;
  /// Takes the steps in turn; `out` has the cells. All texts of results are in `texts` afterwards.
  virtual void run(const Input& input, std::span<const Step> steps, column::Vector& out,
                   column::TextArena& texts, std::vector<Failure>& failures) = 0;

  virtual void snapshot(StateWriter& writer) const = 0;
  /// REQUIRES: resize() to as many groups as were there.
  virtual void restore(StateReader& reader) = 0;
  /// Memory that it holds, more or less.
  virtual std::size_t bytes() const = 0;
};

/// Whether rows will be taken away again. Where that costs memory it is kept only if so.
enum class Rows { stay, leave };

/// `aggregate` is not needed afterwards.
std::unique_ptr<Accumulators> make_accumulators(const plan::BoundAggregate& aggregate,
                                                Rows rows = Rows::stay);

}  // namespace leat::aggregate
