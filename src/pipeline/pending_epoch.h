// The epoch that is being made.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "pipeline/epoch_record.h"
#include "stream/output_batches.h"
#include "stream/step_record.h"

namespace leat::pipeline {

/// Steps that were done since the last epoch was handed over, and what they gave.
class PendingEpoch {
 public:
  /// Without output it waits so long for more to be committed with it.
  static constexpr std::chrono::milliseconds patience{100};
  /// With output, where commits disturb others.
  static constexpr std::chrono::milliseconds patience_with_output{500};

  explicit PendingEpoch(bool commits_seldom) : commits_seldom_(commits_seldom) {}

  void add(stream::StepRecord step, std::uint64_t hash, std::vector<stream::OutputBatch> output,
           std::chrono::nanoseconds now) {
    if (steps_.empty()) begun_ = now;
    steps_.push_back({std::move(step), hash});
    for (auto& batch : output) {
      bytes_ += batch.bytes.size();
      output_.push_back(std::move(batch));
    }
  }
  /// It is to be committed as it is, though nothing may have been done.
  void close() { closed_ = true; }

  bool empty() const { return steps_.empty() && !closed_; }
  bool has_output() const { return !output_.empty(); }
  /// Nothing more should be added.
  bool full() const {
    constexpr std::size_t bytes_max = 8 << 20;
    constexpr std::size_t steps_max = 1'000;
    return closed_ || bytes_ >= bytes_max || steps_.size() >= steps_max;
  }
  /// When it is to be committed, if nothing is given until then; nothing while it is empty.
  std::optional<std::chrono::nanoseconds> due_at() const {
    if (empty()) return {};
    if (full()) return begun_;
    if (!has_output()) return begun_ + patience;
    return commits_seldom_ ? begun_ + patience_with_output : begun_;
  }

  /// Nobody will commit it.
  void drop() {
    take_steps();
    take_output();
  }

  std::size_t steps() const { return steps_.size(); }
  std::vector<EpochRecord::Step> take_steps() {
    closed_ = false;
    return std::exchange(steps_, {});
  }
  std::vector<stream::OutputBatch> take_output() {
    bytes_ = 0;
    return std::exchange(output_, {});
  }

 private:
  const bool commits_seldom_;
  std::vector<EpochRecord::Step> steps_;
  std::vector<stream::OutputBatch> output_;
  std::size_t bytes_ = 0;
  std::chrono::nanoseconds begun_{0};
  bool closed_ = false;
};

}  // namespace leat::pipeline
