// Fetch: what there is from each partition's offset on, as ranges of segment files; where there is
// less than the client wants, waits until there is more.
//
// A fetch goes through three steps, again after each wait. They need no partition's shard, since a
// view may be read from any thread; only waiting does.
//   look    find partitions, pin their views, check offsets
//   read    find the ranges within the limits; where a range was never checked, elsewhere
//   settle  answer, or have the shards tell when a high watermark moves
//
// An incremental fetch takes its partitions from its session (fetch_sessions.h) instead of from the
// request, and is answered only with those that have something new.
#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/logging.h"
#include "log/aborted_transactions.h"
#include "server/handlers.h"
#include "server/stable_offsets.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

using wire::FetchRequest;
using wire::FetchResponse;

// Epochs of requests: the first of a session, and one that wants none or ends it.
constexpr std::int32_t first_epoch = 0;
constexpr std::int32_t final_epoch = -1;

/// One partition that is asked for, and what was found.
struct Item {
  FetchRequest::Partition asked;
  // As they stand in the request or in the session.
  const std::string* topic = nullptr;
  Uuid asked_topic_id;
  SessionPartition* session = nullptr;           // of an incremental fetch
  std::shared_ptr<broker::Partition> partition;  // nullptr where `outcome` says why
  std::shared_ptr<const log::LogView> view;      // nullptr where `outcome` says why
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
void read(Item& item, Budget& budget, bool is_committed) {
  if (!item.outcome) return;
  if (is_committed && !item.view->last_stable_offset) {
    item.outcome = fail(Errc::storage_error, "what is known of transactions cannot be read");
    return;
  }
  auto own_limit = static_cast<std::uint64_t>(std::max(item.asked.partition_max_bytes, 0));
  std::uint64_t limit = std::min(own_limit, budget.bytes_left);
  if (budget.has_batch && limit == 0) return;
  Offset from{item.asked.fetch_offset};
  auto slice = is_committed ? item.view->read_stable(from, limit) : item.view->read(from, limit);
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

/// Remembers what the client of a session is being told.
void note(FetchSession& session, SessionPartition& told, const Item& item) {
  // When an error is over, the client is to learn so.
  told.high_watermark = item.outcome ? item.view->high_watermark.value() : -1;
  told.log_start_offset = item.outcome ? item.view->start_offset.value() : -1;
  if (item.slice.bytes > 0) session.move_back(told);
}

/// The same, and says whether there is anything that the client does not know.
bool note_news(FetchSession& session, const Item& item) {
  SessionPartition& told = *item.session;
  std::int64_t high_watermark = told.high_watermark;
  std::int64_t log_start_offset = told.log_start_offset;
  note(session, told, item);
  return item.slice.bytes > 0 || !item.outcome || told.high_watermark != high_watermark ||
         told.log_start_offset != log_start_offset;
}

/// The same for the partitions with which a session begins.
void note_all(FetchSession& session, const std::vector<Item>& items) {
  for (const Item& item : items) {
    auto* told = session.find(*item.topic, item.asked_topic_id, item.asked.partition);
    if (told != nullptr) note(session, *told, item);
  }
}

/// Where a reader has to stop.
Offset end_of(const log::LogView& view, bool is_committed) {
  return is_committed ? view.last_stable_offset.value_or(Offset{-1}) : view.high_watermark;
}

/// Waits on one shard for its partitions to move. The fetch lets go of it when it has what it
/// wants.
struct Watch {
  struct Watched {
    std::shared_ptr<broker::Partition> partition;
    /// What the fetch has seen: a high watermark, or a last stable offset.
    Offset end;
    bool is_committed = false;
  };
  std::vector<Watched> partitions;
  std::vector<log::Log::Ticket> tickets;  // the shard's, until the fetch has let go
  std::atomic<bool> is_over{false};
  /// The fetch is being told, so that it need not be told again.
  std::atomic<bool> is_telling{false};
};

/// Whether sending it would wait for the disk. What reaches the end of a log was written just now.
bool is_cold(const Item& item) {
  return item.outcome && item.slice.bytes > 0 && !item.memory &&
         item.slice.next_offset != item.view->high_watermark &&
         !item.slice.file->is_cached(item.slice.position, item.slice.bytes);
}

/// Reads it, so that it need not be waited for when it is sent.
void warm(const Item& item) {
  constexpr std::uint64_t piece_bytes = 256 << 10;
  Bytes piece(std::min(piece_bytes, item.slice.bytes));
  for (std::uint64_t at = 0; at < item.slice.bytes; at += piece.size()) {
    auto left =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), item.slice.bytes - at));
    if (!item.slice.file->read_at(item.slice.position + at, MutableBytes(piece).first(left)))
      return;
  }
}

