// What a server counts while it serves.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "base/metrics.h"
#include "server/dispatch.h"

namespace leat::server {

/// The counters of one API.
struct ApiMetrics {
  Counter* requests = nullptr;
  Histogram* latency = nullptr;
};

/// References into a registry, looked up once. Outlived by it.
class RequestMetrics {
 public:
  explicit RequestMetrics(Metrics& metrics);

  /// REQUIRES: `api` is one of served_apis().
  const ApiMetrics& of(const Api& api) const;

  Counter& bytes_in;
  Counter& bytes_out;
  Counter& connections_accepted;
  Gauge& connections_open;
  /// Connections that we ended because of what came over them.
  Counter& connections_broken;
  /// ... because they were too slow or silent for too long.
  Counter& connections_timed_out;

 private:
  std::vector<ApiMetrics> apis_;  // as served_apis()
};

}  // namespace leat::server
