// What partitions are told of transactions: whose batch may begin one, which of those that a start
// found open somebody ends, and when it is certain that a partition is in one.
#include <fmt/core.h>

#include "base/logging.h"
#include "broker/broker.h"
#include "broker/groups.h"
#include "broker/transactions.h"

namespace leat::broker {
namespace {

TransactionPartitions without(TransactionPartitions all, const TransactionPartitions& some) {
  for (const auto& [topic, numbers] : some) {
    auto found = all.find(topic);
    if (found == all.end()) continue;
    for (PartitionId number : numbers) found->second.erase(number);
    if (found->second.empty()) all.erase(found);
  }
  return all;
}

}  // namespace

bool Transactions::has(const TransactionPartitions& partitions,
                       const TopicPartition& partition) const {
  TopicPtr topic = broker_.find_topic(partition.topic_id);
  if (!topic) return false;
  auto found = partitions.find(topic->info.name);
  return found != partitions.end() && found->second.contains(partition.partition);
}

Result<void> Transactions::check_admitted(ProducerId producer, std::int16_t epoch,
                                          const TopicPartition& partition) {
  if (broken_) return tl::unexpected(*broken_);
  Entry* entry = find(producer);
  if (entry != nullptr && epoch < entry->now.epoch) {
    return fail(Errc::invalid_producer_epoch,
                fmt::format("producer {} has epoch {} now, not {}", producer.value(),
                            entry->now.epoch, epoch));
  }
  bool is_its = entry != nullptr && epoch == entry->now.epoch;
  bool is_open = is_its && entry->now.state == TransactionState::ongoing &&
                 has(entry->now.partitions, partition);
  // Behind a decision that is being written nothing can be noted.
  bool is_late =
      is_open && entry->is_busy && !(entry->note && has(entry->note->partitions, partition));
  if (is_open && !is_late) return {};
  if (is_its) entry->has_lost = entry->is_recovered;
  return fail(Errc::invalid_txn_state,
              fmt::format("producer {} has no transaction open that writes to this partition",
                          producer.value()));
}

/// Data of the one that is ending stand before its marker, those of the open one behind it.
Result<void> Transactions::check_adopted(ProducerId producer, std::int32_t last_marker,
                                         const TopicPartition& partition) {
  if (broken_) return {};
  const Entry* entry = find(producer);
  if (entry != nullptr && entry->ending && has(entry->ending->recovered, partition) &&
      last_marker != coordinator_epoch(entry->ending->transaction)) {
    return {};
  }
  bool is_open = entry != nullptr && entry->now.state == TransactionState::ongoing &&
                 has(entry->recovered, partition);
  if (is_open) return {};
  return fail(Errc::invalid_txn_state, "nobody will end this transaction");
}

void Transactions::admit(ProducerId producer, std::int16_t epoch, const TopicPartition& partition,
                         Executor& executor, Verdict verdict, Work noted) {
  auto decide = [this, producer, epoch, partition, &executor, verdict = std::move(verdict),
                 noted = std::move(noted)]() mutable {
    auto checked = check_admitted(producer, epoch, partition);
    executor.post(
        [verdict = std::move(verdict), checked]() mutable { verdict(std::move(checked)); });
    if (!checked) return;
    note(*find(producer), partition,
         [&executor, noted = std::move(noted)]() mutable { executor.post(std::move(noted)); });
  };
  if (&executor == &executor_) return decide();
  executor_.post(guarded(std::move(decide)));
}

void Transactions::note(Entry& entry, const TopicPartition& partition, Work noted) {
  bool is_new = !entry.note || !has(entry.note->partitions, partition);
  if (!is_new && entry.note->is_durable) return noted();
  if (is_new) {
    auto before = std::move(entry.note);
    entry.note = std::make_shared<Note>();
    // It has those of the one before, which may fail.
    if (before) {
      entry.note->partitions = before->partitions;
      entry.note->waiting = std::move(before->waiting);
    }
    const std::string& topic = broker_.find_topic(partition.topic_id)->info.name;
    entry.note->partitions[topic].insert(partition.partition);
  }
  entry.note->waiting.push_back(std::move(noted));
  if (!entry.note->is_under_way) write_note(entry);
}

void Transactions::write_note(Entry& entry) {
  // The newest record of the id must stay the decision that is on its way.
  if (entry.is_busy) return;
  auto partition = log_partition();
  if (!partition) return;
  Transaction noted = entry.now;
  noted.partitions = entry.note->partitions;
  noted.unwritten = without(entry.now.partitions, noted.partitions);
  if (entry.ending) noted.ended = entry.ending->transaction;
  entry.note->is_under_way = true;
  entry.note->says_ended = noted.ended.has_value();
  auto written = [note = entry.note, id = entry.id](const Result<void>& result) {
    note->is_under_way = false;
    note->is_durable = result.has_value();
    if (!result) {
      log_warning("the partitions of transaction '{}' cannot be noted yet: {}", id,
                  result.error().what);
      return;
    }
    for (Work& work : std::exchange(note->waiting, {})) work();
  };
  append_transaction(**partition, entry.id, noted, clock_.wall_ms(), guarded(std::move(written)));
}

void Transactions::adopt(ProducerId producer, std::int32_t last_marker,
                         const TopicPartition& partition, Executor& executor, Verdict verdict) {
  auto decide = [this, producer, last_marker, partition, &executor,
                 verdict = std::move(verdict)]() mutable {
    executor.post([verdict = std::move(verdict),
                   result = check_adopted(producer, last_marker, partition)]() mutable {
      verdict(std::move(result));
    });
  };
  if (&executor == &executor_) return decide();
  executor_.post(guarded(std::move(decide)));
}

void Transactions::decided(ProducerId producer, const TopicPartition& partition, bool is_commit,
                           Offset marker) {
  if (partition != group_partition()) return;
  // That partition lives here.
  broker_.groups().when_ready(guarded([this, producer, is_commit, marker](GroupError error) {
    if (error == GroupError::none) broker_.groups().end_transaction(producer, is_commit, marker);
  }));
}

}  // namespace leat::broker
