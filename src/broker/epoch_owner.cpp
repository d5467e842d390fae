#include "broker/epoch_owner.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/logging.h"
#include "broker/broker.h"
#include "broker/producer_ids.h"
#include "record/batch.h"

namespace leat::broker {
namespace {

/// Before a last epoch is looked at again that could not be.
constexpr std::chrono::milliseconds resolve_pause{5000};
constexpr std::uint32_t sequence_mask = 0x7fff'ffff;

std::int32_t add_sequence(std::int32_t sequence, std::int32_t records) {
  auto sum = static_cast<std::uint32_t>(sequence) + static_cast<std::uint32_t>(records);
  return static_cast<std::int32_t>(sum & sequence_mask);
}

}  // namespace

/// Makes the batches the producer's, on the caller's thread, and takes the rest home.
class EpochOwner::Writer final : public EpochWriter {
 public:
  Writer(std::shared_ptr<EpochOwner> owner, std::shared_ptr<Lease> lease)
      : owner_(std::move(owner)),
        lease_(std::move(lease)),
        home_(owner_->broker_.executor()),
        producer_(lease_->producer),
        topic_(owner_->topic_name_) {}

  void commit(Bytes record, std::vector<Output> output, Done done) override {
    Result<void> stamped = stamp(output);
    home_.post([owner = owner_, lease = lease_, stamped = std::move(stamped),
                record = std::move(record), output = std::move(output),
                once = Once<void>(std::move(done), "the broker has gone")]() mutable {
      if (!stamped && !lease->refusal) lease->refusal = stamped.error();
      owner->commit(lease, std::move(record), std::move(output), std::move(once));
    });
  }

  const std::string& topic() const override { return topic_; }

 private:
  Result<void> stamp(std::vector<Output>& output) {
    for (Output& each : output) {
      auto batch = record::BatchView::parse(each.batch);
      if (!batch) return fail(batch);
      if (batch->has_producer_id() || batch->is_control() || batch->record_count() == 0) {
        return fail(Errc::invalid_record, "an epoch's output is no plain batch of records");
      }
      std::int32_t& sequence = sequences_[each.partition];
      std::int32_t records = batch->record_count();
      record::set_transaction(each.batch, producer_, epoch_producer_epoch, sequence);
      sequence = add_sequence(sequence, records);
    }
    return {};
  }

  const std::shared_ptr<EpochOwner> owner_;
  const std::shared_ptr<Lease> lease_;  // home's
  Executor& home_;
  const ProducerId producer_;
  const std::string topic_;
  /// Of the next record in each partition. One commit at a time uses them.
  std::map<TopicPartition, std::int32_t> sequences_;
};

EpochOwner::EpochOwner(Broker& broker, std::string name)
    : broker_(broker),
      name_(std::move(name)),
      topic_name_(epochs_topic(name_)),
      ends_(std::make_shared<EpochEnds>(broker, name_)) {}

void EpochOwner::read() {
  topic_ = broker_.find_partition(topic_name_, PartitionId{0});
  if (!topic_) return;
  auto last = read_last_epoch(*topic_->view());
  if (!last) {
    unread_ = Error{last.error().code, fmt::format("the last epoch in {} cannot be read: {}",
                                                   topic_name_, last.error().what)};
    return log_error("{}", unread_->what);
  }
  last_ = std::move(*last);
}

bool EpochOwner::has(ProducerId producer) const {
  return (lease_ && lease_->producer == producer) || (last_ && last_->producer == producer);
}

void EpochOwner::adopt(ProducerId producer, const TopicPartition& partition, Epochs::Known known) {
  if (!last_ || last_->producer != producer) return known(false);
  auto is_there = [&](const EpochPlace& place) { return place.partition == partition; };
  const EpochEnvelope& envelope = last_->envelope;
  bool is_listed = partition == topic_->log().id() ||
                   std::any_of(envelope.places.begin(), envelope.places.end(), is_there) ||
                   std::any_of(envelope.ended.begin(), envelope.ended.end(), is_there);
  if (!is_listed || last_->state == LastEpoch::State::aborted) return known(false);
  // Where it cannot be resolved yet, it is tried again.
  resolve([known = std::move(known)](const Result<void>&) mutable { known(true); });
}

void EpochOwner::resolve(Epochs::Done then) {
  if (!last_ || is_resolved_) return then({});
  resolving_.push_back(std::move(then));
  if (resolving_.size() > 1) return;
  auto recovery = std::make_shared<EpochRecovery>(broker_, topic_->log().id(), *last_);
  recovery->start([weak = weak_from_this()](const Result<std::vector<EpochEnding>>& ends) {
    if (auto self = weak.lock()) self->resolved(ends);
  });
}

void EpochOwner::resolved(const Result<std::vector<EpochEnding>>& ends) {
  auto waiting = std::exchange(resolving_, {});
  if (ends) {
    is_resolved_ = true;
    if (last_->state == LastEpoch::State::open) {
      log_info("the last epoch of '{}', which had not been ended, is {}", name_,
               ends->back().is_commit ? "committed" : "aborted");
    }
    for (const EpochEnding& end : *ends) ends_->end(end, nullptr);
    for (auto& then : waiting) then({});
    return;
  }
  log_warning("the last epoch of '{}' cannot be looked at yet: {}", name_, ends.error().what);
  broker_.executor().after(resolve_pause, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->resolve([](const Result<void>&) {});
  });
  for (auto& then : waiting) then(fail(ends));
}

