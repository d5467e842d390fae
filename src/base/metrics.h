// Counters and gauges with labels, and their exposition in Prometheus' text format.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace leat {

/// A number that only grows. Thread-safe.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// A number that goes up and down. Thread-safe.
class Gauge {
 public:
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// A distribution, in buckets of powers of two microseconds from 1 to about 67 s. Thread-safe.
class Histogram {
 public:
  static constexpr std::size_t bucket_count = 27;
  void record_us(std::uint64_t microseconds);
  std::uint64_t bucket(std::size_t i) const { return buckets_[i].load(std::memory_order_relaxed); }
  std::uint64_t sum_us() const { return sum_us_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> buckets_[bucket_count]{};
  std::atomic<std::uint64_t> sum_us_{0};
};

/// `{{"topic", "edits"}, {"partition", "0"}}`
using Labels = std::vector<std::pair<std::string, std::string>>;

/// Owns every metric of a process or of one server in it. Thread-safe; references given out live
/// as long as the registry.
class Metrics {
 public:
  /// The metric of that name and those labels, made at its first use. `help` is one sentence.
  Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram& histogram(const std::string& name, const std::string& help, const Labels& labels = {});
  /// Writes samples whose values live elsewhere when asked: `write(labels, value)` for each.
  using Write = std::function<void(const Labels&, double)>;
  void collect(const std::string& name, const std::string& type, const std::string& help,
               std::function<void(const Write&)> collector);
  /// All metrics in Prometheus' text format 0.0.4.
  std::string expose() const;

 private:
  struct Family {
    std::string type;
    std::string help;
    std::map<std::string, std::unique_ptr<Counter>> counters;  // by written labels
    std::map<std::string, std::unique_ptr<Gauge>> gauges;
    std::map<std::string, std::unique_ptr<Histogram>> histograms;
    std::function<void(const Write&)> collector;
  };
  Family& family(const std::string& name, const std::string& type, const std::string& help);
  static void expose_family(const std::string& name, const Family& family, std::string& out);

  mutable std::mutex mutex_;
  std::map<std::string, Family> families_;  // guarded by mutex_
};

}  // namespace leat
