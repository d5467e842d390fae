// Fetch: what there is from each partition's offset on, as ranges of segment files; where there is
// less than the client wants, waits until there is more.
//
// A fetch goes through three steps, again after each wait:
//   look    on the broker's executor: find partitions, pin their views, check offsets
//   read    find the ranges within the limits; where a range was never checked, elsewhere
//   settle  on the executor again: answer, or wait for a high watermark to move
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/logging.h"
#include "server/handlers.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

using wire::FetchRequest;
using wire::FetchResponse;

/// One partition that is asked for, and what was found.
struct Item {
  const FetchRequest::Partition* asked = nullptr;
  Uuid topic_id;
  std::shared_ptr<const log::LogView> view;  // nullptr where `outcome` says why
  Result<void> outcome;
  log::Slice slice;
  std::shared_ptr<const Bytes> memory;  // of the slice, where its file has no descriptor
};

/// What all partitions together may still give.
struct Budget {
  std::uint64_t bytes_left;
  bool has_batch = false;
};

/// Finds what `item` gives, within its own limit and the budget. The first partition that has
/// anything gives at least one batch, whatever its size, or its reader would never get on.
void read(Item& item, Budget& budget) {
  if (!item.outcome) return;
  auto own_limit = static_cast<std::uint64_t>(std::max(item.asked->partition_max_bytes, 0));
  std::uint64_t limit = std::min(own_limit, budget.bytes_left);
  if (budget.has_batch && limit == 0) return;
  auto slice = item.view->read(Offset{item.asked->fetch_offset}, limit);
  if (!slice) {
    item.outcome = fail(slice);
    return;
  }
  if (budget.has_batch && slice->bytes > limit) return;
  item.slice = std::move(*slice);
  if (item.slice.bytes == 0) return;
  budget.has_batch = true;
  budget.bytes_left -= std::min(budget.bytes_left, item.slice.bytes);
  if (item.slice.file->native_handle() >= 0) return;
  auto memory = std::make_shared<Bytes>(item.slice.bytes);
  auto got = item.slice.file->read_at(item.slice.position, *memory);
  if (!got) {
    item.outcome = fail(got);
  } else if (*got != memory->size()) {
    item.outcome = fail(Errc::storage_error, "a segment ends before its batches");
  }
  item.memory = std::move(memory);
}

class Fetch : public std::enable_shared_from_this<Fetch> {
 public:
  explicit Fetch(Call<FetchRequest> call) : call_(std::move(call)) {}

  void start();

 private:
  void look();
  void look_at(Item& item, const FetchRequest::Topic& topic);
  void read_all();
  bool is_all_checked() const;
  void settle();
  bool is_enough() const;
  void wait();
  void wake();
  void answer();
  FetchResponse::Partition describe(Item& item, std::vector<Payload>& payloads) const;

  Call<FetchRequest> call_;
  std::vector<Item> items_;
  std::uint64_t bytes_max_ = 0;
  bool is_hurried_ = false;
  bool is_waiting_ = false;
  bool is_woken_ = false;
  bool is_answered_ = false;
  Executor::TimerId timer_ = 0;
  std::vector<log::Log::Ticket> tickets_;
};

void Fetch::start() {
  const FetchRequest& request = call_.request();
  if (request.session_id != 0) {
    // We never give out a session, so this one is somebody else's.
    FetchResponse response;
    response.error_code = wire::ErrorCode::fetch_session_id_not_found;
    return call_.answer(response);
  }
  auto asked_max = static_cast<std::uint64_t>(std::max(request.max_bytes, 0));
  bytes_max_ = std::min(asked_max, call_.node().options.limits.fetch_bytes_max);
  is_hurried_ = request.max_wait_ms <= 0;
  look();
  read_all();
}

void Fetch::look() {
  items_.clear();
  for (const FetchRequest::Topic& topic : call_.request().topics) {
    for (const FetchRequest::Partition& asked : topic.partitions) {
      Item& item = items_.emplace_back();
      item.asked = &asked;
      look_at(item, topic);
    }
  }
}

void Fetch::look_at(Item& item, const FetchRequest::Topic& topic) {
  bool is_by_id = call_.version() >= 13;
  const broker::TopicInfo* info =
      is_by_id ? call_.broker().find_topic(topic.topic_id) : call_.broker().find_topic(topic.topic);
  if (info == nullptr) {
    Errc code = is_by_id ? Errc::unknown_topic_id : Errc::unknown_topic_or_partition;
    item.outcome = fail(code, fmt::format("there is no topic '{}'", topic.topic));
    return;
  }
  item.topic_id = info->id;
  auto* partition = call_.broker().find_partition(info->id, PartitionId{item.asked->partition});
  if (partition == nullptr) {
    item.outcome = fail(Errc::unknown_topic_or_partition,
                        fmt::format("there is no partition {}", item.asked->partition));
    return;
  }
  item.view = partition->view();
  item.outcome = partition->check_leader_epoch(item.asked->current_leader_epoch);
}

