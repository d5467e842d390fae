// Aggregates by key over sessions.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "operators/aggregate_inputs.h"
#include "operators/operator.h"
#include "operators/session_state.h"
#include "operators/window_rows.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// A plan::Window of sessions. A row counts if its time + gap is behind the watermark that it
/// carries, whatever is there, and then joins the sessions that it is near. So a session is closed
/// when no row can join it: a gap behind its last row's own end. Its row comes out then, and event
/// time goes on behind that much later.
///
/// Memory is that of the sessions that are open, and of those that the lateness keeps. What was
/// given is kept with a session for as long as it may change.
class SessionWindow final : public Operator {
 public:
  /// `node` has the number `number` in its plan, which must outlive this, and gets rows of `input`.
  SessionWindow(const plan::BoundNode& node, const column::Schema& input, std::int32_t number);

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Context& context) const override;
  Watermark passes_on(Watermark watermark) const override {
    return earlier_by(watermark, node_.gap_ms - 1);
  }
  Result<void> update(OperatorState& state, Context& context) const override;
  void note_told(OperatorState& state, std::int64_t now_ms) const override {
    static_cast<SessionState&>(state).told_ms = now_ms;
  }
  std::vector<std::size_t> gathers_by(std::size_t) const override { return keys_; }
  bool needs_all() const override { return keys_.empty(); }

 private:
  void sort_rows(SessionState& state, const column::Chunk& chunk) const;
  Result<void> add_rows(SessionState& state, const column::Chunk& chunk, Context& context) const;
  Result<void> close(SessionState& state, std::int64_t end_ms, Context& context) const;
  Result<void> give(SessionState& state, std::span<const SessionId> ids, Context& context) const;
  Result<void> tell_changes(SessionState& state, std::span<const SessionId> ids,
                            Context& context) const;
  Result<void> end(SessionState& state, std::int64_t end_ms, Context& context) const;

  std::vector<std::size_t> keys_;  // columns of the input
  std::int64_t lateness_ms_;
  plan::Window::Emit emit_;
  std::int64_t every_ms_;
  bool closes_;   // whether results of rows on time are given when sessions close
  bool changes_;  // whether changes are told
  AggregateInputs inputs_;
  WindowRows rows_;
  SessionState::Node node_;
};

}  // namespace leat::operators