/// Those that have records in what is read.
void add_aborted(const Item& item, std::vector<FetchResponse::AbortedTransaction>& aborted) {
  for (const log::AbortedTransaction& transaction :
       item.view->aborted->find(item.slice.base_offset, item.slice.next_offset)) {
    auto& answer = aborted.emplace_back();
    answer.producer_id = transaction.producer.value();
    answer.first_offset = transaction.first.value();
  }
}

class Fetch : public std::enable_shared_from_this<Fetch> {
 public:
  explicit Fetch(Call<FetchRequest> call) : call_(std::move(call)) {}

  void start();

 private:
  /// False where the session says no, and the request is answered so.
  bool join_session();
  /// The same for a session that another request took on meanwhile.
  bool is_still_joined();
  void look();
  void look_at(Item& item, const broker::TopicTable& topics);
  bool is_committed() const { return call_.request().isolation_level == read_committed; }
  /// False where last stable offsets are to be read first: it goes on when they are.
  bool has_stable_offsets();
  void read_all();
  void read_known();
  bool is_all_checked() const;
  void settle();
  bool is_enough() const;
  void wait();
  void start_watching();
  static void watch(const std::shared_ptr<Watch>& watch, const std::weak_ptr<Fetch>& fetch,
                    Executor& executor);
  void wake();
  void look_again();
  void answer();
  void refuse(wire::ErrorCode error);
  void end_waiting();
  FetchResponse::Partition describe(Item& item, std::vector<Payload>& payloads) const;

  Call<FetchRequest> call_;
  FetchSessionPtr session_;  // of an incremental fetch
  std::int32_t session_epoch_ = 0;
  std::vector<Item> items_;
  std::uint64_t bytes_max_ = 0;
  bool is_hurried_ = false;
  bool is_waiting_ = false;
  bool is_answered_ = false;
  Executor::TimerId timer_ = 0;
  std::vector<std::shared_ptr<Watch>> watches_;
};

bool Fetch::join_session() {
  const FetchRequest& request = call_.request();
  FetchSessions& sessions = call_.fetch_sessions();
  if (request.session_epoch == first_epoch || request.session_epoch == final_epoch) {
    sessions.close(request.session_id);
    return true;
  }
  auto session = sessions.resume(request, call_.version(), call_.broker().clock().monotonic());
  if (!session) {
    refuse(session.error());
    return false;
  }
  session_ = std::move(*session);
  if (session_) session_epoch_ = session_->epoch();
  return true;
}

bool Fetch::is_still_joined() {
  if (!session_ || session_->epoch() == session_epoch_) return true;
  bool is_closed = session_->epoch() == 0;
  refuse(is_closed ? wire::ErrorCode::fetch_session_id_not_found
                   : wire::ErrorCode::invalid_fetch_session_epoch);
  return false;
}

void Fetch::start() {
  const FetchRequest& request = call_.request();
  if (!join_session()) return;
  auto asked_max = static_cast<std::uint64_t>(std::max(request.max_bytes, 0));
  bytes_max_ = std::min(asked_max, call_.node().options.limits.fetch_bytes_max);
  is_hurried_ = request.max_wait_ms <= 0;
  look();
  read_all();
}

