// CreatePartitions.
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "server/handlers.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

using wire::CreatePartitionsRequest;
using wire::CreatePartitionsResponse;
using wire::ErrorCode;

struct Pending {
  explicit Pending(Call<CreatePartitionsRequest> from) : call(std::move(from)) {}
  Call<CreatePartitionsRequest> call;
  CreatePartitionsResponse response;
  std::size_t being_made = 0;
};

void refuse(CreatePartitionsResponse::Topic& answer, ErrorCode code, std::string why) {
  answer.error_code = code;
  answer.error_message = std::move(why);
}

void refuse(CreatePartitionsResponse::Topic& answer, const Error& error) {
  refuse(answer, to_wire(error.code), error.what);
}

/// An assignment must have all new partitions on this node.
Result<void> check_assignments(const CreatePartitionsRequest::Topic& asked,
                               const broker::TopicInfo& topic, const Node& node) {
  if (!asked.assignments) return {};
  auto more = static_cast<std::size_t>(asked.count - topic.partitions);
  if (asked.assignments->size() != more) {
    return fail(Errc::invalid_argument, fmt::format("{} assignments for {} new partitions",
                                                    asked.assignments->size(), more));
  }
  for (const auto& assignment : *asked.assignments) {
    if (assignment.broker_ids != std::vector{node.id}) {
      return fail(Errc::invalid_argument,
                  fmt::format("the only broker is {}: a partition cannot be elsewhere", node.id));
    }
  }
  return {};
}

void make(const std::shared_ptr<Pending>& pending, const CreatePartitionsRequest::Topic& asked,
          std::size_t index) {
  broker::Broker& broker = pending->call.broker();
  CreatePartitionsResponse::Topic& answer = pending->response.results[index];
  broker::TopicPtr topic = broker.find_topic(asked.name);
  if (!topic) {
    return refuse(answer, ErrorCode::unknown_topic_or_partition,
                  fmt::format("there is no topic '{:.200}'", asked.name));
  }
  auto checked = broker.check_new_partitions(topic->info.id, asked.count);
  if (!checked) return refuse(answer, checked.error());
  if (auto assigned = check_assignments(asked, topic->info, pending->call.node()); !assigned) {
    return refuse(answer, ErrorCode::invalid_replica_assignment, assigned.error().what);
  }
  if (pending->call.request().validate_only) return;
  ++pending->being_made;
  broker.create_partitions(topic->info.id, asked.count, [pending, index](Result<void> made) {
    if (!made) refuse(pending->response.results[index], made.error());
    if (--pending->being_made == 0) pending->call.answer(pending->response);
  });
}

}  // namespace

void handle(Call<CreatePartitionsRequest> call) {
  auto pending = std::make_shared<Pending>(std::move(call));
  const auto& topics = pending->call.request().topics;
  std::map<std::string_view, int> counts;
  for (const auto& topic : topics) ++counts[topic.name];
  pending->response.results.resize(topics.size());
  // Held until all have been asked for.
  pending->being_made = 1;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    CreatePartitionsResponse::Topic& answer = pending->response.results[i];
    answer.name = topics[i].name;
    if (counts[topics[i].name] > 1) {
      refuse(answer, ErrorCode::invalid_request, "the topic stands in the request more than once");
    } else {
      make(pending, topics[i], i);
    }
  }
  if (--pending->being_made == 0) pending->call.answer(pending->response);
}

}  // namespace leat::server
