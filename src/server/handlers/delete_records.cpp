// DeleteRecords: what is below an offset is read no more.
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "broker/topic_name.h"
#include "server/handlers.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

using wire::DeleteRecordsRequest;
using wire::DeleteRecordsResponse;

struct Pending {
  explicit Pending(Call<DeleteRecordsRequest> from) : call(std::move(from)) {}
  Call<DeleteRecordsRequest> call;
  DeleteRecordsResponse response;
  std::atomic<std::size_t> being_done{0};
};

void remove(const std::shared_ptr<Pending>& pending, const std::string& topic,
            const DeleteRecordsRequest::Partition& asked, std::size_t topic_index,
            std::size_t partition_index) {
  auto& answer = pending->response.topics[topic_index].partitions[partition_index];
  answer.partition_index = asked.partition_index;
  auto partition = pending->call.broker().find_partition(topic, PartitionId{asked.partition_index});
  if (!partition) {
    answer.error_code = wire::ErrorCode::unknown_topic_or_partition;
    return;
  }
  if (broker::is_internal_topic(topic)) {
    answer.error_code = wire::ErrorCode::invalid_topic_exception;
    return;
  }
  ++pending->being_done;
  auto done = [pending, topic_index, partition_index](Result<Offset> start) {
    auto& slot = pending->response.topics[topic_index].partitions[partition_index];
    if (start) {
      slot.low_watermark = start->value();
    } else {
      slot.error_code = to_wire(start.error().code);
    }
    if (--pending->being_done == 0) pending->call.answer(pending->response);
  };
  Executor& shard = partition->executor();
  shard.post([partition, offset = asked.offset, done = std::move(done)]() mutable {
    partition->delete_records(offset, std::move(done));
  });
}

}  // namespace

void handle(Call<DeleteRecordsRequest> call) {
  auto pending = std::make_shared<Pending>(std::move(call));
  const DeleteRecordsRequest& request = pending->call.request();
  auto& topics = pending->response.topics;
  topics.resize(request.topics.size());
  // Held until all have been asked for.
  pending->being_done = 1;
  for (std::size_t t = 0; t < topics.size(); ++t) {
    const auto& asked = request.topics[t];
    topics[t].name = asked.name;
    topics[t].partitions.resize(asked.partitions.size());
    for (std::size_t p = 0; p < asked.partitions.size(); ++p) {
      remove(pending, asked.name, asked.partitions[p], t, p);
    }
  }
  if (--pending->being_done == 0) pending->call.answer(pending->response);
}

}  // namespace leat::server
