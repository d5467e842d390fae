// What windows give.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "column/chunk.h"
#include "operators/aggregate_inputs.h"
#include "operators/group_keys.h"
#include "operators/operator.h"
#include "operators/window_slices.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// Rows that are to be: the i-th is of window i, or of the only one, has the key `groups[i]`, and
/// the results of `slots[i]`.
struct WindowResults {
  std::span<const Span> windows;
  const GroupKeys* keys = nullptr;
  std::span<const std::uint32_t> groups;
  const AccumulatorSet* accumulators = nullptr;
  std::span<const std::uint32_t> slots;

  WindowResults part(std::size_t begin, std::size_t count) const {
    WindowResults some = *this;
    if (windows.size() > 1) some.windows = windows.subspan(begin, count);
    some.groups = groups.subspan(begin, count);
    some.slots = slots.subspan(begin, count);
    return some;
  }
};

/// A row whose result is beyond its type.
struct BadResult {
  std::uint32_t row = 0;
  std::string reason;
};

/// Makes chunks of a window node's rows: window_start, window_end, keys, aggregates.
class WindowRows {
 public:
  WindowRows(const plan::BoundNode& node, std::int32_t number);

  const column::Schema& schema() const { return schema_; }
  const std::vector<column::Type>& key_types() const { return key_types_; }
  std::vector<column::Type> result_types() const;
  std::size_t first_result() const { return 2 + key_types_.size(); }

  /// A chunk with all rows, all selected. Results of those that `bad` is told of are NULL or
  /// anything. Texts of results may point into what `owner` holds, and are copied if there is none.
  /// REQUIRES: no more rows than a chunk has.
  column::Chunk make(const WindowResults& results, std::shared_ptr<const void> owner,
                     std::vector<BadResult>& bad) const;
  /// The same, with results that are yet to be set.
  std::vector<std::shared_ptr<column::Vector>> make_columns(const WindowResults& results,
                                                            column::RowContext& context) const;
  /// Pushes the chunk, without the rows that are bad, which it rejects.
  Result<void> push(column::Chunk chunk, const std::vector<BadResult>& bad, Context& context) const;
  /// The same of rows that are not bad yet, since they may change: those wait.
  Result<void> push_good(column::Chunk chunk, const std::vector<BadResult>& bad,
                         Context& context) const;
  /// Makes and pushes any number of rows.
  Result<void> push_all(const WindowResults& results, const std::shared_ptr<const void>& owner,
                        Context& context) const;
  /// Rejects the row of that window and key.
  Result<void> reject(const Span& window, const GroupKeys& keys, std::uint32_t key,
                      const std::string& reason, Context& context) const;

 private:
  Result<void> reject(column::Chunk chunk, std::uint32_t row, const std::string& reason,
                      Context& context) const;

  column::Schema schema_;
  column::Schema bad_schema_;
  std::vector<column::Type> key_types_;
  bool results_point_ = false;  // whether results have texts
  std::int32_t number_;
};

}  // namespace leat::operators
