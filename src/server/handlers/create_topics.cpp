// CreateTopics.
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "base/logging.h"
#include "server/handlers.h"
#include "server/topic_configs.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

using wire::CreateTopicsRequest;
using wire::CreateTopicsResponse;
using wire::ErrorCode;

struct Refusal {
  ErrorCode code;
  std::string why;
};

struct Pending {
  explicit Pending(Call<CreateTopicsRequest> from) : call(std::move(from)) {}
  Call<CreateTopicsRequest> call;
  CreateTopicsResponse response;
  std::size_t being_made = 0;
};

/// An assignment says how many partitions there are, and must want them all on this node.
std::optional<Refusal> apply_assignments(const CreateTopicsRequest::Topic& asked, const Node& node,
                                         broker::NewTopic& topic) {
  if (asked.num_partitions != -1 || asked.replication_factor != -1) {
    return Refusal{ErrorCode::invalid_request,
                   "with assignments, num_partitions and replication_factor must be -1"};
  }
  std::set<std::int32_t> partitions;
  for (const auto& assignment : asked.assignments) {
    partitions.insert(assignment.partition_index);
    if (assignment.broker_ids != std::vector{node.id}) {
      return Refusal{ErrorCode::invalid_replica_assignment,
                     fmt::format("the only broker is {}: partition {} cannot be elsewhere", node.id,
                                 assignment.partition_index)};
    }
  }
  auto count = static_cast<std::int32_t>(asked.assignments.size());
  if (*partitions.begin() != 0 || *partitions.rbegin() != count - 1 ||
      static_cast<std::int32_t>(partitions.size()) != count) {
    return Refusal{ErrorCode::invalid_replica_assignment,
                   fmt::format("partitions must be numbered from 0 to {}", count - 1)};
  }
  topic.partitions = count;
  return std::nullopt;
}

std::optional<Refusal> check_replication(const CreateTopicsRequest::Topic& asked, Node& node) {
  if (asked.replication_factor == -1 || asked.replication_factor == 1) return std::nullopt;
  if (asked.replication_factor < 1) {
    return Refusal{ErrorCode::invalid_replication_factor,
                   "the replication factor must be at least 1, or -1 for the default"};
  }
  if (!node.options.accept_replication) {
    return Refusal{
        ErrorCode::invalid_replication_factor,
        fmt::format("{} replicas are more than the one broker there is", asked.replication_factor)};
  }
  if (!node.has_warned_of_replication) {
    node.has_warned_of_replication = true;
    log_warning(
        "topic '{}' asks for {} replicas; this is a single node and keeps one. No further "
        "such request is reported",
        asked.name, asked.replication_factor);
  }
  return std::nullopt;
}

/// What the broker is to be asked for, or why it is not.
std::optional<Refusal> translate(const CreateTopicsRequest::Topic& asked, Node& node,
                                 broker::NewTopic& topic) {
  topic.name = asked.name;
  topic.partitions = asked.num_partitions;
  if (!asked.assignments.empty()) {
    if (auto refusal = apply_assignments(asked, node, topic)) return refusal;
  } else if (auto refusal = check_replication(asked, node)) {
    return refusal;
  }
  for (const auto& config : asked.configs) {
    if (!config.value) {
      return Refusal{ErrorCode::invalid_config, fmt::format("'{:.200}' has no value", config.name)};
    }
    topic.configs[config.name] = *config.value;
  }
  return std::nullopt;
}

void describe(const Result<broker::TopicInfo>& made, CreateTopicsResponse::Topic& answer) {
  if (!made) {
    answer.error_code = to_wire(made.error().code);
    answer.error_message = made.error().what;
    return;
  }
  answer.topic_id = made->id;
  answer.num_partitions = made->partitions;
  answer.replication_factor = 1;
  answer.configs.emplace();
  for (const TopicConfig& config : topic_configs(made->configs)) {
    CreateTopicsResponse::Config& out = answer.configs->emplace_back();
    out.name = config.key->name;
    out.value = config.value;
    out.config_source = static_cast<std::int8_t>(config.source());
  }
}

void make(const std::shared_ptr<Pending>& pending, const CreateTopicsRequest::Topic& asked,
          std::size_t index) {
  Node& node = pending->call.node();
  CreateTopicsResponse::Topic& answer = pending->response.topics[index];
  broker::NewTopic topic;
  if (auto refusal = translate(asked, node, topic)) {
    answer.error_code = refusal->code;
    answer.error_message = refusal->why;
    return;
  }
  if (pending->call.request().validate_only) {
    return describe(node.broker.check_new_topic(topic), answer);
  }
  ++pending->being_made;
  node.broker.create_topic(topic, [pending, index](Result<broker::TopicInfo> made) {
    describe(made, pending->response.topics[index]);
    if (--pending->being_made == 0) pending->call.answer(pending->response);
  });
}

}  // namespace

void handle(Call<CreateTopicsRequest> call) {
  auto pending = std::make_shared<Pending>(std::move(call));
  const auto& topics = pending->call.request().topics;
  std::map<std::string_view, int> counts;
  for (const auto& topic : topics) ++counts[topic.name];
  pending->response.topics.resize(topics.size());
  // Held until all have been asked for.
  pending->being_made = 1;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    CreateTopicsResponse::Topic& answer = pending->response.topics[i];
    answer.name = topics[i].name;
    if (counts[topics[i].name] > 1) {
      answer.error_code = ErrorCode::invalid_request;
      answer.error_message = "the topic stands in the request more than once";
    } else {
      make(pending, topics[i], i);
    }
  }
  if (--pending->being_made == 0) pending->call.answer(pending->response);
}

}  // namespace leat::server
