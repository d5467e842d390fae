// How batches with a producer id get into a partition's log: in the order in which they came,
// though the first of them has to wait until the log knows its producers, and the first of a
// transaction for the coordinator's word. And how what belongs to one transaction is kept out of
// the next: a marker that could not be written is written again, and ends what is open then.
#include <chrono>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/logging.h"
#include "broker/epoch_envelope.h"
#include "broker/partition.h"
#include "log/producer_table.h"

namespace leat::broker {
namespace {

/// Of the marker that ends a transaction which no coordinator knows.
constexpr std::int32_t no_coordinator = -1;
constexpr std::chrono::milliseconds orphan_retry_time{1000};

}  // namespace

void Partition::append_in_transaction(log::Batch batch, Kept kept, log::Log::AppendDone done) {
  auto view = record::BatchView::parse(batch.bytes);
  ASSERT(view && view->is_transactional());
  ProducerId producer = view->producer_id();
  std::int16_t epoch = view->producer_epoch();
  Entering entering{std::move(batch), std::move(done), producer, epoch, true};
  entering.kept = std::move(kept);
  enter(std::move(entering));
}

void Partition::enter(Entering entering) {
  // Until it is known who ends what a start found open, nothing gets behind that.
  if (entering_.empty() && has_asked_ && !must_ask(entering)) {
    return go(std::move(entering));
  }
  entering_.push_back(std::move(entering));
  if (!is_asking_) let_in();
}

bool Partition::must_ask(const Entering& entering) const {
  if (!entering.needs_transaction) return false;
  const log::Producer* known = log_->producers().find(entering.producer);
  return known == nullptr || !known->transaction || known->epoch != entering.epoch;
}

void Partition::let_in() {
  while (!entering_.empty()) {
    if (!has_asked_) {
      is_asking_ = true;
      return load_producers([this](const Result<void>& loaded) {
        is_asking_ = false;
        if (!loaded) return refuse_all(loaded.error());
        let_in();
      });
    }
    const Entering& first = entering_.front();
    // It is refused; asking would note that its transaction has what a lost one left here.
    bool meets_orphan = first.needs_transaction && orphans_.contains(first.producer);
    if (must_ask(first) && !meets_orphan) return ask(entering_.front());
    Entering next = std::move(entering_.front());
    entering_.pop_front();
    go(std::move(next));
  }
}

void Partition::ask(Entering& entering) {
  is_asking_ = true;
  ProducerId producer = entering.producer;
  auto known = unnoted_.find(producer);
  auto unnoted = known == unnoted_.end() ? std::make_shared<Unnoted>() : known->second;
  auto verdict = [self = shared_from_this(), unnoted](Result<void> admitted) {
    self->is_asking_ = false;
    Entering asked = std::move(self->entering_.front());
    self->entering_.pop_front();
    if (admitted) {
      self->unnoted_[asked.producer] = unnoted;
      self->go(std::move(asked));
    } else {
      asked.done(fail(admitted));
    }
    self->let_in();
  };
  auto noted = [weak = weak_from_this(), unnoted, producer](const Result<void>& result) {
    auto self = weak.lock();
    // It may be that of a transaction that is over.
    auto current = self ? self->unnoted_.find(producer) : decltype(known)();
    if (!self || current == self->unnoted_.end() || current->second != unnoted) return;
    if (result) return self->set_noted(producer, result);
    for (auto& answer : std::exchange(unnoted->answers, {})) answer(result);
  };
  environment_.transactions->admit(producer, entering.epoch, entering.adds, log_->id(),
                                   environment_.executor, std::move(verdict), std::move(noted));
}

void Partition::go(Entering entering) {
  if (auto checked = check_ended(entering); !checked) {
    environment_.executor.post(
        [done = std::move(entering.done), checked]() mutable { done(fail(checked)); });
    return;
  }
  // Its decision is durable, with all partitions: a note of them says no more.
  if (entering.is_marker) set_noted(entering.producer, {});
  auto found = unnoted_.find(entering.producer);
  bool is_noted = !entering.needs_transaction || found == unnoted_.end();
  if (is_noted && !entering.kept) {
    return append_checked(std::move(entering.batch), std::move(entering.done));
  }
  // Not looked for when it is done: there may be that of the next transaction then.
  auto done = [unnoted = is_noted ? nullptr : found->second, kept = std::move(entering.kept),
               done = std::move(entering.done)](Result<Offset> at) mutable {
    if (at && kept) kept(*at);
    if (!at || !unnoted) return done(std::move(at));
    auto answer = [at, done = std::move(done)](const Result<void>& noted) mutable {
      done(noted ? std::move(at) : fail(noted));
    };
    if (unnoted->outcome) return answer(*unnoted->outcome);
    unnoted->answers.emplace_back(std::move(answer));
  };
  append_checked(std::move(entering.batch), std::move(done));
}

Result<void> Partition::check_ended(const Entering& entering) const {
  const log::Producer* known = log_->producers().find(entering.producer);
  auto orphan = orphans_.find(entering.producer);
  bool has_orphan = orphan != orphans_.end() && known != nullptr && known->transaction &&
                    *known->transaction == orphan->second;
  // Until the abort is durable a crash may find the orphan again.
  bool is_kept_out =
      entering.needs_transaction ? orphan != orphans_.end() : has_orphan && entering.is_marker;
  if (is_kept_out) {
    return fail(Errc::request_timed_out, "a transaction that was lost is still being aborted here");
  }
  auto ending = ending_.find(entering.producer);
  if (!entering.needs_transaction || ending == ending_.end()) return {};
  if (known != nullptr && known->coordinator_epoch == ending->second) return {};
  return fail(Errc::request_timed_out, "the transaction before is still being ended here");
}

void Partition::set_noted(ProducerId producer, const Result<void>& outcome) {
  auto unnoted = unnoted_.extract(producer);
  if (unnoted.empty()) return;
  unnoted.mapped()->outcome = outcome;
  for (auto& answer : std::exchange(unnoted.mapped()->answers, {})) answer(outcome);
}

void Partition::refuse_all(const Error& error) {
  for (Entering& entering : std::exchange(entering_, {})) entering.done(tl::unexpected(error));
}

Partition::Entering Partition::make_marker(ProducerId producer, std::int16_t epoch,
                                           const record::EndMarker& marker,
                                           UniqueFunction<void(Result<Offset>)> done) {
  std::int64_t now_ms = environment_.clock.wall_ms();
  auto bytes = std::make_shared<Bytes>(record::build_end_marker(producer, epoch, marker, now_ms));
  auto written = [gate = environment_.transactions, id = log_->id(), producer,
                  is_commit = marker.is_commit, done = std::move(done)](Result<Offset> at) mutable {
    if (at && gate != nullptr) gate->decided(producer, id, is_commit, *at);
    done(std::move(at));
  };
  log::Batch batch{bytes, MutableBytes(*bytes), 1, now_ms};
  return {std::move(batch), std::move(written), producer, epoch, false, true};
}

void Partition::append_marker(ProducerId producer, std::int16_t epoch,
                              const record::EndMarker& marker,
                              UniqueFunction<void(Result<Offset>)> done) {
  if (marker.coordinator_epoch == no_coordinator) {
    return enter(make_marker(producer, epoch, marker, std::move(done)));
  }
  ending_[producer] = marker.coordinator_epoch;
  auto written = [weak = weak_from_this(), producer,
                  done = std::move(done)](Result<Offset> at) mutable {
    auto self = weak.lock();
    bool has_newer = !at && at.error().code == Errc::invalid_producer_epoch;
    if (self && (at || has_newer)) self->ending_.erase(producer);
    done(std::move(at));
  };
  enter(make_marker(producer, epoch, marker, std::move(written)));
}

void Partition::load_producers(UniqueFunction<void(Result<void>)> done) {
  // Once: what was begun since then was not found by a start.
  if (has_asked_) {
    environment_.executor.post([done = std::move(done)]() mutable { done({}); });
    return;
  }
  loading_.push_back(std::move(done));
  if (loading_.size() > 1) return;
  log_->load_producers(
      [self = shared_from_this()](const Result<void>& loaded) { self->producers_loaded(loaded); });
}

void Partition::producers_loaded(const Result<void>& loaded) {
  if (!loaded) {
    for (auto& done : std::exchange(loading_, {})) done(loaded);
    return;
  }
  orphans_left_ = 1;
  if (environment_.transactions != nullptr) {
    for (const auto& [id, producer] : log_->producers().producers()) {
      if (!producer.transaction) continue;
      ++orphans_left_;
      auto verdict = [self = shared_from_this(), id = id, begin = *producer.transaction,
                      epoch = producer.epoch](Result<void> adopted) {
        if (!adopted) {
          log_warning("{}-{}: aborting a transaction of producer {} that no coordinator knows",
                      self->topic_, self->id().value(), id.value());
          self->orphans_[id] = begin;
          self->end_orphan(id, epoch);
        }
        self->orphans_ended();
      };
      environment_.transactions->adopt(id, producer.coordinator_epoch, log_->id(),
                                       environment_.executor, std::move(verdict));
    }
  }
  orphans_ended();
}

void Partition::end_orphan(ProducerId producer, std::int16_t epoch) {
  auto written = [weak = weak_from_this(), producer, epoch](const Result<Offset>& at) {
    auto self = weak.lock();
    if (!self) return;
    if (at) {
      self->orphans_.erase(producer);
      return;
    }
    self->environment_.executor.after(orphan_retry_time, [weak, producer, epoch] {
      auto partition = weak.lock();
      bool is_there = partition && !partition->is_gone_;
      if (is_there) partition->end_orphan(producer, epoch);
    });
  };
  Entering marker = make_marker(producer, epoch, {false, no_coordinator}, written);
  append_checked(std::move(marker.batch), std::move(marker.done));
}

void Partition::orphans_ended() {
  if (--orphans_left_ > 0) return;
  has_asked_ = true;
  for (auto& done : std::exchange(loading_, {})) done({});
}

Result<log::Batch> Partition::check_epoch(std::shared_ptr<const void> owner,
                                          MutableBytes records) const {
  // The newest version's rules: a runtime has no old client to be kind to.
  constexpr int produce_version = 9;
  return check(std::move(owner), records, produce_version, environment_.clock.wall_ms(), nullptr);
}

void Partition::end_epoch(ProducerId producer, const record::EndMarker& marker,
                          UniqueFunction<void(Result<Offset>)> done) {
  const log::Producer* known = log_->has_producers() ? log_->producers().find(producer) : nullptr;
  bool is_open = known != nullptr && known->transaction;
  if (marker.is_commit && is_open) log_->commit_before_marker(producer);
  if (!has_asked_) {
    return load_producers([self = shared_from_this(), producer, marker,
                           done = std::move(done)](const Result<void>& loaded) mutable {
      if (!loaded) return done(fail(loaded));
      self->end_epoch(producer, marker, std::move(done));
    });
  }
  std::int64_t now_ms = environment_.clock.wall_ms();
  auto bytes = std::make_shared<Bytes>(
      record::build_end_marker(producer, epoch_producer_epoch, marker, now_ms));
  log::Batch batch{bytes, MutableBytes(*bytes), 1, now_ms};
  // Readers wait for the abort, and nobody for the commit.
  batch.can_wait = marker.is_commit;
  batch.is_essential = true;
  append_checked(std::move(batch), std::move(done));
}

}  // namespace leat::broker