void EpochOwner::open(Epochs::OpenDone done) {
  requests_.push_back({std::move(done), nullptr});
  next();
}

void EpochOwner::remove(Epochs::Done done) {
  requests_.push_back({nullptr, std::move(done)});
  next();
}

void EpochOwner::next() {
  if (is_serving_ || requests_.empty()) return;
  is_serving_ = true;
  if (lease_ && !lease_->refusal) {
    lease_->refusal = Error{Errc::producer_fenced,
                            fmt::format("the epochs of '{}' were opened again or removed", name_)};
  }
  settle();
}

void EpochOwner::settle() {
  if (!is_serving_ || is_committing_) return;
  bool is_removal = !requests_.front().open;
  if (unread_) return is_removal ? serve() : answer(*unread_);
  // Both are its own: where it waited for them itself, a broker that ends would leave it behind.
  resolve([weak = weak_from_this()](const Result<void>& found) {
    auto self = weak.lock();
    if (!self) return;
    if (!found) return self->answer(found.error());
    self->ends_->when_done([weak](const Result<void>& ended) {
      auto waiting = weak.lock();
      if (!waiting) return;
      if (!ended) return waiting->answer(ended.error());
      waiting->serve();
    });
  });
}

void EpochOwner::serve() {
  last_.reset();
  lease_.reset();
  if (requests_.front().open) {
    serve_open();
  } else {
    serve_remove();
  }
}

void EpochOwner::serve_open() {
  topic_ = broker_.find_partition(topic_name_, PartitionId{0});
  if (topic_) {
    return topic_->load_producers([weak = weak_from_this()](const Result<void>& loaded) {
      auto self = weak.lock();
      if (!self) return;
      if (!loaded) return self->answer(loaded.error());
      self->draw();
    });
  }
  NewTopic topic;
  topic.name = topic_name_;
  topic.partitions = 1;
  topic.configs = {{"retention.ms", "-1"}, {"segment.bytes", "104857600"}};
  topic.is_own = true;
  broker_.create_topic(topic, [weak = weak_from_this()](const Result<TopicInfo>& made) {
    auto self = weak.lock();
    if (!self) return;
    if (!made) return self->answer(made.error());
    self->serve_open();
  });
}

void EpochOwner::draw() {
  broker_.producer_ids().draw([weak = weak_from_this()](const Result<ProducerId>& drawn) {
    if (auto self = weak.lock()) self->give(drawn);
  });
}

void EpochOwner::give(const Result<ProducerId>& producer) {
  if (!producer) return answer(producer.error());
  is_removed_ = false;
  lease_ = std::make_shared<Lease>();
  lease_->producer = *producer;
  Epochs::OpenDone done = std::move(requests_.front().open);
  std::shared_ptr<EpochWriter> writer = std::make_shared<Writer>(shared_from_this(), lease_);
  answered();
  done(std::move(writer));
  next();
}

void EpochOwner::serve_remove() {
  TopicPtr topic = broker_.find_topic(topic_name_);
  auto removed = [weak = weak_from_this()](const Result<void>& gone) {
    auto self = weak.lock();
    if (!self) return;
    if (!gone) return self->answer(gone.error());
    self->topic_.reset();
    self->unread_.reset();
    self->is_removed_ = true;
    Epochs::Done done = std::move(self->requests_.front().remove);
    self->answered();
    done({});
    self->next();
  };
  if (topic) return broker_.delete_own_topic(topic->info.id, removed);
  broker_.executor().post([removed] { removed({}); });
}

void EpochOwner::answer(const Error& error) {
  broker_.executor().post([self = shared_from_this(), error] {
    Request request = std::move(self->requests_.front());
    self->answered();
    if (request.open) {
      request.open(tl::unexpected(error));
    } else {
      request.remove(tl::unexpected(error));
    }
    self->next();
  });
}

void EpochOwner::answered() {
  requests_.pop_front();
  is_serving_ = false;
}

void EpochOwner::commit(const std::shared_ptr<Lease>& lease, Bytes record,
                        std::vector<EpochWriter::Output> output, Once<void> done) {
  if (lease->refusal) return done(tl::unexpected(*lease->refusal));
  ASSERT(!is_committing_);
  is_committing_ = true;
  EpochCommit::Epoch epoch{lease->producer,   lease->epochs % epoch_numbers,
                           lease->epochs,     std::move(record),
                           std::move(output), ends_->undone()};
  lease->epochs = add_sequence(lease->epochs, 1);
  auto commit = std::make_shared<EpochCommit>(broker_, topic_, std::move(epoch), lease->loaded);
  commit->start([self = shared_from_this(), lease,
                 done = std::move(done)](const EpochCommit::Outcome& outcome) mutable {
    self->committed(lease, outcome, std::move(done));
  });
}

void EpochOwner::committed(const std::shared_ptr<Lease>& lease, const EpochCommit::Outcome& outcome,
                           Once<void> done) {
  bool is_commit = !outcome.error;
  EpochEnding end{lease->producer, is_commit, outcome.places, outcome.record};
  if (is_commit) {
    return ends_->end(end, [self = shared_from_this(), done = std::move(done)]() mutable {
      self->is_committing_ = false;
      done({});
      self->settle();
    });
  }
  if (!lease->refusal) {
    lease->refusal = outcome.error;
    log_warning("an epoch of '{}' is aborted: {}", name_, outcome.error->what);
  }
  ends_->end(end, nullptr);
  is_committing_ = false;
  done(tl::unexpected(*outcome.error));
  settle();
}

}  // namespace leat::broker
