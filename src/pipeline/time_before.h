// How far event time had come before a place in what a plan reads.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/result.h"
#include "pipeline/positions.h"
#include "plan/bound_plan.h"
#include "stream/topic_store.h"

namespace leat::pipeline {

struct TimeBefore {
  /// What the pipeline's watermark had come to at least. Nothing if one of the partitions that it
  /// waits for has nothing before its place.
  std::optional<std::int64_t> watermark_ms;
  /// The same without those partitions, as at an end where nothing more is waited for.
  std::optional<std::int64_t> watermark_at_end_ms;
  /// The largest event time of all rows before.
  std::optional<std::int64_t> latest_ms;
};

/// By the last records before `at`, of each partition some thousands. `first_at` gives, by a time,
/// the first records of the topics from that timestamp on: where event times hang on timestamps,
/// that makes `latest_ms` exact, else it is that of the records that were looked at.
Result<TimeBefore> time_before(
    const plan::Plan& plan, stream::TopicStore& topics, const Positions& at,
    const std::function<Result<Positions>(std::int64_t time_ms)>& first_at);

}  // namespace leat::pipeline
