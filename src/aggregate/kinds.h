// Which accumulators an aggregate has: a function for each file of them.
#pragma once

#include <memory>

#include "aggregate/accumulators.h"

namespace leat::aggregate {

/// count
std::unique_ptr<Accumulators> make_counts(const plan::BoundAggregate& aggregate);
/// sum and avg
std::unique_ptr<Accumulators> make_sums(const plan::BoundAggregate& aggregate);
/// min and max
std::unique_ptr<Accumulators> make_extremes(const plan::BoundAggregate& aggregate);
/// bool_and and bool_or
std::unique_ptr<Accumulators> make_truths(const plan::BoundAggregate& aggregate);
/// var_pop, var_samp, stddev_pop and stddev_samp
std::unique_ptr<Accumulators> make_variances(const plan::BoundAggregate& aggregate);
/// first and last, min and max of intervals
std::unique_ptr<Accumulators> make_chosen(const plan::BoundAggregate& aggregate);
/// count_distinct
std::unique_ptr<Accumulators> make_distinct_counts(const plan::BoundAggregate& aggregate,
                                                   Rows rows);
/// approx_count_distinct
std::unique_ptr<Accumulators> make_approximate_counts(const plan::BoundAggregate& aggregate);
/// percentile
std::unique_ptr<Accumulators> make_percentiles(const plan::BoundAggregate& aggregate);
/// array_agg and string_agg
std::unique_ptr<Accumulators> make_lists(const plan::BoundAggregate& aggregate);
/// top_n, min_by and max_by
std::unique_ptr<Accumulators> make_tops(const plan::BoundAggregate& aggregate);

}  // namespace leat::aggregate
