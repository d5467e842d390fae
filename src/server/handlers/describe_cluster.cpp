// DescribeCluster: the one broker, which is the controller too.
#include "server/handlers.h"

namespace leat::server {

void handle(Call<wire::DescribeClusterRequest> call) {
  const wire::DescribeClusterRequest& request = call.request();
  constexpr std::int8_t brokers = 1;
  // Kafka's operations on a cluster, all of them, as bits.
  constexpr std::int32_t all_operations = 0b1'1111'1010'0000;
  wire::DescribeClusterResponse response;
  response.endpoint_type = request.endpoint_type;
  if (request.endpoint_type != brokers) {
    response.error_code = wire::ErrorCode::mismatched_endpoint_type;
    response.error_message = "this is a broker, which knows no controller endpoints";
    return call.answer(response);
  }
  const Node& node = call.node();
  response.cluster_id = node.cluster_id();
  response.controller_id = node.id;
  wire::DescribeClusterResponse::Broker& self = response.brokers.emplace_back();
  self.broker_id = node.id;
  self.host = call.advertised().host;
  self.port = call.advertised().port;
  if (request.include_cluster_authorized_operations) {
    response.cluster_authorized_operations = all_operations;
  }
  call.answer(response);
}

}  // namespace leat::server
