// What the operators compute, as loops that a programmer would write. They rely on the order of
// time.
#pragma once

#include <cstdint>

#include "operators/rows.h"

namespace leat::operator_bench {

Sum filter_loop(const Data& data);
Sum project_loop(const Data& data);
Sum unnest_loop(const Data& data);
Sum tumbling_loop(const Data& data, std::int64_t size_ms);
/// With text keys, which do not count in the sum.
Sum tumbling_texts_loop(const Data& data, std::int64_t size_ms);
Sum hopping_loop(const Data& data, std::int64_t size_ms, std::int64_t slide_ms);
Sum session_loop(const Data& data, std::int64_t gap_ms);
Sum top_loop(const Data& data, std::size_t limit);
Sum dedup_loop(const Data& data, std::int64_t horizon_ms);
Sum over_rows_loop(const Data& data, std::size_t before);
Sum over_range_loop(const Data& data, std::int64_t range_ms);
Sum interval_join_loop(const Data& left, const Data& right, std::int64_t span_ms);
Sum table_join_loop(const Data& left, const Data& table);
Sum as_of_join_loop(const Data& left, const Data& right);

}  // namespace leat::operator_bench
