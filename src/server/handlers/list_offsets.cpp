// ListOffsets: a partition's first or last offset, or that of a time.
#include <memory>
#include <utility>
#include <vector>

#include "server/handlers.h"
#include "server/stable_offsets.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

using wire::ListOffsetsRequest;
using wire::ListOffsetsResponse;

/// One partition that is asked for.
struct Item {
  std::int64_t timestamp = 0;
  std::shared_ptr<broker::Partition> partition;
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
  auto view = partition->view();
  LeaderEpoch leader_epoch = partition->log().leader_epoch();
  pending.items.push_back(
      {asked.timestamp, std::move(partition), std::move(view), leader_epoch, &answer});
}

void find(Item& item, bool is_committed) {
  if (item.answer->error_code != wire::ErrorCode::none) return;
  auto found = broker::list_offset(*item.view, item.epoch, item.timestamp, is_committed);
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

void find_all(const std::shared_ptr<Pending>& pending, bool is_slow) {
  auto find_each = [pending] {
    bool is_committed = pending->call.request().isolation_level == read_committed;
    for (Item& item : pending->items) find(item, is_committed);
  };
  auto answer = [pending] { pending->call.answer(pending->response); };
  if (!is_slow) {
    find_each();
    return answer();
  }
  broker::Broker& broker = pending->call.broker();
  broker.files().offload(find_each, pending->call.executor(), answer);
}

/// Looks again at partitions whose last stable offset had to be read first.
void look_again(Pending& pending) {
  for (Item& item : pending.items) {
    item.view = item.partition->view();
    if (!item.view->last_stable_offset) {
      item.answer->error_code = wire::ErrorCode::kafka_storage_error;
    }
  }
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
  auto go = [pending, is_slow] { find_all(pending, is_slow); };
  if (request.isolation_level != read_committed) return go();
  std::vector<std::shared_ptr<broker::Partition>> unknown;
  for (const Item& item : pending->items) {
    if (!item.view->last_stable_offset) unknown.push_back(item.partition);
  }
  if (unknown.empty()) return go();
  load_producers(std::move(unknown), pending->call.executor(), [pending, go] {
    look_again(*pending);
    go();
  });
}

}  // namespace leat::server
