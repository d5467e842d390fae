#include "client/partition_queue.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace leat::client {

void PartitionQueue::push(ProduceBatch batch) {
  ASSERT(waiting_.empty() || waiting_.back().number < batch.number);
  waiting_.push_back(std::move(batch));
}

bool PartitionQueue::has_doubts() const {
  return std::any_of(waiting_.begin(), waiting_.end(),
                     [](const ProduceBatch& batch) { return batch.possibly_persisted; });
}

bool PartitionQueue::can_send(std::int32_t broker, Time now) const {
  if (under_way_.empty()) return true;
  if (!is_numbered() || broker != broker_) return false;
  if (!waiting_.empty() && waiting_.front().numbering) return false;
  // After a gap only what is in doubt goes, and that alone.
  bool is_remembered = next_ordinal_ - under_way_.front().ordinal < max_in_flight;
  return now < known_until_ && !is_broken_ && is_remembered;
}

bool PartitionQueue::needs_producer(const ProducerEpoch& producer) const {
  if (!is_numbered() || (!waiting_.empty() && waiting_.front().numbering)) return false;
  return !producer_.is_known() && !producer.is_known();
}

ProduceBatch PartitionQueue::take(std::int32_t broker, const ProducerEpoch& producer) {
  ProduceBatch batch = std::move(waiting_.front());
  waiting_.pop_front();
  if (is_numbered() && !batch.numbering) {
    bool is_other = mode_ == Mode::transactional ? producer_ != producer : !producer_.is_known();
    if (is_other) begin_epoch(producer);
    batch.numbering = Numbering{producer_, next_sequence_};
    next_sequence_ = sequence_after(next_sequence_, batch.record_count);
    batch.ordinal = next_ordinal_++;
  }
  under_way_.push_back({batch.number, batch.ordinal});
  broker_ = broker;
  return batch;
}

void PartitionQueue::came_back(const ProduceBatch& batch) {
  auto found = std::find_if(under_way_.begin(), under_way_.end(),
                            [&](const UnderWay& one) { return one.number == batch.number; });
  ASSERT(found != under_way_.end());
  under_way_.erase(found);
}

void PartitionQueue::acknowledged(const ProduceBatch& batch, Time now) {
  if (batch.numbering) known_until_ = now + producer_remembered;
}

void PartitionQueue::retry(ProduceBatch batch) {
  auto place = std::find_if(waiting_.begin(), waiting_.end(), [&](const ProduceBatch& waiting) {
    return waiting.number > batch.number;
  });
  waiting_.insert(place, std::move(batch));
}

void PartitionQueue::gave_up(const ProduceBatch& batch) {
  if (!batch.numbering) return;
  is_broken_ = true;
  has_lost_ |= batch.possibly_persisted;
}

void PartitionQueue::split(std::pair<ProduceBatch, ProduceBatch> halves) {
  ++next_ordinal_;
  retry(std::move(halves.first));
  retry(std::move(halves.second));
}

void PartitionQueue::doubt(ProduceBatch& batch) const {
  if (!batch.numbering || batch.number < absent_from_) batch.possibly_persisted = true;
}

bool PartitionQueue::is_first(const ProduceBatch& batch) const {
  return (under_way_.empty() || under_way_.front().number > batch.number) &&
         (waiting_.empty() || waiting_.front().number > batch.number);
}

PartitionQueue::Refusal PartitionQueue::refused_sequence(ProduceBatch& batch, bool is_unknown) {
  if (batch.number >= absent_from_) return Refusal::renumber;
  if (!is_first(batch)) return Refusal::wait;
  if (mode_ == Mode::transactional) return Refusal::give_up;
  // An attempt at it may be on its way still, behind one at what was given up. Or the broker has
  // forgotten, with the producer, that the batch is there.
  if (batch.possibly_persisted && (has_lost_ || is_unknown)) return Refusal::give_up;
  if (is_unknown) known_until_ = {};
  is_broken_ = true;
  absent_from_ = batch.number;
  batch.possibly_persisted = false;
  for (ProduceBatch& behind : waiting_) behind.possibly_persisted = false;
  return Refusal::renumber;
}

void PartitionQueue::begin_epoch(ProducerEpoch producer) {
  // Of a producer that it knows a broker takes nothing but 0 in a new epoch.
  if (producer.id != producer_.id) known_until_ = {};
  producer_ = producer;
  next_sequence_ = 0;
  is_broken_ = has_lost_ = false;
  absent_from_ = none;
}

std::optional<ProducerId> PartitionQueue::renumber_if_due() {
  if (!is_broken_ || mode_ != Mode::idempotent || !under_way_.empty() || has_doubts())
    return std::nullopt;
  for (ProduceBatch& batch : waiting_) batch.numbering.reset();
  ProducerId id = producer_.id;
  if (producer_.epoch == std::numeric_limits<std::int16_t>::max()) {
    begin_epoch({});
    return id;
  }
  begin_epoch({id, static_cast<std::int16_t>(producer_.epoch + 1)});
  return std::nullopt;
}

}  // namespace leat::client