void Fetch::look() {
  items_.clear();
  auto topics = call_.broker().topics();
  auto add = [&](const std::string& topic, const Uuid& topic_id,
                 const FetchRequest::Partition& asked, SessionPartition* session) {
    Item& item = items_.emplace_back();
    item.asked = asked;
    item.topic = &topic;
    item.asked_topic_id = topic_id;
    item.session = session;
    look_at(item, *topics);
  };
  if (session_) {
    for (SessionPartition& partition : session_->partitions()) {
      add(partition.topic, partition.topic_id, partition.asked, &partition);
    }
    return;
  }
  for (const FetchRequest::Topic& topic : call_.request().topics) {
    for (const FetchRequest::Partition& asked : topic.partitions) {
      add(topic.topic, topic.topic_id, asked, nullptr);
    }
  }
}

void Fetch::look_at(Item& item, const broker::TopicTable& topics) {
  bool is_by_id = call_.version() >= 13;
  broker::TopicPtr found = is_by_id ? topics.find(item.asked_topic_id) : topics.find(*item.topic);
  if (!found) {
    Errc code = is_by_id ? Errc::unknown_topic_id : Errc::unknown_topic_or_partition;
    item.outcome = fail(code, fmt::format("there is no topic '{}'", *item.topic));
    return;
  }
  item.partition = found->partition(PartitionId{item.asked.partition});
  if (!item.partition) {
    item.outcome = fail(Errc::unknown_topic_or_partition,
                        fmt::format("there is no partition {}", item.asked.partition));
    return;
  }
  item.view = item.partition->view();
  item.outcome = item.partition->check_leader_epoch(item.asked.current_leader_epoch);
}

bool Fetch::is_all_checked() const {
  return std::all_of(items_.begin(), items_.end(), [&](const Item& item) {
    if (!item.outcome) return true;
    auto own_limit = static_cast<std::uint64_t>(std::max(item.asked.partition_max_bytes, 0));
    return item.view->is_checked(Offset{item.asked.fetch_offset}, std::min(own_limit, bytes_max_));
  });
}

bool Fetch::has_stable_offsets() {
  if (!is_committed()) return true;
  std::vector<std::shared_ptr<broker::Partition>> unknown;
  for (const Item& item : items_) {
    if (item.view && !item.view->last_stable_offset) unknown.push_back(item.partition);
  }
  if (unknown.empty()) return true;
  load_producers(std::move(unknown), call_.executor(), [self = shared_from_this()] {
    if (!self->is_still_joined()) return;
    self->look();
    self->read_known();
  });
  return false;
}

void Fetch::read_all() {
  if (has_stable_offsets()) read_known();
}

void Fetch::read_known() {
  auto read_items = [this] {
    Budget budget{bytes_max_};
    for (Item& item : items_) read(item, budget, is_committed());
  };
  bool is_checked = is_all_checked();
  if (is_checked) {
    read_items();
    if (std::none_of(items_.begin(), items_.end(), is_cold)) return settle();
  }
  call_.node()
      .metrics
      .counter("leat_fetches_from_disk_total",
               "Fetches whose data had to be checked or read first.")
      .add();
  auto self = shared_from_this();
  auto job = [self, read_items, is_checked] {
    if (!is_checked) read_items();
    for (const Item& item : self->items_) {
      if (is_cold(item)) warm(item);
    }
  };
  call_.broker().files().offload(std::move(job), call_.executor(), [self] { self->settle(); });
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
  if (!is_still_joined()) return;
  if (is_hurried_ || is_enough()) return answer();
  wait();
}

void Fetch::wait() {
  auto self = shared_from_this();
  is_waiting_ = true;
  if (watches_.empty()) {
    auto hurry = [self] {
      self->is_hurried_ = true;
      self->wake();
    };
    auto max_wait = std::chrono::milliseconds(call_.request().max_wait_ms);
    timer_ = call_.executor().after(max_wait, hurry);
    call_.on_hurry(hurry);
    start_watching();
  }
  // What moved while the disk was read told nobody.
  for (const Item& item : items_) {
    auto now = item.partition->view();
    if (end_of(*now, is_committed()) != end_of(*item.view, is_committed())) return wake();
  }
}

