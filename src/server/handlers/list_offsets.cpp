// ListOffsets: a partition's first or last offset, or that of a time.
#include <memory>
#include <utility>
#include <vector>

#include "server/handlers.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

using wire::ListOffsetsRequest;
using wire::ListOffsetsResponse;

/// One partition that is asked for.
struct Item {
  std::int64_t timestamp = 0;
  std::shared_ptr<const log::LogView> view;
  LeaderEpoch epoch;
  ListOffsetsResponse::Partition* answer = nullptr;
};

struct Pending {
  explicit Pending(Call<ListOffsetsRequest> from) : call(std::move(from)) {}
  Call<ListOffsetsRequest> call;
  ListOffsetsResponse response;
  std::vector<Item> items;
};

void look(Pending& pending, const std::string& topic, const ListOffsetsRequest::Partition& asked,
          ListOffsetsResponse::Partition& answer) {
  answer.partition_index = asked.partition_index;
  auto partition = pending.call.broker().find_partition(topic, PartitionId{asked.partition_index});
  if (partition == nullptr) {
    answer.error_code = wire::ErrorCode::unknown_topic_or_partition;
    return;
  }
  auto epoch = partition->check_leader_epoch(asked.current_leader_epoch);
  if (!epoch) {
    answer.error_code = to_wire(epoch.error().code);
    return;
  }
  pending.items.push_back(
      {asked.timestamp, partition->view(), partition->log().leader_epoch(), &answer});
}

void find(Item& item) {
  auto found = broker::list_offset(*item.view, item.epoch, item.timestamp);
  if (!found) {
    item.answer->error_code = to_wire(found.error().code);
  } else if (*found) {
    item.answer->offset = (*found)->offset.value();
    item.answer->timestamp = (*found)->timestamp_ms;
    item.answer->leader_epoch = (*found)->leader_epoch.value();
  }
}

/// Looking for a time reads the disk; the ends of a log are known.
bool needs_disk(const Item& item) {
  return item.timestamp >= 0 || item.timestamp == broker::max_timestamp;
}

}  // namespace

void handle(Call<ListOffsetsRequest> call) {
  auto pending = std::make_shared<Pending>(std::move(call));
  const ListOffsetsRequest& request = pending->call.request();
  auto& topics = pending->response.topics;
  topics.resize(request.topics.size());
  bool is_slow = false;
  for (std::size_t t = 0; t < topics.size(); ++t) {
    const auto& asked = request.topics[t];
    topics[t].name = asked.name;
    topics[t].partitions.resize(asked.partitions.size());
    for (std::size_t p = 0; p < asked.partitions.size(); ++p) {
      look(*pending, asked.name, asked.partitions[p], topics[t].partitions[p]);
    }
  }
  for (const Item& item : pending->items) is_slow = is_slow || needs_disk(item);
  auto find_all = [pending] {
    for (Item& item : pending->items) find(item);
  };
  auto answer = [pending] { pending->call.answer(pending->response); };
  if (!is_slow) {
    find_all();
    return answer();
  }
  broker::Broker& broker = pending->call.broker();
  broker.files().offload(find_all, pending->call.executor(), answer);
}

}  // namespace leat::server
