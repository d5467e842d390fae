// How producers come to transactional ids.
#include <algorithm>
#include <limits>

#include <fmt/core.h>

#include "base/logging.h"
#include "broker/broker.h"
#include "broker/groups.h"
#include "broker/transactions.h"

namespace leat::broker {
namespace {

/// From here on a producer gets a new id instead of a new epoch: the last one is for fencing.
constexpr std::int16_t last_given_epoch = std::numeric_limits<std::int16_t>::max() - 1;

Error fenced() {
  return {Errc::producer_fenced, "another producer has this transactional id now"};
}

}  // namespace

void Transactions::init_producer(const std::string& id, std::int32_t timeout_ms,
                                 std::optional<ProducerIdentity> expected, InitDone done) {
  if (broken_) return answer(std::move(done), tl::unexpected(*broken_));
  if (id.empty()) {
    return answer(std::move(done), fail(Errc::invalid_request, "a transactional id is empty"));
  }
  if (timeout_ms <= 0 || timeout_ms > timeout_max_ms) {
    return answer(std::move(done), fail(Errc::invalid_transaction_timeout,
                                        fmt::format("a transaction may take 1 to {} ms, not {}",
                                                    timeout_max_ms, timeout_ms)));
  }
  Entry* entry = find(id);
  if (entry == nullptr) return init_new(id, timeout_ms, std::move(done));
  if (entry->is_idle() && entry->now.state != TransactionState::ongoing) {
    return init_known(*entry, timeout_ms, expected, std::move(done));
  }
  bool is_owner = !expected || expected->id == entry->now.producer;
  if (!is_owner) return answer(std::move(done), tl::unexpected(fenced()));
  if (entry->is_idle()) {
    // What is open is of the newest epoch: who had the id before must not end it.
    bool is_newest = !expected || expected->epoch == entry->now.epoch;
    if (!is_newest) return answer(std::move(done), tl::unexpected(fenced()));
    fence(*entry);
  }
  auto shared = std::make_shared<InitDone>(std::move(done));
  auto retry = [this, id, timeout_ms, expected, shared] {
    init_producer(id, timeout_ms, expected, std::move(*shared));
  };
  park(*entry, std::move(retry),
       [shared](const Error& error) { (*shared)(tl::unexpected(error)); });
}

void Transactions::init_new(const std::string& id, std::int32_t timeout_ms, InitDone done) {
  expire();
  if (entries_.size() >= ids_max) make_room();
  if (entries_.size() >= ids_max) {
    return answer(
        std::move(done),
        fail(Errc::policy_violation, fmt::format("all {} transactional ids are in use", ids_max)));
  }
  Entry& entry = entries_[id];
  entry.id = id;
  give_new_id(entry, timeout_ms, std::move(done));
}

void Transactions::make_room() {
  Entry* oldest = nullptr;
  for (auto& [id, entry] : entries_) {
    if (!entry.is_idle() || entry.now.state == TransactionState::ongoing) continue;
    if (oldest == nullptr || entry.now.updated_ms < oldest->now.updated_ms) oldest = &entry;
  }
  if (oldest != nullptr) forget(*oldest);
}

void Transactions::give_new_id(Entry& entry, std::int32_t timeout_ms, InitDone done) {
  entry.is_busy = true;
  producer_ids_.draw(guarded(
      [this, &entry, timeout_ms, done = std::move(done)](Result<ProducerId> producer) mutable {
        entry.is_busy = false;
        if (!producer) {
          Error error{Errc::coordinator_not_available, producer.error().what};
          refuse_parked(entry, error);
          return done(tl::unexpected(error));
        }
        by_producer_.erase(entry.now.producer);
        by_producer_[*producer] = entry.id;
        Transaction next;
        next.producer = *producer;
        next.epoch = 0;
        next.timeout_ms = timeout_ms;
        entry.last_epoch = -1;
        give(entry, std::move(next), std::move(done));
      }));
}

void Transactions::give(Entry& entry, Transaction next, InitDone done) {
  ProducerIdentity identity{next.producer, next.epoch};
  entry.is_recovered = entry.has_lost = false;
  write(entry, std::move(next), [identity, done = std::move(done)](Result<void> written) mutable {
    if (!written) return done(fail(written));
    done(identity);
  });
}

void Transactions::init_known(Entry& entry, std::int32_t timeout_ms,
                              std::optional<ProducerIdentity> expected, InitDone done) {
  const Transaction& now = entry.now;
  if (expected && now.epoch >= 0) {
    if (expected->id != now.producer) return answer(std::move(done), tl::unexpected(fenced()));
    if (expected->epoch != now.epoch) {
      bool is_retry = expected->epoch == entry.last_epoch;
      if (!is_retry) return answer(std::move(done), tl::unexpected(fenced()));
      return answer(std::move(done), ProducerIdentity{now.producer, now.epoch});
    }
  }
  if (now.epoch < 0 || now.epoch >= last_given_epoch) {
    return give_new_id(entry, timeout_ms, std::move(done));
  }
  Transaction next = now;
  next.epoch = static_cast<std::int16_t>(next.epoch + 1);
  next.timeout_ms = timeout_ms;
  next.state = TransactionState::empty;
  next.partitions.clear();
  next.protocol = TransactionProtocol::first;
  next.previous = ProducerId{-1};
  // Whoever does not say that it had the id takes it from whoever had.
  entry.last_epoch = expected ? now.epoch : std::int16_t{-1};
  give(entry, std::move(next), std::move(done));
}

}  // namespace leat::broker
