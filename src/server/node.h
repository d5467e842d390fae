// This server as the handlers of requests see it.
#pragma once

#include <cstdint>
#include <string>

#include "base/metrics.h"
#include "broker/broker.h"
#include "server/fetch_sessions.h"
#include "server/options.h"

namespace leat::server {

/// What handlers act on. Lives on the broker's executor.
struct Node {
  broker::Broker& broker;
  const ServerOptions& options;
  Metrics& metrics;
  /// The one node of the cluster: broker, controller and coordinator.
  std::int32_t id = 1;
  FetchSessions fetch_sessions{
      {options.limits.fetch_sessions_max, options.limits.fetch_session_bytes_max},
      Random::from_entropy(),
      metrics.gauge("leat_fetch_sessions", "Fetch sessions that clients have.")};
  /// The first request for more replicas than there are was told to the operator.
  bool has_warned_of_replication = false;

  std::string cluster_id() const { return broker.cluster_id().to_hex(); }
};

}  // namespace leat::server
