// What session windows keep.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "operators/operator.h"
#include "operators/session_list.h"
#include "operators/window_changes.h"

namespace leat::operators {

/// What was given of the rows that are a session now, and whether that still stands.
struct ToldSession {
  struct Given {
    Span span;
    ResultValues values;
  };
  std::vector<Given> given;
  bool is_changed = false;         // listed in SessionState::changed
  bool is_late = false;            // has rows that came when it was closed, or could have been
  std::optional<std::string> bad;  // it has no valid result, and why
};

/// Sessions of rows that were on time, and where changes are told those of all rows that count.
/// What of this a node needs is used; the rest stays empty.
class SessionState final : public OperatorState {
 public:
  /// What makes it: shared with the node.
  struct Node {
    std::vector<column::Type> key_types;
    std::vector<column::Type> result_types;
    AccumulatorMaker accumulators;
    std::int64_t gap_ms;

    SessionList make_list() const { return SessionList(key_types, accumulators.make(), gap_ms); }
  };
  explicit SessionState(const Node& node)
      : on_time(node.make_list()), all(node.make_list()), node_(node) {}

  /// Notes that a session of `all` is to be told again.
  void note_change(SessionId id);
  /// What was told of sessions that `all` has joined belongs to the new one.
  void follow_joins();

  void snapshot(StateWriter& writer) const override;
  Result<void> restore(StateReader& reader) override;
  std::size_t bytes() const override;

  SessionList on_time;
  SessionList all;
  std::vector<ToldSession> told;   // by session of `all`
  std::vector<SessionId> changed;  // some may be gone
  Watermark watermark = watermark_min;
  std::int64_t told_ms = 0;  // processing time when changes were last told

  // Kept for their memory.
  std::vector<std::uint32_t> on_time_rows;
  std::vector<std::uint32_t> all_rows;
  std::vector<std::uint32_t> late;
  std::vector<const column::Vector*> keys;
  AggregateColumns columns;
  KeyScratch scratch;

 private:
  const Node& node_;
};

}  // namespace leat::operators
