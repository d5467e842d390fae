// OffsetForLeaderEpoch: where an epoch ended, which tells a consumer whether what it has read is
// still there.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/handlers.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

using wire::OffsetForLeaderEpochRequest;
using wire::OffsetForLeaderEpochResponse;

/// One partition that is asked for.
struct Item {
  std::int32_t epoch = 0;
  std::shared_ptr<const log::LogView> view;
  LeaderEpoch current;
  OffsetForLeaderEpochResponse::Partition* answer = nullptr;
};

struct Pending {
  explicit Pending(Call<OffsetForLeaderEpochRequest> from) : call(std::move(from)) {}
  Call<OffsetForLeaderEpochRequest> call;
  OffsetForLeaderEpochResponse response;
  std::vector<Item> items;
};

void look(Pending& pending, const std::string& topic,
          const OffsetForLeaderEpochRequest::Partition& asked,
          OffsetForLeaderEpochResponse::Partition& answer) {
  answer.partition = asked.partition;
  auto partition = pending.call.broker().find_partition(topic, PartitionId{asked.partition});
  if (!partition) {
    answer.error_code = wire::ErrorCode::unknown_topic_or_partition;
    return;
  }
  auto epoch = partition->check_leader_epoch(asked.current_leader_epoch);
  if (!epoch) {
    answer.error_code = to_wire(epoch.error().code);
    return;
  }
  pending.items.push_back(
      {asked.leader_epoch, partition->view(), partition->log().leader_epoch(), &answer});
}

void find(Item& item) {
  auto found = broker::find_epoch_end(*item.view, item.current, item.epoch);
  if (!found) {
    item.answer->error_code = to_wire(found.error().code);
  } else if (*found) {
    item.answer->leader_epoch = (*found)->epoch.value();
    item.answer->end_offset = (*found)->offset.value();
  }
}

}  // namespace

void handle(Call<OffsetForLeaderEpochRequest> call) {
  auto pending = std::make_shared<Pending>(std::move(call));
  const OffsetForLeaderEpochRequest& request = pending->call.request();
  auto& topics = pending->response.topics;
  topics.resize(request.topics.size());
  for (std::size_t t = 0; t < topics.size(); ++t) {
    const auto& asked = request.topics[t];
    topics[t].topic = asked.topic;
    topics[t].partitions.resize(asked.partitions.size());
    for (std::size_t p = 0; p < asked.partitions.size(); ++p) {
      look(*pending, asked.topic, asked.partitions[p], topics[t].partitions[p]);
    }
  }
  // Past epochs are looked for in the segments.
  bool is_slow = false;
  for (const Item& item : pending->items) is_slow |= item.epoch < item.current.value();
  auto find_all = [pending] {
    for (Item& item : pending->items) find(item);
  };
  auto answer = [pending] { pending->call.answer(pending->response); };
  if (!is_slow) {
    find_all();
    return answer();
  }
  broker::Broker& broker = pending->call.broker();
  broker.files().offload(find_all, broker.executor(), answer);
}

}  // namespace leat::server
