// How fast something has gone lately.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

namespace leat::pipeline {

/// Of a count that only grows, over the last ten seconds. Not thread-safe.
class Rate {
 public:
  void add(std::chrono::nanoseconds now, std::uint64_t count) {
    constexpr std::chrono::milliseconds apart{250};
    if (!samples_.empty() && now - samples_.back().at < apart) return;
    samples_.push_back({now, count});
    // One that is older stays, so that there is one from ten seconds ago.
    while (samples_.size() > 1 && now - samples_[1].at >= span) samples_.pop_front();
  }
  /// A second, if the count is that now.
  double per_second(std::chrono::nanoseconds now, std::uint64_t count) const {
    const Sample* since = nullptr;
    for (const auto& sample : samples_) {
      if (since == nullptr || now - sample.at >= span) since = &sample;
    }
    if (since == nullptr || now <= since->at || count < since->count) return 0;
    double seconds = std::chrono::duration<double>(now - since->at).count();
    return static_cast<double>(count - since->count) / seconds;
  }

 private:
  struct Sample {
    std::chrono::nanoseconds at;
    std::uint64_t count;
  };
  static constexpr std::chrono::seconds span{10};
  std::deque<Sample> samples_;
};

}  // namespace leat::pipeline
