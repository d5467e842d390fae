// Metadata: who we are, and which topics there are. Makes those that are asked for and missing.
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/logging.h"
#include "broker/topic_name.h"
#include "server/handlers.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

using wire::ErrorCode;
using wire::MetadataRequest;
using wire::MetadataResponse;

// Bit fields of Kafka's operations, as a broker without an authorizer sends them: whatever can be
// done to a topic (read, write, create, delete, alter, describe, both configs), or to a cluster.
constexpr std::int32_t all_topic_operations = 0b1101'1111'1000;
constexpr std::int32_t all_cluster_operations = 0b1'1111'1010'0000;

MetadataResponse::Topic describe(const Node& node, const broker::Topic& found) {
  const broker::TopicInfo& info = found.info;
  MetadataResponse::Topic topic;
  topic.name = info.name;
  topic.topic_id = info.id;
  topic.is_internal = broker::is_internal_topic(info.name);
  topic.partitions.resize(static_cast<std::size_t>(info.partitions));
  for (std::int32_t i = 0; i < info.partitions; ++i) {
    auto& partition = topic.partitions[static_cast<std::size_t>(i)];
    partition.partition_index = i;
    partition.leader_id = node.id;
    partition.replica_nodes = {node.id};
    partition.isr_nodes = {node.id};
    partition.leader_epoch = found.partition(PartitionId{i})->log().leader_epoch().value();
  }
  return topic;
}

MetadataResponse::Topic missing(const MetadataRequest::Topic& asked, ErrorCode error) {
  MetadataResponse::Topic topic;
  topic.error_code = error;
  topic.name = asked.name;
  topic.topic_id = asked.topic_id;
  return topic;
}

/// A request whose missing topics are being made.
struct Pending {
  explicit Pending(Call<MetadataRequest> from) : call(std::move(from)) {}
  Call<MetadataRequest> call;
  /// Why a topic could not be made, by name.
  std::map<std::string, ErrorCode, std::less<>> failures;
  std::size_t being_made = 0;
};

/// By its id. Java's client writes an empty name beside it.
bool is_by_id(const MetadataRequest::Topic& asked) {
  return !asked.name || !asked.topic_id.is_zero();
}

MetadataResponse::Topic look_up(Pending& pending, const broker::TopicTable& topics,
                                const MetadataRequest::Topic& asked) {
  Node& node = pending.call.node();
  if (is_by_id(asked)) {
    broker::TopicPtr topic = topics.find(asked.topic_id);
    return topic ? describe(node, *topic) : missing(asked, ErrorCode::unknown_topic_id);
  }
  if (broker::TopicPtr topic = topics.find(*asked.name)) return describe(node, *topic);
  auto failure = pending.failures.find(*asked.name);
  if (failure != pending.failures.end()) return missing(asked, failure->second);
  auto named = broker::check_topic_name(*asked.name);
  return missing(asked,
                 named ? ErrorCode::unknown_topic_or_partition : to_wire(named.error().code));
}

bool wants_all_topics(const Call<MetadataRequest>& call) {
  const auto& topics = call.request().topics;
  return !topics || (call.version() == 0 && topics->empty());
}

void answer(Pending& pending) {
  Call<MetadataRequest>& call = pending.call;
  Node& node = call.node();
  MetadataResponse response;
  MetadataResponse::Broker self;
  self.node_id = node.id;
  self.host = call.advertised().host;
  self.port = call.advertised().port;
  response.brokers.push_back(std::move(self));
  response.cluster_id = node.cluster_id();
  response.controller_id = node.id;
  auto topics = node.broker.topics();
  if (wants_all_topics(call)) {
    for (const broker::TopicPtr& topic : topics->topics()) {
      response.topics.push_back(describe(node, *topic));
    }
  } else {
    for (const auto& asked : *call.request().topics) {
      response.topics.push_back(look_up(pending, *topics, asked));
    }
  }
  if (call.request().include_topic_authorized_operations) {
    for (auto& topic : response.topics) topic.topic_authorized_operations = all_topic_operations;
  }
  if (call.request().include_cluster_authorized_operations) {
    response.cluster_authorized_operations = all_cluster_operations;
  }
  call.answer(response);
}

/// Names that are asked for, are not there, and may be made.
std::set<std::string> topics_to_make(const Call<MetadataRequest>& call) {
  std::set<std::string> names;
  const MetadataRequest& request = call.request();
  if (!request.topics || !request.allow_auto_topic_creation ||
      !call.broker().options().auto_create_topics) {
    return names;
  }
  for (const auto& topic : *request.topics) {
    if (!is_by_id(topic) && call.broker().find_topic(*topic.name) == nullptr &&
        broker::check_topic_name(*topic.name) && !broker::is_internal_topic(*topic.name)) {
      names.insert(*topic.name);
    }
  }
  return names;
}

}  // namespace

void handle(Call<MetadataRequest> call) {
  std::set<std::string> names = topics_to_make(call);
  broker::Broker& broker = call.broker();
  auto pending = std::make_shared<Pending>(std::move(call));
  if (names.empty()) return answer(*pending);
  pending->being_made = names.size();
  for (const std::string& name : names) {
    broker::NewTopic topic;
    topic.name = name;
    broker.create_topic(topic, [pending, name](Result<broker::TopicInfo> made) {
      // Somebody else may have been faster, which is as good.
      if (!made && made.error().code != Errc::topic_already_exists) {
        log_warning("cannot make topic '{}' on demand: {}", name, made.error().what);
        pending->failures[name] = to_wire(made.error().code);
      }
      if (--pending->being_made == 0) answer(*pending);
    });
  }
}

}  // namespace leat::server
