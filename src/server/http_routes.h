// What the HTTP side answers: is the server alive, is it ready, and its metrics.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "base/metrics.h"
#include "broker/broker.h"
#include "net/http_server.h"
#include "server/options.h"

namespace leat::server {

/// How far a server is. All on its thread.
struct Progress {
  enum class Phase { recovering, ready, stopping };
  Phase phase = Phase::recovering;
  /// Of the recovery, in percent. Set by the thread that recovers.
  std::atomic<int> percent{0};
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
  /// nullptr until it is recovered.
  broker::Broker* broker = nullptr;
};

net::HttpResponse answer_http(const net::HttpRequest& request, const Progress& progress,
                              const Metrics& metrics);

/// The gauges of what a broker has, under the names that dashboards for Kafka and Redpanda know.
/// `broker` outlives every later use of `metrics`.
void register_broker_metrics(Metrics& metrics, broker::Broker& broker);

}  // namespace leat::server