void Fetch::start_watching() {
  std::map<Executor*, std::shared_ptr<Watch>> by_shard;
  for (const Item& item : items_) {
    auto& watch = by_shard[&item.partition->executor()];
    if (!watch) watch = std::make_shared<Watch>();
    watch->partitions.push_back(
        {item.partition, end_of(*item.view, is_committed()), is_committed()});
  }
  for (auto& [shard, watch] : by_shard) {
    watches_.push_back(watch);
    auto begin = [watch = watch, fetch = weak_from_this(), &mine = call_.executor()] {
      Fetch::watch(watch, fetch, mine);
    };
    if (shard == &call_.executor()) {
      begin();
    } else {
      shard->post(std::move(begin));
    }
  }
}

/// On the shard. `executor` is that of the fetch.
void Fetch::watch(const std::shared_ptr<Watch>& watch, const std::weak_ptr<Fetch>& fetch,
                  Executor& executor) {
  if (watch->is_over) return;
  auto moved = [watching = std::weak_ptr<Watch>(watch), fetch, &executor] {
    std::shared_ptr<Watch> telling = watching.lock();
    if (!telling || telling->is_telling.exchange(true)) return;
    executor.post([telling, fetch] {
      // Before it looks: what moves from here on is told again.
      telling->is_telling = false;
      if (auto waiting = fetch.lock()) waiting->look_again();
    });
  };
  bool has_moved = false;
  for (const Watch::Watched& watched : watch->partitions) {
    watch->tickets.push_back(watched.partition->log().on_advance(moved));
    has_moved =
        has_moved || end_of(*watched.partition->view(), watched.is_committed) != watched.end;
  }
  if (has_moved) moved();
}

void Fetch::wake() {
  call_.executor().post([self = shared_from_this()] { self->look_again(); });
}

void Fetch::look_again() {
  // It may be looking already, which may take the disk's time.
  if (!is_waiting_ || is_answered_) return;
  is_waiting_ = false;
  if (!is_still_joined()) return;
  look();
  read_all();
}

FetchResponse::Partition Fetch::describe(Item& item, std::vector<Payload>& payloads) const {
  FetchResponse::Partition partition;
  partition.partition_index = item.asked.partition;
  partition.high_watermark = item.view ? item.view->high_watermark.value() : -1;
  if (item.view && item.view->last_stable_offset) {
    partition.last_stable_offset = item.view->last_stable_offset->value();
  }
  partition.log_start_offset = item.view ? item.view->start_offset.value() : -1;
  if (is_committed()) partition.aborted_transactions.emplace();
  partition.records = wire::Records(BytesView{});
  if (!item.outcome) {
    partition.error_code = to_wire(item.outcome.error().code);
    return partition;
  }
  if (item.slice.bytes == 0) return partition;
  if (is_committed()) add_aborted(item, *partition.aborted_transactions);
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

void Fetch::end_waiting() {
  is_answered_ = true;
  if (timer_ != 0) call_.executor().cancel(timer_);
  for (const auto& watch : watches_) watch->is_over = true;
  watches_.clear();
}

void Fetch::refuse(wire::ErrorCode error) {
  end_waiting();
  FetchResponse response;
  response.error_code = error;
  items_.clear();
  call_.answer(response);
}

void Fetch::answer() {
  end_waiting();
  const FetchRequest& request = call_.request();
  FetchSessionPtr session = session_;
  if (!session && request.session_epoch == first_epoch) {
    auto now = call_.broker().clock().monotonic();
    session = call_.fetch_sessions().open(request, call_.version(), now);
    if (session) note_all(*session, items_);
  }
  FetchResponse response;
  if (session) response.session_id = session->id();
  std::vector<Payload> payloads;
  const Item* previous = nullptr;
  for (Item& item : items_) {
    if (item.session != nullptr && !note_news(*session, item)) continue;
    bool is_same_topic = previous != nullptr && *previous->topic == *item.topic &&
                         previous->asked_topic_id == item.asked_topic_id;
    if (!is_same_topic) {
      FetchResponse::Topic& topic = response.responses.emplace_back();
      topic.topic = *item.topic;
      topic.topic_id = item.asked_topic_id;
    }
    response.responses.back().partitions.push_back(describe(item, payloads));
    previous = &item;
  }
  items_.clear();
  call_.answer(response, std::move(payloads));
}

}  // namespace

void handle(Call<FetchRequest> call) {
  std::make_shared<Fetch>(std::move(call))->start();
}

}  // namespace leat::server
