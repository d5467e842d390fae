#include "base/metrics.h"

#include <algorithm>
#include <bit>

#include <fmt/core.h>

namespace leat {
namespace {

std::string written(const Labels& labels) {
  std::string out;
  for (const auto& [key, value] : labels) {
    if (!out.empty()) out += ',';
    out += key;
    out += "=\"";
    for (char c : value) {
      if (c == '"' || c == '\\') out += '\\';
      if (c == '\n') {
        out += "\\n";
      } else {
        out += c;
      }
    }
    out += '"';
  }
  return out;
}

std::string sample(const std::string& name, const std::string& labels) {
  return labels.empty() ? name : fmt::format("{}{{{}}}", name, labels);
}

template <class Map>
auto& entry(Map& map, const Labels& labels) {
  auto& slot = map[written(labels)];
  using T = typename std::decay_t<decltype(slot)>::element_type;
  if (!slot) slot = std::make_unique<T>();
  return *slot;
}

void expose_histogram(const std::string& name, const std::string& labels,
                      const Histogram& histogram, std::string& out) {
  std::string prefix = labels.empty() ? "" : labels + ",";
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < Histogram::bucket_count; ++i) {
    count += histogram.bucket(i);
    bool last = i + 1 == Histogram::bucket_count;
    std::string bound = last ? "+Inf" : fmt::format("{}", static_cast<double>(1ULL << i) / 1e6);
    out += fmt::format("{}_bucket{{{}le=\"{}\"}} {}\n", name, prefix, bound, count);
  }
  out += fmt::format("{} {}\n", sample(name + "_sum", labels),
                     static_cast<double>(histogram.sum_us()) / 1e6);
  out += fmt::format("{} {}\n", sample(name + "_count", labels), count);
}

}  // namespace

void Histogram::record_us(std::uint64_t microseconds) {
  // Bucket i holds values up to 2^i.
  auto i = static_cast<std::size_t>(std::bit_width(microseconds > 0 ? microseconds - 1 : 0));
  buckets_[std::min(i, bucket_count - 1)].fetch_add(1, std::memory_order_relaxed);
  sum_us_.fetch_add(microseconds, std::memory_order_relaxed);
}

Metrics::Family& Metrics::family(const std::string& name, const std::string& type,
                                 const std::string& help) {
  Family& family = families_[name];
  family.type = type;
  family.help = help;
  return family;
}

Counter& Metrics::counter(const std::string& name, const std::string& help, const Labels& labels) {
  std::lock_guard lock(mutex_);
  return entry(family(name, "counter", help).counters, labels);
}

Gauge& Metrics::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  std::lock_guard lock(mutex_);
  return entry(family(name, "gauge", help).gauges, labels);
}

Histogram& Metrics::histogram(const std::string& name, const std::string& help,
                              const Labels& labels) {
  std::lock_guard lock(mutex_);
  return entry(family(name, "histogram", help).histograms, labels);
}

void Metrics::collect(const std::string& name, const std::string& type, const std::string& help,
                      std::function<void(const Write&)> collector) {
  std::lock_guard lock(mutex_);
  family(name, type, help).collector = std::move(collector);
}

void Metrics::expose_family(const std::string& name, const Family& family, std::string& out) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, family.type);
  for (const auto& [labels, counter] : family.counters) {
    out += fmt::format("{} {}\n", sample(name, labels), counter->value());
  }
  for (const auto& [labels, gauge] : family.gauges) {
    out += fmt::format("{} {}\n", sample(name, labels), gauge->value());
  }
  for (const auto& [labels, histogram] : family.histograms) {
    expose_histogram(name, labels, *histogram, out);
  }
  if (family.collector) {
    family.collector([&](const Labels& labels, double value) {
      out += fmt::format("{} {}\n", sample(name, written(labels)), value);
    });
  }
}

std::string Metrics::expose() const {
  std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) expose_family(name, family, out);
  return out;
}

}  // namespace leat
