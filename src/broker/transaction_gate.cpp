// What partitions are told of transactions: whose batch may begin one, which of those that a start
// found open somebody ends, and when it is certain that a partition is in one.
#include <fmt/core.h>

#include "base/logging.h"
#include "broker/broker.h"
#include "broker/epochs.h"
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

Result<void> Transactions::check_admitted(ProducerId producer, std::int16_t epoch, bool adds,
                                          const TopicPartition& partition) {
  if (broken_) return tl::unexpected(*broken_);
  Entry* entry = find(producer);
  bool is_past = entry != nullptr && (producer != entry->now.producer || epoch < entry->now.epoch);
  if (is_past) {
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
  if (is_its && adds) return join(*entry, partition);
  if (is_its) entry->has_lost = entry->is_recovered;
  return fail(Errc::invalid_txn_state,
              fmt::format("producer {} has no transaction open that writes to this partition",
                          producer.value()));
}

/// Adds the partition, since the batch asks for it.
Result<void> Transactions::join(Entry& entry, const TopicPartition& partition) {
  if (entry.is_busy) {
    return fail(Errc::concurrent_transactions, "the transaction is being decided");
  }
  TopicPtr topic = broker_.find_topic(partition.topic_id);
  if (!topic) return fail(Errc::unknown_topic_or_partition, "the partition is gone");
  begin(entry, TransactionProtocol::second);
  entry.now.partitions[topic->info.name].insert(partition.partition);
  return {};
}

/// Data of the one that is ending stand before its marker, those of the open one behind it.
Result<void> Transactions::check_adopted(ProducerId producer, std::int32_t last_marker,
                                         const TopicPartition& partition) {
  if (broken_) return {};
  const Entry* entry = find(producer);
  bool is_ending = entry != nullptr && entry->ending &&
                   entry->ending->transaction.producer == producer &&
                   has(entry->ending->recovered, partition);
  if (is_ending && last_marker != coordinator_epoch(entry->ending->transaction)) return {};
  bool is_open = entry != nullptr && entry->now.producer == producer &&
                 entry->now.state == TransactionState::ongoing && has(entry->recovered, partition);
  if (is_open) return {};
  return fail(Errc::invalid_txn_state, "nobody will end this transaction");
}

void Transactions::admit(ProducerId producer, std::int16_t epoch, bool adds,
                         const TopicPartition& partition, Executor& executor, Verdict verdict,
                         Noted noted) {
  auto decide = [this, producer, epoch, adds, partition, &executor, verdict = std::move(verdict),
                 noted = std::move(noted)]() mutable {
    auto checked = check_admitted(producer, epoch, adds, partition);
    executor.post(
        [verdict = std::move(verdict), checked]() mutable { verdict(std::move(checked)); });
    if (!checked) return;
    auto shared = std::make_shared<Noted>(std::move(noted));
    note(*find(producer), partition, [&executor, shared](const Result<void>& result) {
      executor.post([shared, result] { (*shared)(result); });
    });
  };
  if (&executor == &executor_) return decide();
  executor_.post(guarded(std::move(decide)));
}

void Transactions::note(Entry& entry, const TopicPartition& partition, Noted noted) {
  bool is_new = !entry.note || !has(entry.note->partitions, partition);
  if (!is_new && entry.note->is_durable) return noted({});
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
  entry.note->waiting[partition] = std::move(noted);
  if (!entry.note->is_under_way) write_note(entry);
}

void Transactions::write_note(Entry& entry) {
  // The newest record of the id must stay the decision that is on its way.
  if (entry.is_busy) return;
  auto partition = log_partition();
  auto note = entry.note;
  auto tell_waiting = [note, id = entry.id](const Result<void>& result) {
    if (result) {
      for (auto& [where, noted] : std::exchange(note->waiting, {})) noted(result);
      return;
    }
    // They are told again: it is written again, and until then those who send are refused.
    Result<void> refusal = fail(Errc::request_timed_out,
                                "the transaction cannot be noted yet: " + result.error().what);
    log_warning("transaction '{}': {}", id, refusal.error().what);
    for (auto& [where, noted] : note->waiting) noted(refusal);
  };
  if (!partition) return tell_waiting(fail(partition));
  Transaction noted = entry.now;
  noted.partitions = entry.note->partitions;
  noted.unwritten = without(entry.now.partitions, noted.partitions);
  if (entry.ending) noted.ended = entry.ending->transaction;
  note->is_under_way = true;
  note->says_ended = noted.ended.has_value();
  auto written = [note, tell_waiting](const Result<void>& result) {
    note->is_under_way = false;
    note->is_durable = result.has_value();
    tell_waiting(result);
  };
  append_transaction(**partition, entry.id, noted, clock_.wall_ms(), guarded(std::move(written)));
}

void Transactions::adopt(ProducerId producer, std::int32_t last_marker,
                         const TopicPartition& partition, Executor& executor, Verdict verdict) {
  auto decide = [this, producer, last_marker, partition, &executor,
                 verdict = std::move(verdict)]() mutable {
    auto tell = [&executor, verdict = std::move(verdict)](Result<void> result) mutable {
      executor.post([verdict = std::move(verdict), result = std::move(result)]() mutable {
        verdict(std::move(result));
      });
    };
    auto result = check_adopted(producer, last_marker, partition);
    if (result) return tell({});
    broker_.epochs().adopt(producer, partition,
                           [tell = std::move(tell), result](bool is_epoch) mutable {
                             tell(is_epoch ? Result<void>() : std::move(result));
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
