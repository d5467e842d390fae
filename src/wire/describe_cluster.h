// DescribeCluster: the brokers, and which of them is the controller.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct DescribeClusterResponse {
  static constexpr ApiKey key = ApiKey::describe_cluster;
  static constexpr Versions valid{0, 2};
  static constexpr Versions flexible = since(0);

  struct Broker {
    std::int32_t broker_id = 0;
    std::string host;
    std::int32_t port = 0;
    std::optional<std::string> rack;
    bool is_fenced = false;
    static void fields(auto& m, auto& v) {
      v("broker_id", m.broker_id);
      v("host", m.host);
      v("port", m.port);
      v("rack", m.rack);
      v("is_fenced", m.is_fenced, since(2));
    }
  };
  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> error_message;
  std::int8_t endpoint_type = 1;
  std::string cluster_id;
  std::int32_t controller_id = -1;
  std::vector<Broker> brokers;
  std::int32_t cluster_authorized_operations = INT32_MIN;  // not asked for
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms);
    v("error_code", m.error_code);
    v("error_message", m.error_message);
    v("endpoint_type", m.endpoint_type, since(1));
    v("cluster_id", m.cluster_id);
    v("controller_id", m.controller_id);
    v("brokers", m.brokers);
    v("cluster_authorized_operations", m.cluster_authorized_operations);
  }
};

struct DescribeClusterRequest {
  static constexpr ApiKey key = ApiKey::describe_cluster;
  static constexpr Versions valid{0, 2};
  static constexpr Versions flexible = since(0);
  using Response = DescribeClusterResponse;

  bool include_cluster_authorized_operations = false;
  std::int8_t endpoint_type = 1;  // 1: brokers, 2: controllers
  bool include_fenced_brokers = false;
  static void fields(auto& m, auto& v) {
    v("include_cluster_authorized_operations", m.include_cluster_authorized_operations);
    v("endpoint_type", m.endpoint_type, since(1));
    v("include_fenced_brokers", m.include_fenced_brokers, since(2));
  }
};

}  // namespace leat::wire
