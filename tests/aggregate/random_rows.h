// Random rows for an aggregate, as accumulators see them and as the judge does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aggregate/accumulators.h"
#include "base/random.h"
#include "interpreter/aggregate.h"

namespace leat::aggregate {

/// A type that the word of a signature takes (plan/functions.h).
column::Type random_type(Random& random, std::string_view word);
/// Small ones, that come again, and the largest there are; or `many` different ones. Not NULL.
column::Value random_value(Random& random, const column::Type& type, bool many);

/// An aggregate that is bound by itself: its expressions stand for nothing but their types.
struct RandomAggregate {
  RandomAggregate(Random& random, const plan::Signature& signature);
  RandomAggregate(const RandomAggregate&) = delete;

  plan::Aggregate aggregate;
  plan::BoundNode node;  // with this one aggregate

  const plan::BoundAggregate& bound() const { return node.aggregates[0]; }
};

/// What an aggregate takes of rows, each of which has a time and a position of its own.
class RandomRows {
 public:
  RandomRows(Random& random, const plan::BoundAggregate& aggregate, std::size_t count);

  std::size_t size() const { return judged_.size(); }
  Input input() const;
  /// What the judge says of these rows, or why there is nothing.
  struct Verdict {
    column::Value value;
    std::string reason;
  };
  Verdict judge(const plan::BoundNode& node, const std::vector<std::uint32_t>& rows) const;

 private:
  void add_context(Random& random, std::size_t count);
  bool earlier(std::uint32_t a, std::uint32_t b) const;

  std::vector<interpreter::AggregateInput> judged_;  // by row; texts of the columns point into it
  std::unique_ptr<column::Vector> argument_;
  std::unique_ptr<column::Vector> order_by_;
  std::unique_ptr<column::Vector> filter_;
  column::RowContext context_;
  std::vector<std::string> rests_;
};

}  // namespace leat::aggregate
