// Functions of the program that embeds the runtime, called with many rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "column/chunk.h"
#include "operators/operator.h"
#include "operators/process.h"
#include "plan/bound_plan.h"
#include "plan/process.h"

namespace leat::operators {

/// What a function can do while it is called.
class BatchActions {
 public:
  virtual ~BatchActions() = default;
  /// To be given a cell in each column, next, for this row of the batch. Throws for one before that
  /// of the last call.
  virtual ProcessRows& begin_row(std::size_t of) = 0;
  virtual void reject(std::size_t row, std::string_view reason) = 0;
};

/// A function with its types: what a plan::Process may have as its code. Immutable; may be called
/// by several threads.
class BatchFunction : public plan::UserCode {
 public:
  /// Calls it. Not thread-safe.
  class Caller {
   public:
    virtual ~Caller() = default;
    /// The columns are those of plan::Process::reads. May throw.
    virtual void on_batch(const column::Chunk& chunk, ProcessFunction::Kept& kept,
                          BatchActions& actions) = 0;
  };
  virtual std::unique_ptr<ProcessFunction::Kept> make_kept() const = 0;
  virtual std::unique_ptr<Caller> make_caller() const = 0;
  /// As ProcessFunction::describe_kept().
  virtual std::string describe_kept() const = 0;
};

/// plan::Process whose function takes batches: rows that event time has passed, in the order of
/// time, a chunk of them at most. What it gives has the event times and positions of these rows, a
/// number behind. One that throws ends the run: it is not known which row was wrong.
///
/// Keeps the rows that event time has not passed, and what the function keeps.
class BatchProcess : public Operator {
 public:
  /// REQUIRES: node `number` is a plan::Process with a BatchFunction.
  BatchProcess(const plan::BoundPlan& plan, std::size_t number);

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
  std::shared_ptr<const BatchFunction> function_;
};

}  // namespace leat::operators
