// This server as the handlers of requests see it.
#pragma once

#include <cstdint>
#include <string>

#include "base/metrics.h"
#include "broker/broker.h"
#include "server/options.h"

namespace leat::server {

/// What handlers act on. What changes in it belongs to the broker's executor.
struct Node {
  broker::Broker& broker;
  const ServerOptions& options;
  Metrics& metrics;
  /// The one node of the cluster: broker, controller and coordinator.
  std::int32_t id = 1;
  /// The first request for more replicas than there are was told to the operator.
  bool has_warned_of_replication = false;

  std::string cluster_id() const { return broker.cluster_id().to_hex(); }
};

}  // namespace leat::server
