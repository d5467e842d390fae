// What windows and over() compute of many rows. Begin with stream.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "leat/expression.h"

namespace leat::flow {

/// One aggregate of a group of rows. NULLs do not take part, except in count() and array_agg(), and
/// make the result NULL where there is nothing else; a count is 0 then. Results are the same to the
/// last bit whatever the number of workers.
struct Aggregate {
  /// The column's name: as() gives one. Otherwise the function's.
  Aggregate as(std::string column) const {
    Aggregate copy(*this);
    copy.name = std::move(column);
    return copy;
  }
  /// Of only those rows for which this is true.
  Aggregate where(Expression condition) const {
    Aggregate copy(*this);
    copy.filter = std::move(condition);
    return copy;
  }

  std::string function;
  std::optional<Expression> argument = {};
  std::string name = {};
  std::optional<Expression> filter = {};
  std::optional<double> fraction = {};
  std::optional<Expression> order_by = {};
  bool descending = false;
  std::optional<std::int64_t> limit = {};
  std::string separator = {};
};

/// Of rows.
Aggregate count();
/// Of values that are not NULL.
Aggregate count(Expression value);
Aggregate count_distinct(Expression value);
/// HyperLogLog of 4,096 registers: within some 2 %.
Aggregate approx_count_distinct(Expression value);
/// Of doubles the nearest one to the true sum.
Aggregate sum(Expression number);
Aggregate min(Expression value);
Aggregate max(Expression value);
Aggregate avg(Expression number);
/// The value where `order_by` is least, or largest; of several the first in the order of time.
Aggregate min_by(Expression value, Expression order_by);
Aggregate max_by(Expression value, Expression order_by);
/// Whether all are true, or at least one is.
Aggregate bool_and(Expression condition);
Aggregate bool_or(Expression condition);
/// Variance and standard deviation of all values, or as a sample's: NULL of fewer than two.
Aggregate var_pop(Expression number);
Aggregate var_samp(Expression number);
Aggregate stddev_pop(Expression number);
Aggregate stddev_samp(Expression number);
/// In the order of time.
Aggregate first(Expression value);
Aggregate last(Expression value);
/// `fraction` from 0 to 1: percentile(col("ms"), 0.99). Exact up to 1,024 values.
Aggregate percentile(Expression number, double fraction);
enum class Direction : std::uint8_t { ascending, descending };
/// An array of the first `limit` values in the order of `order_by`.
Aggregate top_n(Expression value, std::int64_t limit, Expression order_by,
                Direction direction = Direction::descending);
/// In the order of time.
Aggregate array_agg(Expression value);
Aggregate string_agg(Expression text, std::string separator);

}  // namespace leat::flow
