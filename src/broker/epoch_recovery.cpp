#include "broker/epoch_recovery.h"

#include <algorithm>
#include <map>
#include <utility>

#include "broker/broker.h"
#include "log/aborted_transactions.h"
#include "log/producer_table.h"
#include "record/batch.h"

namespace leat::broker {
namespace {

bool covers(const std::vector<log::OffsetRange>& ranges, Offset offset) {
  return std::any_of(ranges.begin(), ranges.end(), [offset](const log::OffsetRange& range) {
    return range.base <= offset && offset < range.next;
  });
}

/// Whether the epoch's last record was there and cannot be read any more.
bool is_lost(const log::LogView& view, const EpochPlace& place) {
  Offset last{place.next_offset.value() - 1};
  return last < view.start_offset || covers(view.damaged, last) || covers(view.gaps, last);
}

/// Whether a sequence is one of the next 2^30 behind another.
bool stands_behind(std::int32_t sequence, std::int32_t other) {
  std::uint32_t steps = static_cast<std::uint32_t>(sequence) - static_cast<std::uint32_t>(other);
  return (steps & 0x7fff'ffffU) < (std::uint32_t{1} << 30);
}

}  // namespace

EpochRecovery::EpochRecovery(Broker& broker, const TopicPartition& topic, LastEpoch last)
    : broker_(broker), topic_(topic), last_(std::move(last)) {}

void EpochRecovery::start(Done done) {
  done_ = std::move(done);
  left_ = 1;
  if (last_.state != LastEpoch::State::aborted) {
    for (const EpochPlace& place : last_.envelope.places) {
      looks_.push_back(std::make_shared<Look>(Look{place, false}));
    }
    for (const EpochPlace& place : last_.envelope.ended) {
      looks_.push_back(std::make_shared<Look>(Look{place, true}));
    }
  }
  for (const auto& at : looks_) look_at(at);
  broker_.executor().post([self = shared_from_this()] { self->looked({}); });
}

void EpochRecovery::look_at(const std::shared_ptr<Look>& at) {
  if (is_deleted(*at)) return;
  ++left_;
  Executor& home = broker_.executor();
  // Not by the partition, which itself asks what becomes of what it finds open.
  at->partition->executor().post([self = shared_from_this(), at, &home] {
    at->partition->log().load_producers([self, at, &home](Result<void> looked) {
      if (looked) looked = look(at->partition->log(), self->last_.producer, *at);
      // From now on there is a last stable offset, which other transactions may hold back.
      at->partition->load_producers([](const Result<void>&) {});
      home.post([self, at, looked] {
        // Its files may have gone meanwhile.
        bool is_over = looked || self->is_deleted(*at);
        self->looked(is_over ? Result<void>() : looked);
      });
    });
  });
}

/// A topic that was deleted may have had its part of the epoch.
bool EpochRecovery::is_deleted(Look& at) const {
  at.partition = broker_.find_remaining(at.place.partition);
  if (at.partition) return false;
  at.standing = Standing::committed;
  return true;
}

Result<void> EpochRecovery::look(const log::Log& log, ProducerId producer, Look& at) {
  const EpochPlace& place = at.place;
  const log::Producer* known = log.producers().find(producer);
  bool is_open = known != nullptr && known->transaction;
  const log::RememberedBatch* newest = known == nullptr || known->batch_count == 0
                                           ? nullptr
                                           : &known->batches[known->batch_count - 1U];
  bool is_its = newest != nullptr && newest->last_sequence == place.last_sequence;
  bool is_later =
      newest != nullptr && !is_its && stands_behind(newest->last_sequence, place.last_sequence);
  if (is_later) {
    // The next epoch begins when this one is committed.
    at.standing = Standing::committed;
    at.has_stray = is_open;
  } else if (is_its && newest->is_lost()) {
    at.standing = Standing::aborted;
  } else if (is_its || is_lost(*log.view(), place)) {
    bool is_aborted =
        is_its && !is_open &&
        known->coordinator_epoch == epoch_marker(place.number, false).coordinator_epoch;
    at.standing = is_open ? Standing::open : is_aborted ? Standing::aborted : Standing::committed;
  } else if (newest == nullptr && !is_open) {
    auto standing = look_for_batch(*log.view(), producer, place);
    if (!standing) return fail(standing);
    at.standing = *standing;
  } else {
    at.has_stray = is_open;
  }
  return {};
}

// Where nothing is remembered of the producer: either nothing of it was there, or what was there
// has been ended, and it was not heard of for long. Its newest batch stays through compactions.
Result<EpochRecovery::Standing> EpochRecovery::look_for_batch(const log::LogView& view,
                                                              ProducerId producer,
                                                              const EpochPlace& place) {
  Offset last{place.next_offset.value() - 1};
  if (last < Offset{0} || last >= view.high_watermark) return Standing::missing;
  auto slice = view.read(last, 0);
  // Damage that nobody had met before.
  if (!slice && slice.error().code == Errc::corrupt_message) return Standing::committed;
  if (!slice) return fail(slice);
  Bytes bytes(slice->bytes);
  auto got = slice->file->read_at(slice->position, bytes);
  if (!got) return fail(got);
  bytes.resize(*got);
  auto batch = record::BatchView::parse(bytes);
  if (!batch) return fail(batch);
  bool is_its = !batch->is_control() && batch->producer_id() == producer &&
                batch->last_sequence() == place.last_sequence;
  if (!is_its) return Standing::missing;
  auto aborted = view.aborted ? view.aborted->all() : std::vector<log::AbortedTransaction>{};
  bool is_aborted = std::any_of(aborted.begin(), aborted.end(), [&](const auto& transaction) {
    return transaction.producer == producer && transaction.first <= last && last < transaction.last;
  });
  return is_aborted ? Standing::aborted : Standing::committed;
}

void EpochRecovery::looked(const Result<void>& result) {
  if (!result && !error_) error_ = result.error();
  if (--left_ > 0) return;
  if (error_) return std::exchange(done_, nullptr)(tl::unexpected(*error_));
  std::exchange(done_, nullptr)(decide());
}

std::vector<EpochEnding> EpochRecovery::decide() const {
  if (last_.state == LastEpoch::State::aborted) return {};
  auto has_it = [](const auto& at) {
    return at->is_ended || at->standing == Standing::open || at->standing == Standing::committed;
  };
  bool is_decided = last_.state == LastEpoch::State::committed;
  bool is_commit = is_decided || std::all_of(looks_.begin(), looks_.end(), has_it);
  EpochEnding before{last_.producer, true};
  EpochEnding newest{last_.producer, is_commit};
  std::map<TopicPartition, EpochPlace> strays;
  for (const auto& at : looks_) {
    EpochEnding& ending = at->is_ended ? before : newest;
    if (at->standing == Standing::open) ending.places.push_back(at->place);
    if (at->has_stray) strays[at->place.partition] = at->place;
  }
  for (const auto& place : before.places) strays.erase(place.partition);
  for (const auto& place : newest.places) strays.erase(place.partition);
  EpochEnding behind{last_.producer, false};
  for (auto& [where, place] : strays) {
    // Not known again for the marker of the one before.
    place.number = (last_.envelope.number + 1) % epoch_numbers;
    behind.places.push_back(place);
  }
  if (!is_decided) newest.record = EpochPlace{topic_, last_.envelope.number, -1, Offset{0}};
  return {std::move(before), std::move(behind), std::move(newest)};
}

}  // namespace leat::broker
