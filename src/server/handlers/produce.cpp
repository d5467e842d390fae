// Produce: gives each partition its batch, and answers when all are acknowledged.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "server/handlers.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

using wire::ProduceRequest;
using wire::ProduceResponse;

/// A request whose batches are being appended.
struct Pending {
  explicit Pending(Call<ProduceRequest> from) : call(std::move(from)) {}
  Call<ProduceRequest> call;
  ProduceResponse response;
  std::size_t unanswered = 0;
  bool has_failed = false;
  bool is_answered = false;
};

void set_error(Pending& pending, ProduceResponse::Partition& partition, const Error& error) {
  pending.has_failed = true;
  partition.error_code = to_wire(error.code);
  partition.error_message = error.what;
  partition.base_offset = -1;
}

void finish_if_done(Pending& pending) {
  if (pending.unanswered > 0) return;
  if (pending.is_answered) return;
  pending.is_answered = true;
  if (pending.call.request().acks != 0) return pending.call.answer(pending.response);
  // No answer can tell a client of acks 0 that something is wrong. Closing makes it look again.
  if (pending.has_failed) return pending.call.disconnect("a produce with acks 0 failed");
  pending.call.finish();
}

void append(const std::shared_ptr<Pending>& pending, const std::string& topic,
            const ProduceRequest::Partition& data, std::size_t topic_index,
            std::size_t partition_index) {
  Call<ProduceRequest>& call = pending->call;
  ProduceResponse::Partition& answer =
      pending->response.responses[topic_index].partition_responses[partition_index];
  answer.index = data.index;
  broker::Partition* partition = call.broker().find_partition(topic, PartitionId{data.index});
  if (partition == nullptr) {
    return set_error(*pending, answer,
                     {Errc::unknown_topic_or_partition,
                      fmt::format("there is no partition {}-{}", topic, data.index)});
  }
  ++pending->unanswered;
  std::vector<record::RecordError> rejected;
  partition->append(
      call.owner(), call.writable(data.records.bytes()), call.version(),
      [pending, topic_index, partition_index](Result<broker::Appended> appended) {
        auto& slot = pending->response.responses[topic_index].partition_responses[partition_index];
        if (appended) {
          slot.base_offset = appended->base_offset.value();
          slot.log_append_time_ms = appended->append_time_ms;
          slot.log_start_offset = appended->start_offset.value();
        } else {
          set_error(*pending, slot, appended.error());
        }
        --pending->unanswered;
        finish_if_done(*pending);
      },
      &rejected);
  for (record::RecordError& error : rejected) {
    answer.record_errors.push_back({error.index, std::move(error.what)});
  }
}

/// All places of the answer, so that callbacks find theirs where it will stay.
void lay_out(const ProduceRequest& request, ProduceResponse& response) {
  response.responses.resize(request.topic_data.size());
  for (std::size_t t = 0; t < request.topic_data.size(); ++t) {
    const auto& topic = request.topic_data[t];
    response.responses[t].name = topic.name;
    response.responses[t].partition_responses.resize(topic.partition_data.size());
    for (std::size_t p = 0; p < topic.partition_data.size(); ++p) {
      response.responses[t].partition_responses[p].index = topic.partition_data[p].index;
    }
  }
}

void refuse_all(Pending& pending, const Error& error) {
  for (auto& topic : pending.response.responses) {
    for (auto& partition : topic.partition_responses) set_error(pending, partition, error);
  }
}

}  // namespace

void handle(Call<ProduceRequest> call) {
  auto pending = std::make_shared<Pending>(std::move(call));
  const ProduceRequest& request = pending->call.request();
  lay_out(request, pending->response);
  if (request.acks < -1 || request.acks > 1) {
    refuse_all(*pending, {Errc::invalid_required_acks,
                          fmt::format("acks may be -1, 0 or 1, not {}", request.acks)});
  } else {
    for (std::size_t t = 0; t < request.topic_data.size(); ++t) {
      const auto& topic = request.topic_data[t];
      for (std::size_t p = 0; p < topic.partition_data.size(); ++p) {
        append(pending, topic.name, topic.partition_data[p], t, p);
      }
    }
  }
  finish_if_done(*pending);
}

}  // namespace leat::server
