// How batches with a producer id get into a partition's log: in the order in which they came,
// though the first of them has to wait until the log knows its producers, and the first of a
// transaction for the coordinator's word.
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/logging.h"
#include "broker/partition.h"
#include "log/producer_table.h"

namespace leat::broker {
namespace {

/// Of the marker that ends a transaction which no coordinator knows.
constexpr std::int32_t no_coordinator = -1;

}  // namespace

void Partition::append_checked(log::Batch batch, log::Log::AppendDone done) {
  // Shared, because append() either keeps the callback or refuses and leaves it to us.
  auto shared = std::make_shared<log::Log::AppendDone>(std::move(done));
  auto appended = log_->append(std::move(batch), [shared](Result<Offset> base_offset) {
    (*shared)(std::move(base_offset));
  });
  if (appended) return;
  environment_.executor.post(
      [shared, error = appended.error()] { (*shared)(tl::unexpected(error)); });
}

void Partition::enter(Entering entering) {
  if (entering_.empty() && log_->has_producers() && !must_ask(entering)) {
    return append_checked(std::move(entering.batch), std::move(entering.done));
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
    if (!log_->has_producers()) {
      is_asking_ = true;
      return load_producers([this](const Result<void>& loaded) {
        is_asking_ = false;
        if (!loaded) return refuse_all(loaded.error());
        let_in();
      });
    }
    Entering& first = entering_.front();
    if (must_ask(first)) {
      is_asking_ = true;
      auto verdict = [self = shared_from_this()](Result<void> admitted) {
        self->is_asking_ = false;
        Entering asked = std::move(self->entering_.front());
        self->entering_.pop_front();
        if (admitted) {
          self->append_checked(std::move(asked.batch), std::move(asked.done));
        } else {
          asked.done(fail(admitted));
        }
        self->let_in();
      };
      return environment_.transactions->admit(first.producer, first.epoch, log_->id(),
                                              environment_.executor, std::move(verdict));
    }
    Entering next = std::move(entering_.front());
    entering_.pop_front();
    append_checked(std::move(next.batch), std::move(next.done));
  }
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
    if (at && gate != nullptr) gate->decided(producer, id, is_commit);
    done(std::move(at));
  };
  log::Batch batch{bytes, MutableBytes(*bytes), 1, now_ms};
  return {std::move(batch), std::move(written), producer, epoch, false};
}

void Partition::append_marker(ProducerId producer, std::int16_t epoch,
                              const record::EndMarker& marker,
                              UniqueFunction<void(Result<Offset>)> done) {
  enter(make_marker(producer, epoch, marker, std::move(done)));
}

void Partition::load_producers(UniqueFunction<void(Result<void>)> done) {
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
    std::vector<std::pair<ProducerId, std::int16_t>> open;
    for (const auto& [id, producer] : log_->producers().producers()) {
      if (producer.transaction) open.emplace_back(id, producer.epoch);
    }
    orphans_left_ += open.size();
    for (const auto& [id, epoch] : open) {
      auto verdict = [self = shared_from_this(), id = id, epoch = epoch](Result<void> adopted) {
        if (!adopted) self->end_orphan(id, epoch);
        self->orphans_ended();
      };
      environment_.transactions->adopt(id, log_->id(), environment_.executor, std::move(verdict));
    }
  }
  orphans_ended();
}

void Partition::end_orphan(ProducerId producer, std::int16_t epoch) {
  log_warning("{}-{}: aborting a transaction of producer {} that no coordinator knows", topic_,
              id().value(), producer.value());
  Entering marker =
      make_marker(producer, epoch, {false, no_coordinator}, [](const Result<Offset>&) {});
  append_checked(std::move(marker.batch), std::move(marker.done));
}

void Partition::orphans_ended() {
  if (--orphans_left_ > 0) return;
  for (auto& done : std::exchange(loading_, {})) done({});
}

}  // namespace leat::broker
