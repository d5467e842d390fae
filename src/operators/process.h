// Functions of the program that embeds the runtime, called row by row.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "column/chunk.h"
#include "column/text_arena.h"
#include "operators/operator.h"
#include "plan/bound_plan.h"
#include "plan/process.h"

namespace leat::operators {

/// Rows that a function is giving, column by column.
struct ProcessRows {
  /// Every one has another.
  std::uint64_t serial = 0;
  std::vector<column::Vector> columns;
  /// What their texts are in.
  std::shared_ptr<column::TextArena> texts = std::make_shared<column::TextArena>();
};

/// What a function can do while it is called.
class ProcessActions {
 public:
  virtual ~ProcessActions() = default;
  /// Of the row, or the timer's.
  virtual std::int64_t time_ms() const = 0;
  /// To be given a cell in each column, next. Another one than before once enough rows are in that.
  virtual ProcessRows& begin_row() = 0;
  virtual void set_timer(std::int64_t time_ms) = 0;
  virtual void cancel_timer(std::int64_t time_ms) = 0;
  virtual void forget() = 0;
};

/// A function with its types: what a plan::Process has as its code. Immutable; may be called by
/// several threads.
class ProcessFunction : public plan::UserCode {
 public:
  /// What is kept for one key.
  class Kept {
   public:
    virtual ~Kept() = default;
    virtual void write(std::string& out) const = 0;
    /// False if these are not the bytes of one.
    virtual bool read(std::string_view bytes) = 0;
    virtual std::size_t bytes() const = 0;
  };
  /// Calls it. Not thread-safe.
  class Caller {
   public:
    virtual ~Caller() = default;
    /// The rows to come are in these columns: those of plan::Process::reads.
    virtual void set_columns(std::span<const column::Vector* const> columns) = 0;
    /// Why the row has no result; empty if it was processed. May throw.
    virtual std::string on_row(std::size_t row, Kept& kept, ProcessActions& actions) = 0;
    virtual void on_timer(Kept& kept, ProcessActions& actions) = 0;
  };

  virtual std::unique_ptr<Kept> make_kept() const = 0;
  virtual std::unique_ptr<Caller> make_caller() const = 0;
  /// What is kept, in words: only what has the same description is restored. "{}" for nothing.
  virtual std::string describe_kept() const = 0;
};

/// plan::Process. Rows come to the function in the order of time, or as they come, and their
/// results in the same order: each has its row's event time and position, its number behind it.
/// Timers are called when all rows up to their time have been; what they give has the position
/// (node, time, key, number). At the end of input those up to the last one that is set by then are.
///
/// Keeps the rows that event time has not passed, and for each key what the function keeps and the
/// timers that it set, until it forgets the key.
class Process : public Operator {
 public:
  /// REQUIRES: node `number` is a plan::Process.
  Process(const plan::BoundPlan& plan, std::size_t number);

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Context& context) const override;
  std::vector<std::size_t> gathers_by(std::size_t) const override { return keys_; }
  bool needs_all() const override { return keys_.empty(); }

 private:
  class State;

  column::Schema input_;
  column::Schema schema_;
  std::vector<std::size_t> keys_;
  std::vector<std::size_t> reads_;
  std::int32_t node_;
  bool at_once_;
  std::shared_ptr<const ProcessFunction> function_;
};

}  // namespace leat::operators
