// DescribeProducers: which producers partitions remember, and where their transactions begin.
#include <memory>
#include <utility>

#include "log/producer_table.h"
#include "server/handlers.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

using wire::DescribeProducersRequest;
using wire::DescribeProducersResponse;
using Described = DescribeProducersResponse::Topic::Partition;

struct Pending {
  explicit Pending(Call<DescribeProducersRequest> from) : call(std::move(from)) {}
  Call<DescribeProducersRequest> call;
  DescribeProducersResponse response;
  std::size_t left = 1;  // home's

  void finish_one() {
    if (--left == 0) call.answer(response);
  }
};

Described::Producer describe(ProducerId id, const log::Producer& producer) {
  Described::Producer described;
  described.producer_id = id.value();
  described.producer_epoch = producer.epoch;
  described.last_sequence = std::max(producer.last_sequence, -1);
  described.last_timestamp = producer.used_ms;
  described.coordinator_epoch = producer.coordinator_epoch;
  bool is_open = producer.transaction && !producer.is_committed;
  if (is_open) described.current_txn_start_offset = producer.transaction->value();
  return described;
}

/// On the partition's shard.
void look(const std::shared_ptr<Pending>& pending,
          const std::shared_ptr<broker::Partition>& partition, Described* answer) {
  Executor& home = pending->call.broker().executor();
  partition->load_producers([pending, partition, answer, &home](const Result<void>& loaded) {
    std::vector<Described::Producer> producers;
    wire::ErrorCode error = wire::ErrorCode::none;
    if (loaded) {
      for (const auto& [id, producer] : partition->log().producers().producers()) {
        producers.push_back(describe(id, producer));
      }
    } else {
      error = to_wire(loaded.error().code);
    }
    home.post([pending, answer, error, producers = std::move(producers)]() mutable {
      answer->error_code = error;
      answer->active_producers = std::move(producers);
      pending->finish_one();
    });
  });
}

}  // namespace

void handle(Call<DescribeProducersRequest> call) {
  auto pending = std::make_shared<Pending>(std::move(call));
  const DescribeProducersRequest& request = pending->call.request();
  auto& topics = pending->response.topics;
  topics.resize(request.topics.size());
  for (std::size_t t = 0; t < topics.size(); ++t) {
    topics[t].name = request.topics[t].name;
    topics[t].partitions.resize(request.topics[t].partitions.size());
    for (std::size_t p = 0; p < topics[t].partitions.size(); ++p) {
      Described& answer = topics[t].partitions[p];
      answer.partition_index = request.topics[t].partitions[p];
      auto partition = pending->call.broker().find_partition(topics[t].name,
                                                             PartitionId{answer.partition_index});
      if (!partition) {
        answer.error_code = wire::ErrorCode::unknown_topic_or_partition;
        continue;
      }
      ++pending->left;
      Executor& shard = partition->executor();
      shard.post([pending, partition = std::move(partition), to = &answer] {
        look(pending, partition, to);
      });
    }
  }
  pending->finish_one();
}

}  // namespace leat::server
