// Rows that may be taken back, in the windows that they are in, and what these add up to.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "operators/aggregate_inputs.h"
#include "operators/group_keys.h"
#include "operators/operator.h"
#include "operators/over_inputs.h"
#include "operators/row_store.h"
#include "operators/window_changes.h"
#include "operators/window_slices.h"

namespace leat::operators {

/// One window.
struct RevisedPane {
  struct Group {
    std::size_t count = 0;  // of rows that stand
    /// These, where some aggregate can take none back by itself.
    std::unordered_set<RowId> rows;
    bool is_changed = false;  // listed in `changed`
    std::optional<ResultValues> given;
    std::string bad;  // why it has no valid result
  };
  struct Change {
    RowId row = 0;
    std::uint32_t group = 0;
  };
  RevisedPane(std::span<const column::Type> key_types, AccumulatorSet of)
      : keys(key_types), sums(std::move(of)) {}

  GroupKeys keys;
  AccumulatorSet sums;
  std::vector<Group> groups;
  std::vector<Change> added, removed;  // what `sums` do not have yet
  std::vector<std::uint32_t> changed;
};

/// Keeps the rows that stand, with the cells that keys and aggregates take, for as long as they
/// are not taken back: of rows that may change at any time no window is ever over. So memory is
/// that of these rows, of what aggregates keep, and of what was given.
class RevisedPanes final : public OperatorState {
 public:
  /// What makes it: shared with the node.
  struct Node {
    Node(const plan::BoundNode& node, const column::Schema& input,
         std::vector<column::Type> key_types, std::vector<column::Type> result_types);

    AccumulatorSet make_sums() const;

    WindowSlices slices;
    OverInputs inputs;
    std::vector<plan::BoundAggregate> aggregates;
    std::vector<column::Type> key_types;
    std::vector<column::Type> result_types;
    /// Columns of what `inputs` gives that are kept, and where among these the others are. The last
    /// one, behind what `inputs` gives, is where the first window ends that the row counts in.
    std::vector<std::size_t> kept;
    std::vector<std::size_t> keys;
    std::vector<OverColumns> columns;
    std::vector<column::Type> kept_types;
    bool recounts = false;  // some aggregate can take no row back
  };
  explicit RevisedPanes(const Node& node);

  /// Takes the chunk's changes in their order. It has the columns that the node's inputs give, and
  /// the one behind them. `stored` are those rows that are not taken back; of others that come,
  /// none is kept.
  void take(const column::Chunk& chunk, std::span<const std::uint32_t> stored);
  /// Brings what windows add up to up to date.
  void add_up();

  std::map<std::int64_t, RevisedPane> panes;  // by end
  std::set<std::int64_t> changed;             // ends of those that have changed groups
  std::int64_t told_ms = 0;                   // processing time when changes were last told

  void snapshot(StateWriter& writer) const override;
  Result<void> restore(StateReader& reader) override;
  std::size_t bytes() const override;

 private:
  RevisedPane& pane(std::int64_t end_ms);
  std::uint32_t group_of(RevisedPane& pane, const StoredRow& row);
  std::pair<std::int64_t, std::int64_t> ends_of(const StoredRow& row) const;
  void insert(RowId id);
  void take_back(const std::string& position);
  void note(std::int64_t end_ms, RevisedPane& pane, std::uint32_t group);
  void add_up(RevisedPane& pane);
  void recount(RevisedPane& pane, std::size_t aggregate);
  template <class Use>
  void for_inputs(std::size_t aggregate, std::span<const RevisedPane::Change> changes,
                  const Use& use);
  Result<void> restore_pane(StateReader& reader);

  const Node& node_;
  RowStore store_;
  std::unordered_map<std::string, RowId> by_position_;
  std::set<std::int64_t> pending_;  // ends of panes with rows that are not added up
  std::vector<RowId> gone_;         // to be let go of then
  // Kept for their memory.
  KeyScratch scratch_;
  std::vector<const column::Vector*> key_columns_;
  std::vector<std::uint32_t> groups_;
};

}  // namespace leat::operators
