#include "log/producer_table.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/assert.h"

namespace leat::log {
namespace {

/// Behind 2^31-1 comes 0.
std::int32_t sequence_after(std::int32_t sequence, std::int64_t records) {
  auto sum = static_cast<std::uint32_t>(sequence) + static_cast<std::uint32_t>(records);
  return static_cast<std::int32_t>(sum & 0x7fff'ffff);
}

std::int32_t last_sequence_of(const BatchHead& batch) {
  return sequence_after(batch.base_sequence, batch.next_offset - batch.base_offset - 1);
}

const RememberedBatch* first_lost(const Producer& producer) {
  for (std::size_t i = 0; i < producer.batch_count; ++i) {
    if (producer.batches[i].is_lost()) return &producer.batches[i];
  }
  return nullptr;
}

bool follows(const Producer& producer, const BatchHead& batch) {
  if (batch.producer_epoch > producer.epoch) return batch.base_sequence == 0;
  if (producer.last_sequence == Producer::any_sequence) return true;
  if (producer.last_sequence == Producer::before_first) return batch.base_sequence == 0;
  const RememberedBatch* lost = first_lost(producer);
  if (lost != nullptr && batch.base_sequence == lost->base_sequence) return true;
  return batch.base_sequence == sequence_after(producer.last_sequence, 1);
}

std::optional<RememberedBatch> find_duplicate(const Producer& producer, const BatchHead& batch) {
  if (batch.producer_epoch != producer.epoch) return std::nullopt;
  std::int32_t last = last_sequence_of(batch);
  for (std::size_t i = producer.batch_count; i-- > 0;) {
    const RememberedBatch& known = producer.batches[i];
    if (known.is_lost()) continue;
    if (known.base_sequence == batch.base_sequence && known.last_sequence == last) return known;
  }
  return std::nullopt;
}

/// A marker may be written again by a coordinator that does not know whether it was. Whoever is
/// none has a negative epoch.
std::optional<RememberedBatch> find_duplicate(const Producer& producer, const BatchHead& batch,
                                              const record::EndMarker& marker) {
  bool is_same = batch.producer_epoch == producer.epoch && producer.marker_offset >= Offset{0} &&
                 marker.coordinator_epoch >= 0 &&
                 marker.coordinator_epoch == producer.coordinator_epoch;
  if (!is_same) return std::nullopt;
  return RememberedBatch{-1, -1, producer.marker_offset, producer.marker_offset + 1,
                         batch.max_timestamp_ms};
}

/// When a producer was last heard of: within a millisecond, or a segment that is read, by offset.
using Heard = std::pair<std::int64_t, Offset>;
Heard heard(const Producer& producer) {
  Offset last = producer.marker_offset;
  if (producer.batch_count > 0) {
    last = std::max(last, producer.batches[producer.batch_count - 1].base_offset);
  }
  return {producer.used_ms, last};
}

}  // namespace

const Producer* ProducerTable::find(ProducerId id) const {
  auto at = producers_.find(id);
  return at == producers_.end() ? nullptr : &at->second;
}

Result<std::optional<RememberedBatch>> ProducerTable::check(
    const BatchHead& batch, const std::optional<record::EndMarker>& marker) const {
  const Producer* producer = find(batch.producer_id);
  if (producer == nullptr) return std::nullopt;
  if (batch.producer_epoch < producer->epoch) {
    return fail(Errc::invalid_producer_epoch,
                fmt::format("producer {} writes with epoch {}, and there is a newer one, {}",
                            batch.producer_id.value(), batch.producer_epoch, producer->epoch));
  }
  if (marker) return find_duplicate(*producer, batch, *marker);
  if (producer->is_committed) {
    return fail(Errc::request_timed_out,
                fmt::format("the last transaction of producer {} is still being ended here",
                            batch.producer_id.value()));
  }
  // The broker's own batches have no sequence.
  bool has_sequence = batch.base_sequence >= 0;
  if (has_sequence) {
    if (auto duplicate = find_duplicate(*producer, batch)) return duplicate;
  }
  if (has_sequence && !follows(*producer, batch)) {
    return fail(Errc::out_of_order_sequence,
                fmt::format("producer {} sends sequence {} where {} was the last of epoch {}",
                            batch.producer_id.value(), batch.base_sequence, producer->last_sequence,
                            producer->epoch));
  }
  if (producer->transaction && !batch.is_transactional()) {
    return fail(Errc::invalid_txn_state,
                fmt::format("producer {} writes outside of the transaction that it has open",
                            batch.producer_id.value()));
  }
  return std::nullopt;
}

void ProducerTable::append(const BatchHead& batch, const std::optional<record::EndMarker>& marker,
                           std::int64_t now_ms) {
  // Other kinds of control batches say nothing of their producer.
  if (batch.is_control() && !marker) return;
  auto [at, is_new] = producers_.try_emplace(batch.producer_id);
  Producer& producer = at->second;
  Undo undo{batch.base_offset, batch.next_offset, batch.producer_id, {}, false, {}, {}};
  if (!is_new) undo.before = producer;
  producer.used_ms = std::max(producer.used_ms, now_ms);
  if (marker) {
    append_marker(producer, batch, *marker, undo);
  } else {
    append_data(producer, batch, undo);
  }
  if (undo.begins_transaction) {
    unstable_.insert(batch.base_offset);
    open_.insert(batch.base_offset);
  }
  undo_.push_back(std::move(undo));
  if (is_new && producers_.size() > producers_max_) make_room();
}

void ProducerTable::remember(Producer& producer, const BatchHead& batch) {
  // The lost ones are the newest.
  if (const RememberedBatch* lost = first_lost(producer)) {
    producer.batch_count = static_cast<std::uint8_t>(lost - producer.batches.data());
  }
  if (producer.batch_count == Producer::batches_max) {
    std::move(producer.batches.begin() + 1, producer.batches.end(), producer.batches.begin());
    --producer.batch_count;
  }
  producer.last_sequence = last_sequence_of(batch);
  producer.batches[producer.batch_count++] = {batch.base_sequence, producer.last_sequence,
                                              batch.base_offset, batch.next_offset,
                                              batch.max_timestamp_ms};
}

void ProducerTable::append_data(Producer& producer, const BatchHead& batch, Undo& undo) {
  if (batch.producer_epoch != producer.epoch) {
    producer.batch_count = 0;
    producer.last_sequence = Producer::any_sequence;
  }
  producer.epoch = batch.producer_epoch;
  if (batch.base_sequence >= 0) remember(producer, batch);
  if (!batch.is_transactional() || producer.transaction) return;
  producer.transaction = batch.base_offset;
  undo.begins_transaction = true;
}

/// The producer may not know that its transaction is gone from `begin` on, and send the same
/// batches again: from the first one, since a later one before it would change their order. Or it
/// has given up on them and goes on behind. As it has five under way at most, the first one is
/// remembered.
void ProducerTable::lose(Producer& producer, Offset begin) {
  bool is_known = false;
  for (std::size_t i = 0; i < producer.batch_count; ++i) {
    RememberedBatch& batch = producer.batches[i];
    if (batch.base_offset < begin) continue;
    batch.base_offset = batch.next_offset = Offset{-1};
    is_known = true;
  }
  if (!is_known) producer.last_sequence = Producer::any_sequence;
}

void ProducerTable::append_marker(Producer& producer, const BatchHead& batch,
                                  const record::EndMarker& marker, Undo& undo) {
  if (batch.producer_epoch != producer.epoch) {
    producer.batch_count = 0;
    // Of a producer that was unknown nobody knows how far it has come.
    if (producer.epoch >= 0) producer.last_sequence = Producer::before_first;
    producer.epoch = batch.producer_epoch;
  }
  bool is_of_coordinator = marker.coordinator_epoch >= 0;
  if (is_of_coordinator) {
    producer.coordinator_epoch = marker.coordinator_epoch;
    producer.marker_offset = batch.base_offset;
  }
  undo.ended = std::exchange(producer.transaction, std::nullopt);
  producer.is_committed = false;
  if (!undo.ended) return;
  if (!is_of_coordinator) {
    lose(producer, *undo.ended);
  }
  open_.erase(*undo.ended);
  if (marker.is_commit) return;
  Offset stable = open_.empty() ? batch.next_offset : *open_.begin();
  undo.aborted = AbortedTransaction{batch.producer_id, *undo.ended, batch.base_offset, stable};
}

std::vector<AbortedTransaction> ProducerTable::commit(Offset end) {
  std::vector<AbortedTransaction> aborted;
  while (!undo_.empty() && undo_.front().next_offset <= end) {
    const Undo& undo = undo_.front();
    if (undo.ended) unstable_.erase(*undo.ended);
    if (undo.aborted) aborted.push_back(*undo.aborted);
    undo_.pop_front();
  }
  return aborted;
}

void ProducerTable::roll_back(Offset end) {
  while (!undo_.empty() && undo_.back().base_offset >= end) {
    Undo& undo = undo_.back();
    if (undo.begins_transaction) {
      unstable_.erase(undo.base_offset);
      open_.erase(undo.base_offset);
    }
    if (undo.ended && !undo.before->is_committed) open_.insert(*undo.ended);
    if (undo.before) {
      producers_[undo.id] = *undo.before;
    } else {
      producers_.erase(undo.id);
    }
    undo_.pop_back();
  }
}

void ProducerTable::commit_before_marker(ProducerId id) {
  auto at = producers_.find(id);
  ASSERT(at != producers_.end() && at->second.transaction);
  at->second.is_committed = true;
  unstable_.erase(*at->second.transaction);
  open_.erase(*at->second.transaction);
}

std::optional<Offset> ProducerTable::first_unstable() const {
  if (unstable_.empty()) return std::nullopt;
  return *unstable_.begin();
}

void ProducerTable::expire(std::int64_t before_ms) {
  std::erase_if(producers_, [before_ms](const auto& entry) {
    return entry.second.used_ms < before_ms && !entry.second.transaction;
  });
}

void ProducerTable::expect_any() {
  for (auto& [id, producer] : producers_) producer.last_sequence = Producer::any_sequence;
}

void ProducerTable::make_room() {
  std::vector<Heard> times;
  for (const auto& [id, producer] : producers_) {
    if (!producer.transaction) times.push_back(heard(producer));
  }
  std::size_t excess = producers_max_ / 8 + 1;
  if (times.size() <= excess) return;
  auto middle = times.begin() + static_cast<std::ptrdiff_t>(excess);
  std::nth_element(times.begin(), middle, times.end());
  Heard least = *middle;
  // What waits for a commit may have to go back to what it was.
  std::set<ProducerId> busy;
  for (const Undo& undo : undo_) busy.insert(undo.id);
  std::erase_if(producers_, [&](const auto& entry) {
    const auto& [id, producer] = entry;
    if (excess == 0 || producer.transaction || heard(producer) > least || busy.contains(id)) {
      return false;
    }
    --excess;
    return true;
  });
}

void ProducerTable::restore(ProducerId id, const Producer& producer) {
  producers_[id] = producer;
  if (!producer.transaction) return;
  unstable_.insert(*producer.transaction);
  open_.insert(*producer.transaction);
}

}  // namespace leat::log
