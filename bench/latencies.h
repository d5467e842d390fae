// What is said of many latencies.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace leat::bench {

/// In milliseconds. Keeps all, so that nothing is rounded.
class Latencies {
 public:
  void add(double ms) {
    all_.push_back(ms);
    is_sorted_ = false;
  }
  void add(const Latencies& other) {
    all_.insert(all_.end(), other.all_.begin(), other.all_.end());
    is_sorted_ = false;
  }
  std::size_t size() const { return all_.size(); }
  /// The least that a part `q` of all is not above.
  double at(double q) {
    if (all_.empty()) return 0;
    if (!is_sorted_) std::sort(all_.begin(), all_.end());
    is_sorted_ = true;
    auto last = static_cast<double>(all_.size() - 1);
    return all_[static_cast<std::size_t>(q * last + 0.5)];
  }
  std::string text() {
    return fmt::format("p50 {:.2f} p99 {:.2f} p99.9 {:.2f} max {:.1f} ms of {}", at(0.5), at(0.99),
                       at(0.999), at(1), all_.size());
  }

 private:
  std::vector<double> all_;
  bool is_sorted_ = false;
};

/// What many times as long the first ones are.
inline std::string ratios(Latencies& these, Latencies& those) {
  return fmt::format("p50 {:.2f} p99 {:.2f} p99.9 {:.2f}", these.at(0.5) / those.at(0.5),
                     these.at(0.99) / those.at(0.99), these.at(0.999) / those.at(0.999));
}

}  // namespace leat::bench
