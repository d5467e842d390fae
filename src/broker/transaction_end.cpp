// How producers have their transactions decided, in either protocol.
#include <limits>

#include <fmt/core.h>

#include "base/logging.h"
#include "broker/transactions.h"

namespace leat::broker {
namespace {

constexpr std::int16_t epoch_max = std::numeric_limits<std::int16_t>::max();

/// Whether this is who had the id when it asked for the decision that is complete, or when that was
/// made for it: its epoch was raised then.
bool was_raised(const Transaction& now, ProducerIdentity producer) {
  bool is_complete = now.state == TransactionState::complete_commit ||
                     now.state == TransactionState::complete_abort;
  if (!is_complete || now.protocol != TransactionProtocol::second) return false;
  if (producer.id == now.producer) return producer.epoch + 1 == now.epoch;
  return producer.id == now.previous && producer.epoch == epoch_max - 1 && now.epoch == 0;
}

Error not_open(TransactionState state, bool is_commit) {
  return {Errc::invalid_txn_state, fmt::format("a transaction that is {} cannot be {}", name(state),
                                               is_commit ? "committed" : "aborted")};
}

}  // namespace

void Transactions::end(const std::string& id, ProducerIdentity producer, bool is_commit,
                       Done done) {
  end(id, producer, Decision{is_commit, TransactionProtocol::first},
      [done = std::move(done)](const Result<ProducerIdentity>& ended) mutable {
        done(ended ? Result<void>() : fail(ended));
      });
}

void Transactions::end_and_raise(const std::string& id, ProducerIdentity producer, bool is_commit,
                                 InitDone done) {
  end(id, producer, Decision{is_commit, TransactionProtocol::second}, std::move(done));
}

void Transactions::end(const std::string& id, ProducerIdentity producer, Decision decision,
                       InitDone done) {
  Entry* entry = find(id);
  if (entry != nullptr && !broken_ && !entry->is_idle()) {
    auto shared = std::make_shared<InitDone>(std::move(done));
    auto retry = [this, id, producer, decision, shared] {
      end(id, producer, decision, std::move(*shared));
    };
    return park(*entry, std::move(retry),
                [shared](const Error& error) { (*shared)(tl::unexpected(error)); });
  }
  auto is_due = check_end(entry, producer, decision);
  if (!is_due) return answer(std::move(done), fail(is_due));
  if (!*is_due) {
    return answer(std::move(done), ProducerIdentity{entry->now.producer, entry->now.epoch});
  }
  bool raises = decision.protocol == TransactionProtocol::second;
  if (!raises || entry->now.epoch < epoch_max - 1) {
    return decide(*entry, decision, ProducerId{-1}, std::move(done));
  }
  // The last epoch is for markers, and for fencing.
  entry->is_busy = true;
  producer_ids_.draw(
      guarded([this, entry, decision, done = std::move(done)](Result<ProducerId> drawn) mutable {
        entry->is_busy = false;
        if (drawn) return decide(*entry, decision, *drawn, std::move(done));
        Error error{Errc::coordinator_not_available, drawn.error().what};
        done(tl::unexpected(error));
        settle(*entry);
      }));
}

Result<bool> Transactions::check_end(const Entry* entry, ProducerIdentity producer,
                                     Decision decision) const {
  bool raises = decision.protocol == TransactionProtocol::second;
  if (raises && !broken_ && entry != nullptr && was_raised(entry->now, producer)) {
    bool is_committed = entry->now.state == TransactionState::complete_commit;
    if (is_committed == decision.is_commit) return entry->now.epoch == epoch_max;
    return tl::unexpected(not_open(entry->now.state, decision.is_commit));
  }
  if (auto checked = check_producer(entry, producer); !checked) return fail(checked);
  if (entry->now.state == TransactionState::ongoing) return true;
  return check_not_open(*entry, decision);
}

Result<bool> Transactions::check_not_open(const Entry& entry, Decision decision) const {
  // It may have asked for nothing that got here, and what did must not come later.
  bool raises = decision.protocol == TransactionProtocol::second;
  if (raises && !decision.is_commit) return true;
  // What it takes for open was lost before anything in it was acknowledged.
  if (entry.has_lost && !decision.is_commit) return false;
  auto asked =
      decision.is_commit ? TransactionState::complete_commit : TransactionState::complete_abort;
  if (!raises && entry.now.state == asked && !entry.has_lost) return false;
  return tl::unexpected(not_open(entry.now.state, decision.is_commit));
}

void Transactions::decide(Entry& entry, Decision decision, ProducerId next_id, InitDone done) {
  Transaction next = prepared(entry, decision.is_commit);
  next.protocol = decision.protocol;
  next.next = next_id;
  bool raises = decision.protocol == TransactionProtocol::second;
  if (raises && next.epoch < epoch_max) ++next.epoch;
  auto written = [this, &entry, raises, from = entry.now.epoch,
                  done = std::move(done)](Result<void> result) mutable {
    if (!result) return done(fail(result));
    if (raises) entry.last_epoch = entry.now.next < ProducerId{0} ? from : std::int16_t{-1};
    begin_ending(entry);
    done(ProducerIdentity{entry.now.producer, entry.now.epoch});
  };
  write(entry, std::move(next), std::move(written));
}

/// It names only what was written to. In any other partition a start may find what the producer
/// lost in a crash before, which is not this transaction's to end.
Transaction Transactions::prepared(const Entry& entry, bool is_commit) const {
  Transaction next = entry.now;
  next.state = is_commit ? TransactionState::prepare_commit : TransactionState::prepare_abort;
  next.partitions = entry.note ? entry.note->partitions : TransactionPartitions();
  if (entry.now.state != TransactionState::ongoing) {
    next.previous = ProducerId{-1};
    next.started_ms = std::max(clock_.wall_ms(), next.started_ms + 1);
  }
  return next;
}

}  // namespace leat::broker
