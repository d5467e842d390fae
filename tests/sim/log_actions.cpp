// What a simulation does to a store that is open.
#include <algorithm>
#include <utility>

#include "record/builder.h"
#include "sim/log_simulation.h"

namespace leat::sim {

log::LogOptions LogSimulation::draw_options() {
  log::LogOptions options;
  options.segment_bytes = std::int64_t{1} << random_.between(11, 17);
  if (random_.one_in(2)) options.segment_ms = random_.between(1000, day_ms);
  options.retention_ms = random_.one_in(2) ? -1 : random_.between(1000, 2 * day_ms);
  if (random_.one_in(3)) options.retention_bytes = std::int64_t{1} << random_.between(8, 17);
  options.index_interval_bytes = std::int64_t{1} << random_.between(6, 14);
  return options;
}

ModelBatch LogSimulation::draw_batch() {
  ModelBatch model;
  record::BatchBuilder builder;
  std::int64_t records = random_.one_in(4) ? random_.between(2, 12) : 1;
  for (std::int64_t i = 0; i < records; ++i) {
    std::int64_t now = executor_.wall_ms();
    std::int64_t timestamp = now - random_.between(0, 5000);
    if (random_.one_in(30)) timestamp = now + random_.between(-400 * day_ms, 400 * day_ms);
    std::string value = fmt::format("value {} of append {} ", i, last_serial_ + 1);
    std::int64_t length = random_.between(0, random_.one_in(8) ? 6000 : 100);
    value.append(static_cast<std::size_t>(length), static_cast<char>('a' + random_.below(26)));
    builder.append(timestamp, std::nullopt, as_bytes(value));
    model.timestamps_ms.push_back(timestamp);
  }
  record::BatchOptions options;
  if (random_.one_in(6)) options.compression = record::Compression::lz4;
  model.records = static_cast<std::int32_t>(records);
  model.bytes = builder.build(options);
  model.appended_ms = executor_.wall_ms();
  model.serial = ++last_serial_;
  return model;
}

LogSimulation::Partition& LogSimulation::draw_partition() {
  return *partitions_[random_.below(partitions_.size())];
}

Offset LogSimulation::draw_offset(const Partition& partition) {
  std::int64_t start = partition.log->start_offset().value();
  std::int64_t end = partition.log->high_watermark().value();
  return Offset{random_.between(start, end)};
}

void LogSimulation::act() {
  auto draw = random_.below(100);
  if (draw < 40) return append();
  if (draw < 58) return pass_time();
  if (draw < 68) return read();
  if (draw < 74) return look_up();
  if (draw < 78) return read_pinned();
  if (draw < 81) return advance_start();
  if (draw < 86) return retain();
  if (draw < 88) return change_options();
  if (draw < 89) return replace_partition();
  if (draw < 91) return accept_loss();
  if (draw < 92) return open_twice();
  if (draw < 97) return mend_disk();
  if (with_failing_disk_) return break_disk();
}

void LogSimulation::append() {
  Partition& partition = draw_partition();
  if (!partition.log) return;
  std::int64_t count = random_.one_in(4) ? random_.between(1, 12) : 1;
  for (std::int64_t i = 0; i < count && alive(); ++i) append_to(partition);
}

void LogSimulation::append_to(Partition& partition) {
  ModelBatch batch = draw_batch();
  auto owner = std::make_shared<Bytes>(batch.bytes);
  std::int64_t largest = *std::ranges::max_element(batch.timestamps_ms);
  std::uint64_t serial = batch.serial;
  auto given = std::make_shared<Offset>();
  auto base =
      partition.log->append({owner, *owner, batch.records, largest},
                            [this, &partition, serial, given, life = life_](Result<Offset> result) {
                              if (life == life_ && !files_.stopped())
                                on_append_done(partition, serial, *given, result);
                            });
  if (files_.stopped()) return;
  if (!base) {
    trace("partition {}: append refused: {}", partition.id.partition.value(), base.error().what);
    bool excused = faults_.disk_limited || faults_.reads_fail || faults_.writes_fail ||
                   faults_.sync_failed || base.error().code == Errc::request_timed_out;
    if (!excused) object("append refused: " + base.error().what);
    return;
  }
  *given = *base;
  LogModel& model = partition.model;
  if (*base > model.end) {
    object(fmt::format("append got {} behind the end {}", base->value(), model.end.value()));
    return;
  }
  // An earlier offset again: those that had it have failed and will be told so.
  if (*base < model.end && !model.roll_back(*base)) object("an acknowledged offset is given again");
  batch.base = *base;
  model.end = batch.next();
  trace("partition {}: append {} gets [{}, {}), {} bytes", partition.id.partition.value(), serial,
        base->value(), model.end.value(), batch.bytes.size());
  model.batches[*base] = std::move(batch);
  ++pending_appends_;
}

void LogSimulation::on_append_done(Partition& partition, std::uint64_t serial, Offset given,
                                   const Result<Offset>& result) {
  LogModel& model = partition.model;
  --pending_appends_;
  auto found = model.batches.find(given);
  bool known = found != model.batches.end() && found->second.serial == serial;
  if (partition.removed) return;
  if (result) {
    if (!known || *result != given) {
      object(fmt::format("append {} is answered with {} after it failed", serial, result->value()));
    } else {
      found->second.acknowledged = true;
    }
    return;
  }
  trace("append {} at {} failed: {}", serial, given.value(), result.error().what);
  bool excused =
      faults_.disk_limited || faults_.reads_fail || faults_.writes_fail || faults_.sync_failed;
  if (!excused) object("append failed: " + result.error().what);
  if (known && !model.roll_back(given)) object("an append failed after a later one was answered");
}

void LogSimulation::pass_time() {
  std::int64_t ms = random_.one_in(20)  ? random_.between(1000, 3 * day_ms)
                    : random_.one_in(3) ? random_.between(10, 2000)
                                        : random_.between(0, 5);
  executor_.run_for(std::chrono::milliseconds(ms));
  if (!alive()) return;
  for (auto& partition : partitions_) {
    if (!partition->log) continue;
    if (partition->told_high_watermark == partition->log->high_watermark()) continue;
    executor_.run_for(std::chrono::milliseconds(1));
    if (alive() && partition->told_high_watermark != partition->log->high_watermark()) {
      object("nobody was told of the new high watermark");
    }
  }
}

void LogSimulation::read() {
  Partition& partition = draw_partition();
  if (!partition.log) return;
  auto view = partition.log->view();
  if (random_.one_in(10)) {
    object(check_all(partition.model, *view, excuses()));
    return;
  }
  if (random_.one_in(10)) {
    bool below = random_.one_in(2) && view->start_offset > Offset{0};
    auto outside = view->read(below ? view->start_offset - 1 : view->high_watermark + 1, 100);
    if (outside || outside.error().code != Errc::offset_out_of_range) {
      object("a read outside of the log is not out of range");
    }
    return;
  }
  Offset from = draw_offset(partition);
  auto max_bytes = std::uint64_t{1} << random_.between(0, 16);
  Offset at = from;
  object(check_read(partition.model, *view, max_bytes, excuses(), at));
  if (!random_.one_in(3)) return;
  auto slice = view->read(from, max_bytes);
  if (!slice || slice->bytes == 0) return;
  auto bytes = read_slice(*slice);
  if (bytes) pinned_.push_back({*slice, std::move(*bytes)});
}

void LogSimulation::read_pinned() {
  if (pinned_.empty() || faults_.reads_fail) return;
  const PinnedSlice& pinned = pinned_[random_.below(pinned_.size())];
  auto again = read_slice(pinned.slice);
  if (!again) {
    object("a slice that is held cannot be read: " + again.error().what);
  } else if (*again != pinned.bytes) {
    object("a slice that is held changed");
  }
}

void LogSimulation::look_up() {
  Partition& partition = draw_partition();
  if (!partition.log) return;
  auto view = partition.log->view();
  if (random_.one_in(4)) {
    object(check_max_timestamp(partition.model, *view, excuses()));
    return;
  }
  std::int64_t timestamp = executor_.wall_ms() + random_.between(-20000, 100);
  auto known = partition.model.timestamp_at(draw_offset(partition));
  if (known) timestamp = *known + random_.between(-1, 1);
  object(check_timestamp(partition.model, *view, timestamp, excuses()));
}

void LogSimulation::advance_start() {
  Partition& partition = draw_partition();
  if (!partition.log) return;
  Offset offset = draw_offset(partition);
  partition.model.start_asked = std::max(partition.model.start_asked, offset);
  trace("partition {}: start to {}", partition.id.partition.value(), offset.value());
  partition.log->advance_start(offset, [this, &partition, offset, life = life_](Result<void> done) {
    if (life != life_ || files_.stopped()) return;
    bool excused =
        faults_.disk_limited || faults_.writes_fail || faults_.sync_failed || partition.removed;
    if (!done && !excused) object("the start did not move: " + done.error().what);
    if (!done) return;
    trace("partition {}: start is {}", partition.id.partition.value(), offset.value());
    LogModel& model = partition.model;
    model.start_acknowledged = std::max(model.start_acknowledged, offset);
    if (partition.log && partition.log->start_offset() < offset) object("the start did not move");
  });
}

void LogSimulation::retain() {
  Partition& partition = draw_partition();
  if (!partition.log) return;
  partition.log->apply_retention();
  executor_.run_for(std::chrono::milliseconds(random_.between(0, 10)));
  if (!alive()) return;
  trace("partition {}: retention, start {}", partition.id.partition.value(),
        partition.log->start_offset().value());
}

void LogSimulation::change_options() {
  Partition& partition = draw_partition();
  if (!partition.log) return;
  partition.options = draw_options();
  partition.model.note_options(partition.options);
  partition.log->set_options(partition.options);
}

void LogSimulation::replace_partition() {
  auto& slot = partitions_[random_.below(partitions_.size())];
  if (!slot->log || !random_.one_in(2)) return;
  trace("partition {}: removed", slot->id.partition.value());
  slot->ticket.reset();
  slot->log = nullptr;
  slot->removed = true;
  store_->remove_log(slot->id);
  auto partition = std::make_unique<Partition>();
  partition->id = {Uuid::random(random_), slot->id.partition};
  partition->options = draw_options();
  // Answers that are still under way go to the old one.
  removed_.push_back(std::exchange(slot, std::move(partition)));
  connect(*slot);
}

void LogSimulation::accept_loss() {
  Partition& partition = draw_partition();
  if (!partition.log || faults_.sync_failed || faults_.disk_limited || faults_.writes_fail) return;
  auto view = partition.log->view();
  if (view->damaged.empty()) return;
  log::OffsetRange range = view->damaged[random_.below(view->damaged.size())];
  trace("partition {}: accept the loss of [{}, {})", partition.id.partition.value(),
        range.base.value(), range.next.value());
  bool answered = false;
  store_->accept_loss(partition.id, range, [&](Result<void> done) {
    answered = true;
    if (!done && !files_.stopped()) object("the loss was not accepted: " + done.error().what);
  });
  executor_.run_for(std::chrono::seconds(5));
  if (!alive()) {
    partition.model.add_gap(range);
    return;
  }
  if (!answered) object("accept_loss() never answers");
  partition.model.add_gap(range);
  partition.model.gaps_acknowledged.push_back(range);
}

void LogSimulation::open_twice() {
  auto second = log::Store::open({files_, executor_, executor_, metrics_}, options_);
  if (files_.stopped()) return;
  if (second || second.error().code != Errc::locked) object("two stores on one directory");
}

}  // namespace leat::sim
