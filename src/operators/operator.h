// The contract of a pipeline's operators.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/state.h"
#include "column/chunk.h"
#include "operators/watermark.h"

namespace leat::operators {

/// What an operator has around it: where its rows go, and what time it is. Errors end the run.
class Context {
 public:
  virtual ~Context() = default;
  /// Rows for whoever reads this node.
  virtual Result<void> push(const column::Chunk& chunk) = 0;
  /// Rows of an input chunk that came too late to count anywhere.
  virtual Result<void> push_late(const column::Chunk& chunk,
                                 std::span<const std::uint32_t> rows) = 0;
  /// A row that has no valid result here: the plan's policy decides. `chunk` has columns as
  /// `schema` says, which need not be the input's.
  virtual Result<void> reject(const column::Schema& schema, const column::Chunk& chunk,
                              std::uint32_t row, const std::string& reason) = 0;
  /// Processing time, in ms since 1970: one value for all that belongs to an epoch.
  virtual std::int64_t now_ms() const = 0;
  /// update() tells now what was put off until this moment of processing time, whether or not that
  /// comes to anything.
  virtual void note_told() {}
};

/// What changes while an operator runs. This one is that of operators that keep nothing.
class OperatorState {
 public:
  virtual ~OperatorState() = default;
  /// Writes all of it, so that restore() followed by the same input gives the same output.
  virtual void snapshot(StateWriter&) const {}
  /// REQUIRES: a new state of the same operator.
  virtual Result<void> restore(StateReader&) { return {}; }
  /// Memory that it holds, more or less.
  virtual std::size_t bytes() const { return 0; }
};

/// One node of a graph. Immutable, so that several runs may share it; a state, which its own
/// make_state() made, is used from one thread at a time.
///
/// What comes out in the end follows from the rows and their watermarks, whatever the chunks, the
/// order in which chunks of different partitions come, and how often advance() is called. Rows that
/// are given when event time has passed them come out in the order of time (event time, then
/// position), each time behind those before.
class Operator {
 public:
  virtual ~Operator() = default;
  virtual std::unique_ptr<OperatorState> make_state() const {
    return std::make_unique<OperatorState>();
  }
  /// Takes a chunk of the node's input of that number, from 0, and pushes zero or more. Rows of one
  /// partition come in its order.
  virtual Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                               Context& context) const = 0;
  /// No input will give a row of an event time before `watermark`, which never goes back, but for
  /// late ones. Pushes what is complete now. watermark_max: nothing will come any more.
  virtual Result<void> advance(OperatorState&, Watermark, Context&) const { return {}; }
  /// What advance() is for those behind: no row will be given of an event time before it.
  virtual Watermark passes_on(Watermark watermark) const { return watermark; }
  /// Pushes what is to be seen now, whether or not it is complete: called behind each advance(),
  /// and when processing time has moved on.
  virtual Result<void> update(OperatorState&, Context&) const { return {}; }
  /// Behind an update() of all states in which one or more called note_told(): what is put off from
  /// now on is put off by as much in all of them.
  virtual void note_told(OperatorState&, std::int64_t /*now_ms*/) const {}

  /// By which columns of an input rows have to be brought together in one state; nothing if any
  /// state will do. All inputs have as many.
  virtual std::vector<std::size_t> gathers_by(std::size_t /*input*/) const { return {}; }
  /// Whether all rows have to be in one state.
  virtual bool needs_all() const { return false; }

  /// Whether the rows of one run may be spread over several states in any way and order, of which
  /// merge() then makes what one state would be that saw all. process() pushes only late rows then.
  virtual bool can_merge() const { return false; }
  /// Whether what is complete in one part of time needs nothing of that in another: then merge()
  /// and advance() may give each part a whole of its own, which is empty afterwards.
  virtual bool merges_by_time() const { return false; }
  /// Moves from `part` to `whole` what no row can change any more once event time has come to
  /// `watermark`; all of it for watermark_max. REQUIRES: can_merge().
  virtual void merge(OperatorState& /*whole*/, OperatorState& /*part*/, Watermark) const {}
};

}  // namespace leat::operators