bool Fetch::is_all_checked() const {
  return std::all_of(items_.begin(), items_.end(), [&](const Item& item) {
    if (!item.outcome) return true;
    auto own_limit = static_cast<std::uint64_t>(std::max(item.asked->partition_max_bytes, 0));
    return item.view->is_checked(Offset{item.asked->fetch_offset}, std::min(own_limit, bytes_max_));
  });
}

void Fetch::read_all() {
  auto read_items = [this] {
    Budget budget{bytes_max_};
    for (Item& item : items_) read(item, budget);
  };
  if (is_all_checked()) {
    read_items();
    return settle();
  }
  auto self = shared_from_this();
  broker::Broker& broker = call_.broker();
  broker.files().offload([self, read_items] { read_items(); }, broker.executor(),
                         [self] { self->settle(); });
}

bool Fetch::is_enough() const {
  std::int64_t bytes = 0;
  for (const Item& item : items_) {
    if (!item.outcome) return true;
    bytes += static_cast<std::int64_t>(item.slice.bytes);
  }
  return items_.empty() || bytes >= call_.request().min_bytes;
}

void Fetch::settle() {
  if (is_hurried_ || is_enough()) return answer();
  wait();
}

void Fetch::wait() {
  auto self = shared_from_this();
  is_woken_ = false;
  if (!is_waiting_) {
    is_waiting_ = true;
    auto hurry = [self] {
      self->is_hurried_ = true;
      self->wake();
    };
    auto max_wait = std::chrono::milliseconds(call_.request().max_wait_ms);
    timer_ = call_.broker().executor().after(max_wait, hurry);
    call_.on_hurry(hurry);
    for (const Item& item : items_) {
      PartitionId id{item.asked->partition};
      broker::Partition* partition = call_.broker().find_partition(item.topic_id, id);
      if (partition == nullptr) continue;
      tickets_.push_back(partition->log().on_advance([weak = weak_from_this()] {
        if (auto fetch = weak.lock()) fetch->wake();
      }));
    }
  }
  // What moved while the disk was read told nobody.
  for (const Item& item : items_) {
    PartitionId id{item.asked->partition};
    broker::Partition* partition = call_.broker().find_partition(item.topic_id, id);
    if (partition == nullptr || partition->log().high_watermark() != item.view->high_watermark) {
      return wake();
    }
  }
}

void Fetch::wake() {
  // Many partitions may move at once: one turn later all of them have.
  if (is_woken_ || is_answered_) return;
  is_woken_ = true;
  call_.broker().executor().post([self = shared_from_this()] {
    if (self->is_answered_) return;
    self->look();
    self->read_all();
  });
}

FetchResponse::Partition Fetch::describe(Item& item, std::vector<Payload>& payloads) const {
  FetchResponse::Partition partition;
  partition.partition_index = item.asked->partition;
  partition.high_watermark = item.view ? item.view->high_watermark.value() : -1;
  partition.last_stable_offset = partition.high_watermark;
  partition.log_start_offset = item.view ? item.view->start_offset.value() : -1;
  bool is_read_committed = call_.request().isolation_level == 1;
  if (is_read_committed) partition.aborted_transactions.emplace();
  partition.records = wire::Records(BytesView{});
  if (!item.outcome) {
    partition.error_code = to_wire(item.outcome.error().code);
    return partition;
  }
  if (item.slice.bytes == 0) return partition;
  partition.records = wire::Records::elsewhere(item.slice.bytes);
  Payload payload;
  payload.memory = std::move(item.memory);
  if (!payload.memory) {
    int descriptor = item.slice.file->native_handle();
    payload.file = {std::move(item.slice.file), descriptor, item.slice.position, item.slice.bytes};
  }
  payloads.push_back(std::move(payload));
  return partition;
}

void Fetch::answer() {
  is_answered_ = true;
  if (timer_ != 0) call_.broker().executor().cancel(timer_);
  tickets_.clear();
  FetchResponse response;
  std::vector<Payload> payloads;
  auto item = items_.begin();
  for (const FetchRequest::Topic& topic : call_.request().topics) {
    FetchResponse::Topic& out = response.responses.emplace_back();
    out.topic = topic.topic;
    out.topic_id = topic.topic_id;
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      out.partitions.push_back(describe(*item++, payloads));
    }
  }
  items_.clear();
  call_.answer(response, std::move(payloads));
}

}  // namespace

void handle(Call<FetchRequest> call) {
  std::make_shared<Fetch>(std::move(call))->start();
}

}  // namespace leat::server
