#include "broker/transactions.h"

#include <algorithm>
#include <limits>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/logging.h"
#include "broker/broker.h"
#include "broker/groups.h"
#include "broker/topic_name.h"

namespace leat::broker {
namespace {

constexpr std::chrono::milliseconds park_time{1000};
constexpr std::chrono::milliseconds tick_interval{1000};
/// Before a marker is tried again: at first, and at most.
constexpr std::chrono::milliseconds marker_pause{1000};
constexpr std::chrono::milliseconds marker_pause_max{16'000};
constexpr std::chrono::hours expiry_interval{1};
constexpr std::int16_t epoch_max = std::numeric_limits<std::int16_t>::max();

Error concurrent() {
  return {Errc::concurrent_transactions, "the last transaction of this id is still being ended"};
}

bool is_prepared(TransactionState state) {
  return state == TransactionState::prepare_commit || state == TransactionState::prepare_abort;
}

}  // namespace

bool Transactions::Entry::is_idle() const {
  return !is_busy && !ending;
}

Transactions::Transactions(Broker& broker, ProducerIds& producer_ids)
    : broker_(broker),
      producer_ids_(producer_ids),
      executor_(broker.executor()),
      clock_(broker.clock()) {}

Transactions::~Transactions() {
  if (timer_ != 0) executor_.cancel(timer_);
  for (auto& [id, entry] : entries_) {
    if (entry.timer != 0) executor_.cancel(entry.timer);
  }
}

void Transactions::open() {
  TopicPartition where = transaction_partition();
  auto partition = broker_.find_partition(where.topic_id, where.partition);
  if (!partition) return;
  auto take = [this](std::string id, std::optional<Transaction> transaction) {
    if (!transaction) {
      entries_.erase(id);
      return;
    }
    Entry& entry = entries_[id];
    entry.id = std::move(id);
    entry.now = std::move(*transaction);
  };
  auto replayed = replay_transactions(*partition->view(), take);
  if (!replayed) {
    broken_ = Error{Errc::coordinator_not_available,
                    fmt::format("{} cannot be read: {}", transaction_topic, replayed.error().what)};
    log_error("no transactions until a restart: {}", broken_->what);
    entries_.clear();
    return;
  }
  is_opening_ = true;
  for (auto& [id, entry] : entries_) {
    by_producer_[entry.now.producer] = id;
    entry.recovered = entry.now.partitions;
    for (auto& [topic, numbers] : std::exchange(entry.now.unwritten, {})) {
      entry.now.partitions[topic].merge(numbers);
    }
    if (is_prepared(entry.now.state)) {
      begin_ending(entry);
    } else if (entry.now.ended) {
      by_producer_[entry.now.ended->producer] = id;
      entry.ending = Ending{*entry.now.ended, entry.now.ended->partitions, 0};
      entry.now.ended.reset();
      send_markers(entry);
    }
    if (entry.now.state == TransactionState::ongoing) {
      // No longer ago than what makes it over: only the clock that may be set knows of it.
      std::int64_t age_ms = clock_.wall_ms() - entry.now.started_ms;
      entry.began = clock_.monotonic() - std::chrono::milliseconds(std::clamp<std::int64_t>(
                                             age_ms, 0, entry.now.timeout_ms));
      entry.note =
          std::make_shared<Note>(Note{entry.recovered, true, false, entry.ending.has_value()});
    }
    entry.is_recovered = true;
  }
  is_opening_ = false;
  arm();
}

Transactions::Entry* Transactions::find(const std::string& id) {
  auto at = entries_.find(id);
  return at == entries_.end() ? nullptr : &at->second;
}

const Transactions::Entry* Transactions::find(const std::string& id) const {
  auto at = entries_.find(id);
  return at == entries_.end() ? nullptr : &at->second;
}

Transactions::Entry* Transactions::find(ProducerId producer) {
  auto at = by_producer_.find(producer);
  return at == by_producer_.end() ? nullptr : find(at->second);
}

void Transactions::answer(Done done, Result<void> result) {
  executor_.post(
      [done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

void Transactions::answer(InitDone done, Result<ProducerIdentity> result) {
  executor_.post(
      [done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

Result<void> Transactions::check_producer(const Entry* entry, ProducerIdentity producer) const {
  if (broken_) return tl::unexpected(*broken_);
  if (entry == nullptr || entry->now.epoch < 0 || entry->now.producer != producer.id) {
    return fail(
        Errc::invalid_producer_id_mapping,
        fmt::format("producer {} does not have this transactional id", producer.id.value()));
  }
  if (entry->now.epoch != producer.epoch) {
    return fail(Errc::producer_fenced,
                fmt::format("producer {} has epoch {} now, not {}", producer.id.value(),
                            entry->now.epoch, producer.epoch));
  }
  return {};
}

void Transactions::add_partitions(const std::string& id, ProducerIdentity producer,
                                  TransactionPartitions partitions, Done done,
                                  TransactionProtocol protocol) {
  Entry* entry = find(id);
  if (entry != nullptr && !broken_ && entry->is_busy) {
    auto shared = std::make_shared<Done>(std::move(done));
    auto retry = [this, id, producer, partitions, shared, protocol]() mutable {
      add_partitions(id, producer, std::move(partitions), std::move(*shared), protocol);
    };
    return park(*entry, std::move(retry),
                [shared](const Error& error) { (*shared)(tl::unexpected(error)); });
  }
  if (auto checked = check_producer(entry, producer); !checked) {
    return answer(std::move(done), checked);
  }
  begin(*entry, protocol);
  for (auto& [topic, numbers] : partitions) entry->now.partitions[topic].merge(numbers);
  answer(std::move(done), {});
}

void Transactions::begin(Entry& entry, TransactionProtocol protocol) {
  Transaction& now = entry.now;
  now.protocol = protocol;
  now.updated_ms = clock_.wall_ms();
  if (now.state == TransactionState::ongoing) return;
  now.state = TransactionState::ongoing;
  now.partitions.clear();
  now.previous = ProducerId{-1};
  // No two transactions of an id begin at the same time: markers are told apart by it.
  now.started_ms = std::max(now.updated_ms, now.started_ms + 1);
  entry.began = clock_.monotonic();
  entry.recovered.clear();
  entry.note.reset();
  entry.is_recovered = entry.has_lost = false;
  arm();
}

Result<void> Transactions::check_open(const std::string& id, ProducerIdentity producer,
                                      std::string_view topic, PartitionId partition) {
  Entry* entry = find(id);
  if (auto checked = check_producer(entry, producer); !checked) return checked;
  auto found = entry->now.partitions.find(topic);
  if (entry->now.state == TransactionState::ongoing && found != entry->now.partitions.end() &&
      found->second.contains(partition)) {
    return {};
  }
  entry->has_lost = entry->is_recovered;
  return fail(Errc::invalid_txn_state, "the partition is not in an open transaction");
}

void Transactions::park(Entry& entry, Work retry, std::function<void(const Error&)> refuse) {
  entry.parked.push_back({std::move(retry), std::move(refuse)});
  if (entry.timer != 0) return;
  entry.timer = executor_.after(park_time, [this, id = entry.id] {
    Entry* waiting = find(id);
    if (waiting == nullptr) return;
    waiting->timer = 0;
    refuse_parked(*waiting, concurrent());
  });
}

void Transactions::refuse_parked(Entry& entry, const Error& error) {
  for (Parked& parked : std::exchange(entry.parked, {})) parked.refuse(error);
}

void Transactions::settle(Entry& entry) {
  if (!entry.is_idle() || entry.parked.empty()) return;
  if (entry.timer != 0) executor_.cancel(std::exchange(entry.timer, 0));
  // Each may make the entry busy again, and those behind it wait once more.
  for (Parked& parked : std::exchange(entry.parked, {})) parked.retry();
}

void Transactions::write(Entry& entry, Transaction next, Done then) {
  entry.is_busy = true;
  std::int64_t now_ms = clock_.wall_ms();
  next.updated_ms = now_ms;
  auto written = [this, &entry, next, then = std::move(then)](Result<void> result) mutable {
    entry.is_busy = false;
    if (!result) {
      result = fail(Errc::coordinator_not_available, result.error().what);
      refuse_parked(entry, result.error());
    } else {
      entry.now = std::move(next);
    }
    then(std::move(result));
    settle(entry);
  };
  auto partition = log_partition();
  if (partition) {
    return append_transaction(**partition, entry.id, next, now_ms, guarded(std::move(written)));
  }
  executor_.post(guarded([written = std::move(written), error = partition.error()]() mutable {
    written(tl::unexpected(error));
  }));
}

Result<std::shared_ptr<Partition>> Transactions::log_partition() {
  TopicPartition where = transaction_partition();
  auto partition = broker_.find_partition(where.topic_id, where.partition);
  if (partition) return partition;
  NewTopic topic;
  topic.name = transaction_topic;
  topic.partitions = 1;
  topic.configs = {{"cleanup.policy", "compact"}, {"segment.bytes", "104857600"}};
  topic.id = where.topic_id;
  // It is there at once; what is appended to it is answered when that is durable.
  broker_.create_topic(topic, [](const Result<TopicInfo>& made) {
    if (!made) log_warning("the topic of transactions cannot be made: {}", made.error().what);
  });
  partition = broker_.find_partition(where.topic_id, where.partition);
  if (partition) return partition;
  return fail(Errc::coordinator_not_available, "the topic of transactions cannot be made");
}

void Transactions::begin_ending(Entry& entry) {
  Transaction& now = entry.now;
  ASSERT(is_prepared(now.state) && !entry.ending);
  bool is_commit = now.state == TransactionState::prepare_commit;
  EndedTransaction ended{now.producer, now.epoch, is_commit, now.started_ms, now.partitions};
  entry.ending = Ending{std::move(ended), std::move(entry.recovered), 0};
  entry.recovered.clear();
  entry.note.reset();
  entry.is_recovered = entry.has_lost = false;
  if (now.next >= ProducerId{0}) {
    now.previous = std::exchange(now.producer, std::exchange(now.next, ProducerId{-1}));
    now.epoch = 0;
    by_producer_[now.producer] = entry.id;
  }
  send_markers(entry);
}

void Transactions::send_markers(Entry& entry) {
  std::vector<std::pair<std::string, PartitionId>> targets;
  for (const auto& [topic, partitions] : entry.ending->transaction.partitions) {
    for (PartitionId partition : partitions) targets.emplace_back(topic, partition);
  }
  entry.ending->markers_left = targets.size() + 1;
  for (const auto& [topic, partition] : targets) {
    send_marker(entry.id, topic, partition, marker_pause);
  }
  // Later, so that nobody is completed from within the call that decided.
  executor_.post(guarded([this, &entry] { marker_done(entry); }));
}

void Transactions::send_marker(const std::string& id, const std::string& topic, PartitionId number,
                               std::chrono::milliseconds pause) {
  Entry* entry = find(id);
  ASSERT(entry != nullptr && entry->ending);
  auto written = [this, id, topic, number, pause](Result<Offset> result) {
    // A partition that was deleted has nothing to end; neither has one that has heard of a newer
    // epoch.
    bool is_over = result || result.error().code == Errc::unknown_topic_or_partition ||
                   result.error().code == Errc::invalid_producer_epoch;
    if (is_over) return marker_done(*find(id));
    log_warning("transaction '{}' cannot be ended in {}-{} yet: {}", id, topic, number.value(),
                result.error().what);
    auto next_pause = std::min(2 * pause, marker_pause_max);
    executor_.after(pause, guarded([this, id, topic, number, next_pause] {
                      send_marker(id, topic, number, next_pause);
                    }));
  };
  auto partition = broker_.find_partition(topic, number);
  if (!partition) {
    return executor_.post(guarded(
        [written] { written(fail(Errc::unknown_topic_or_partition, "the partition is gone")); }));
  }
  const EndedTransaction& ended = entry->ending->transaction;
  record::EndMarker marker{ended.is_commit, coordinator_epoch(ended)};
  // Behind what groups are told of it, which may be waiting to be read.
  bool is_of_groups = topic == group_topic;
  auto told = [this, is_of_groups, guard = std::weak_ptr<void>(alive_), &home = executor_,
               written](const Result<Offset>& result) {
    home.post([this, is_of_groups, guard, written, result] {
      if (guard.expired()) return;
      if (!is_of_groups) return written(result);
      broker_.groups().when_ready(
          guarded([written, result](GroupError) mutable { written(result); }));
    });
  };
  // In a partition that lives here nothing may come before it that comes behind this call.
  bool is_here = !is_opening_ && &partition->executor() == &executor_;
  if (is_here) return partition->append_marker(ended.producer, ended.epoch, marker, told);
  partition->executor().post(
      [partition, producer = ended.producer, epoch = ended.epoch, marker, told]() mutable {
        partition->append_marker(producer, epoch, marker, told);
      });
}

void Transactions::marker_done(Entry& entry) {
  ASSERT(entry.ending && entry.ending->markers_left > 0);
  if (--entry.ending->markers_left == 0) complete(entry);
}

/// The record need not be waited for: without it, markers are written once more after a crash, and
/// are known by their coordinator epoch. Whatever follows comes behind it in the log. Where the
/// next transaction has begun, its note is written anew if it tells of the markers: while that
/// transaction is open, retention may take what they are known by.
void Transactions::complete(Entry& entry) {
  Transaction& now = entry.now;
  ProducerId ended = entry.ending->transaction.producer;
  entry.ending.reset();
  if (ended != now.producer) by_producer_.erase(ended);
  if (!is_prepared(now.state)) {
    if (entry.note && entry.note->says_ended) write_note(entry);
    return settle(entry);
  }
  now.state = now.state == TransactionState::prepare_commit ? TransactionState::complete_commit
                                                            : TransactionState::complete_abort;
  now.partitions.clear();
  now.updated_ms = clock_.wall_ms();
  auto partition = log_partition();
  if (partition) {
    append_transaction(
        **partition, entry.id, now, now.updated_ms, [id = entry.id](const Result<void>& written) {
          if (written) return;
          log_warning("the end of transaction '{}' is not noted: {}", id, written.error().what);
        });
  }
  settle(entry);
}

void Transactions::fence(Entry& entry) {
  Transaction next = prepared(entry, false);
  if (next.epoch < epoch_max) ++next.epoch;
  std::int16_t fenced = entry.now.epoch;
  write(entry, std::move(next), [this, &entry, fenced](const Result<void>& written) {
    if (!written) return;
    entry.last_epoch = fenced;
    begin_ending(entry);
  });
}

void Transactions::arm() {
  if (timer_ != 0 || entries_.empty()) return;
  auto is_ongoing = [](const auto& entry) {
    return entry.second.now.state == TransactionState::ongoing;
  };
  if (std::none_of(entries_.begin(), entries_.end(), is_ongoing)) return;
  timer_ = executor_.after(tick_interval, [this] {
    timer_ = 0;
    tick();
    arm();
  });
}

void Transactions::tick() {
  auto at = clock_.monotonic();
  for (auto& [id, entry] : entries_) {
    const Transaction& now = entry.now;
    if (now.state != TransactionState::ongoing || entry.is_busy) continue;
    bool is_outdated = entry.note && entry.note->says_ended && !entry.ending;
    bool is_unnoted =
        entry.note && (!entry.note->is_durable || is_outdated) && !entry.note->is_under_way;
    if (is_unnoted) write_note(entry);
    bool is_over = at - entry.began >= std::chrono::milliseconds(now.timeout_ms);
    if (!is_over || !entry.is_idle()) continue;
    log_info("transaction '{}' is aborted: it was not ended within {} ms", id, now.timeout_ms);
    fence(entry);
  }
  expire();
}

void Transactions::expire() {
  auto now = clock_.monotonic();
  if (expired_ && now - *expired_ < expiry_interval) return;
  expired_ = now;
  std::int64_t now_ms = clock_.wall_ms();
  for (auto at = entries_.begin(); at != entries_.end();) {
    Entry& entry = (at++)->second;
    bool is_unused = entry.is_idle() && entry.now.state != TransactionState::ongoing;
    if (is_unused && now_ms - entry.now.updated_ms > id_expiration_ms) forget(entry);
  }
}

void Transactions::forget(Entry& entry) {
  auto partition = log_partition();
  if (partition) {
    append_transaction(**partition, entry.id, std::nullopt, clock_.wall_ms(),
                       [](const Result<void>&) {});
  }
  if (entry.timer != 0) executor_.cancel(entry.timer);
  by_producer_.erase(entry.now.producer);
  entries_.erase(std::string(entry.id));
}

Result<Transaction> Transactions::describe(const std::string& id) const {
  if (broken_) return tl::unexpected(*broken_);
  const Entry* entry = find(id);
  if (entry == nullptr || entry->now.epoch < 0) {
    return fail(Errc::transactional_id_not_found,
                fmt::format("nobody has the transactional id '{}'", id));
  }
  return entry->now;
}

std::vector<std::pair<std::string, Transaction>> Transactions::list() const {
  std::vector<std::pair<std::string, Transaction>> all;
  for (const auto& [id, entry] : entries_) {
    if (entry.now.epoch >= 0) all.emplace_back(id, entry.now);
  }
  return all;
}

}  // namespace leat::broker
