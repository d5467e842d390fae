// Aggregates by key over tumbling windows.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "stream/aggregate.h"
#include "stream/operator.h"
#include "stream/plan.h"

namespace leat::stream {

/// The windows of a WindowPlan. A row counts in its window if that ends after the watermark that
/// the row carries, and is late otherwise; so which rows are late does not depend on which windows
/// happen to be open. A window's rows come out when the watermark reaches its end, in the order of
/// windows and in each of keys (column/row_key.h), whatever the order of the input.
class WindowAggregate final : public Operator {
 public:
  /// REQUIRES: a window that schema_after() accepts for `input`.
  WindowAggregate(const WindowPlan& window, const Schema& input);
  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> process(OperatorState& state, const column::Chunk& chunk,
                       Output& output) const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Output& output) const override;
  bool can_merge() const override { return true; }
  void merge(OperatorState& whole, OperatorState& part, Watermark watermark) const override;

 private:
  struct Slice;
  class State;
  struct BoundAggregate {
    Aggregate aggregate;
    std::optional<std::size_t> column;  // of the input; none for a count of rows
    std::optional<column::Type> type;   // of that column
  };
  /// A result that its type cannot hold.
  struct Beyond {
    std::uint32_t row;
    std::size_t column;
  };
  bool is_key(std::string_view bytes) const;
  std::vector<std::unique_ptr<Accumulators>> make_accumulators() const;
  void sort_into_slices(State& state, const column::Chunk& chunk,
                        std::vector<std::uint32_t>& late) const;
  std::uint32_t find_group(Slice& slice, const column::Chunk& chunk, std::uint32_t row,
                           State& state) const;
  void group_rows(Slice& slice, const column::Chunk& chunk, State& state) const;
  void update(Slice& slice, const column::Chunk& chunk, State& state) const;
  Result<void> emit(std::int64_t window_start, std::shared_ptr<const Slice> slice,
                    Output& output) const;
  Result<void> emit_groups(std::int64_t window_start, const std::shared_ptr<const Slice>& slice,
                           std::span<const std::uint32_t> groups, Output& output) const;
  Result<column::Selection> reject(const column::Chunk& chunk, const std::vector<Beyond>& beyond,
                                   Output& output) const;

  std::int64_t size_ms_;
  std::vector<std::size_t> keys_;  // columns of the input
  std::vector<BoundAggregate> aggregates_;
  Schema schema_;  // of the output
};

}  // namespace leat::stream
