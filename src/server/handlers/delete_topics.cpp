// DeleteTopics, by name or by id.
#include <memory>
#include <utility>

#include "server/handlers.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

using wire::DeleteTopicsRequest;
using wire::DeleteTopicsResponse;

struct Pending {
  explicit Pending(Call<DeleteTopicsRequest> from) : call(std::move(from)) {}
  Call<DeleteTopicsRequest> call;
  DeleteTopicsResponse response;
  std::size_t being_deleted = 0;
};

void set_error(DeleteTopicsResponse::Topic& answer, const Error& error) {
  answer.error_code = to_wire(error.code);
  answer.error_message = error.what;
}

void remove(const std::shared_ptr<Pending>& pending, std::size_t index) {
  broker::Broker& broker = pending->call.broker();
  DeleteTopicsResponse::Topic& answer = pending->response.responses[index];
  broker::TopicPtr topic =
      answer.name ? broker.find_topic(*answer.name) : broker.find_topic(answer.topic_id);
  if (!topic) {
    Errc code = answer.name ? Errc::unknown_topic_or_partition : Errc::unknown_topic_id;
    return set_error(answer, {code, "there is no such topic"});
  }
  answer.name = topic->info.name;
  answer.topic_id = topic->info.id;
  ++pending->being_deleted;
  broker.delete_topic(topic->info.id, [pending, index](Result<void> deleted) {
    if (!deleted) set_error(pending->response.responses[index], deleted.error());
    if (--pending->being_deleted == 0) pending->call.answer(pending->response);
  });
}

}  // namespace

void handle(Call<DeleteTopicsRequest> call) {
  auto pending = std::make_shared<Pending>(std::move(call));
  const DeleteTopicsRequest& request = pending->call.request();
  auto& answers = pending->response.responses;
  for (const std::string& name : request.topic_names) answers.emplace_back().name = name;
  for (const auto& topic : request.topics) {
    auto& answer = answers.emplace_back();
    answer.name = topic.name;
    answer.topic_id = topic.topic_id;
  }
  // Held until all have been asked for.
  pending->being_deleted = 1;
  for (std::size_t i = 0; i < answers.size(); ++i) remove(pending, i);
  if (--pending->being_deleted == 0) pending->call.answer(pending->response);
}

}  // namespace leat::server
