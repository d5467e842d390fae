#include "server/request_metrics.h"

#include <string>

namespace leat::server {

RequestMetrics::RequestMetrics(Metrics& metrics)
    : bytes_in(metrics.counter("leat_kafka_bytes_in_total", "Bytes received from Kafka clients.")),
      bytes_out(metrics.counter("leat_kafka_bytes_out_total", "Bytes sent to Kafka clients.")),
      connections_accepted(metrics.counter("leat_kafka_connections_total",
                                           "Connections of Kafka clients accepted.")),
      connections_open(
          metrics.gauge("leat_kafka_connections", "Connections of Kafka clients open now.")),
      connections_broken(metrics.counter("leat_kafka_connections_broken_total",
                                         "Connections closed because of what came over them.")),
      connections_timed_out(metrics.counter(
          "leat_kafka_connections_timed_out_total",
          "Connections closed because their peer was too slow or silent for too long.")) {
  for (const Api& api : served_apis()) {
    Labels labels{{"api", std::string(wire::name(api.key))}};
    apis_.push_back({&metrics.counter("leat_kafka_requests_total", "Requests answered.", labels),
                     &metrics.histogram("leat_kafka_request_latency_seconds",
                                        "From a request's arrival to its answer being ready, "
                                        "waiting for data or the disk included.",
                                        labels)});
  }
}

const ApiMetrics& RequestMetrics::of(const Api& api) const {
  return apis_[static_cast<std::size_t>(&api - served_apis().data())];
}

}  // namespace leat::server
