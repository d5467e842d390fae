#include "sim/log_simulation.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

#include "record/builder.h"

namespace leat::sim {
namespace {

using std::chrono::milliseconds;

constexpr const char* directory = "/data/leat";
constexpr auto npos = std::string::npos;
constexpr std::int64_t day_ms = 24 * 3600 * 1000;

const char* name(log::Durability durability) {
  switch (durability) {
    case log::Durability::fsync: return "fsync";
    case log::Durability::interval: return "interval";
    case log::Durability::os: return "os";
  }
  return "?";
}

}  // namespace

LogSimulation::LogSimulation(std::uint64_t seed, bool verbose)
    : seed_(seed), verbose_(verbose), random_(seed), files_(executor_, seed ^ 0x5eed) {
  options_.directory = directory;
  options_.owner = "pid 1";
  auto durability = random_.below(6);
  options_.durability = durability == 0   ? log::Durability::os
                        : durability == 1 ? log::Durability::interval
                                          : log::Durability::fsync;
  options_.sync_interval = milliseconds(random_.between(10, 1000));
  options_.journal_bytes = std::uint64_t{1} << random_.between(16, 20);
  options_.direct_bytes = std::uint64_t{1} << random_.between(10, 18);
  if (random_.one_in(4)) options_.pending_bytes_max = std::uint64_t{1} << random_.between(14, 18);
  with_flips_ = random_.one_in(4);
  with_failing_disk_ = random_.one_in(3);
  if (random_.one_in(4)) files_.set_delays(milliseconds(0), milliseconds(50));
  trace("{} durability, journal {}, direct {}", name(options_.durability), options_.journal_bytes,
        options_.direct_bytes);
}

LogSimulation::~LogSimulation() {
  executor_.drop_all();
  partitions_.clear();
  store_.reset();
  executor_.drop_all();
}

template <class... Args>
void LogSimulation::trace(fmt::format_string<Args...> format, Args&&... args) {
  steps_.push_back(fmt::format(format, std::forward<Args>(args)...));
  if (steps_.size() > 40) steps_.pop_front();
  if (verbose_)
    fmt::print(stderr, "{:>9} ms  {}\n", executor_.wall_ms() % 1'000'000'000, steps_.back());
}

bool LogSimulation::object(const std::string& objection) {
  if (objection.empty() || files_.stopped()) return false;
  if (objection_.empty()) {
    trace("OBJECTION: {}", objection);
    objection_ = objection;
  }
  return true;
}

std::string LogSimulation::run() {
  auto made = files_.make_directories("/data");
  auto synced = files_.sync_directory("/");
  if (!made || !synced) return "no directory to begin with";
  std::int64_t count = random_.between(1, 4);
  for (std::int64_t i = 0; i < count; ++i) {
    auto partition = std::make_unique<Partition>();
    partition->id = {Uuid::random(random_), PartitionId{static_cast<std::int32_t>(i)}};
    partition->options = draw_options();
    partitions_.push_back(std::move(partition));
  }
  std::int64_t lives = random_.between(2, 5);
  for (std::int64_t life = 0; life < lives && objection_.empty(); ++life) {
    open_store();
    live();
    end_life();
  }
  if (objection_.empty()) open_store();
  if (objection_.empty()) return {};
  std::string story =
      fmt::format("seed {}, {}: {}\n", seed_, name(options_.durability), objection_);
  for (const auto& step : steps_) story += "  " + step + "\n";
  return story;
}

// Lives.

void LogSimulation::open_store() {
  for (int attempt = 0; objection_.empty(); ++attempt) {
    // Crashes during recovery, one after the other, must do no harm.
    bool dies = attempt < 3 && random_.one_in(3);
    if (dies) files_.stop_after(random_.below(30));
    if (try_open()) break;
    if (objection_.empty() && files_.stopped()) end_life();
  }
}

bool LogSimulation::try_open() {
  ++life_;
  pending_appends_ = 0;
  sync_failed_ = false;
  auto opened = log::Store::open({files_, executor_, executor_, metrics_}, options_);
  if (files_.stopped()) {
    trace("died while opening");
    died_since_flip_ = true;
    if (opened) store_ = std::move(*opened);
    return false;
  }
  if (!opened && disk_limited_) {
    trace("cannot open: {}", opened.error().what);
    mend_disk();
    return false;
  }
  if (!opened) {
    object("cannot open: " + opened.error().what);
    return false;
  }
  store_ = std::move(*opened);
  trace("opened");
  for (auto& partition : partitions_) connect(*partition);
  check_findings();
  for (auto& partition : partitions_) check_partition_after_open(*partition);
  if (!objection_.empty() || files_.stopped()) return false;
  flipped_after_crash_ = flipped_journal_ = flipped_checkpoint_ = false;
  write_ever_failed_ = died_since_flip_ = false;
  sync_ever_failed_ = false;
  recovered_ = true;
  return true;
}

void LogSimulation::connect(Partition& partition) {
  partition.log = nullptr;
  auto log = store_->log(partition.id, partition.options);
  if (!log) {
    if (!disk_limited_) object("no log: " + log.error().what);
    return;
  }
  partition.log = *log;
  partition.model.note_options(partition.options);
  partition.told_high_watermark = partition.log->high_watermark();
  partition.ticket = partition.log->on_advance([this, &partition, life = life_] {
    if (life == life_) partition.told_high_watermark = partition.log->high_watermark();
  });
}

Offset LogSimulation::must_have(const Partition& partition) const {
  const LogModel& model = partition.model;
  if (end_ == End::close) return model.end;
  if (options_.durability == log::Durability::fsync) {
    return std::max(model.high_watermark, model.acknowledged_end());
  }
  if (end_ != End::power_loss) return model.acknowledged_end();
  bool synced = options_.durability == log::Durability::interval && !sync_ever_failed_;
  if (!synced) return model.closed_end;
  // One interval to begin a sync, and as long as it takes to end it.
  std::int64_t synced_ms = last_alive_ms_ - 2 * options_.sync_interval.count() - 500;
  return std::max(model.closed_end, model.acknowledged_end(synced_ms));
}

void LogSimulation::check_partition_after_open(Partition& partition) {
  if (!partition.log || !alive()) return;
  RecoveryTerms terms;
  terms.must_have = must_have(partition);
  terms.start_must_have = partition.model.start_acknowledged;
  terms.cut_leaves_trace = options_.durability == log::Durability::fsync || end_ != End::power_loss;
  terms.failed_may_return = sync_ever_failed_ || write_ever_failed_;
  terms.loss_is_excused = flipped_journal_ || (flipped_after_crash_ &&
                                               (died_since_flip_ || !store_->findings().empty()));
  terms.checkpoint_is_lost = flipped_checkpoint_;
  terms.excuses = excuses();
  object(partition.model.objection_to_start(partition.log->start_offset(), executor_.wall_ms()));
  std::string objection = check_recovery(partition.model, *partition.log, terms);
  if (objection.empty()) {
    trace("partition {}: [{}, {})", partition.id.partition.value(),
          partition.log->start_offset().value(), partition.log->end_offset().value());
    return;
  }
  object(fmt::format("partition {} after {}: {}", partition.id.partition.value(),
                     static_cast<int>(end_), objection));
}

void LogSimulation::check_findings() {
  for (const auto& finding : store_->findings()) {
    trace("finding {}: {} [{}, {}) {}", static_cast<int>(finding.kind), finding.path,
          finding.offsets.base.value(), finding.offsets.next.value(), finding.cause);
    if (finding.kind == log::Finding::Kind::damage && !excuses().damage) {
      object("damage where nothing was damaged: " + finding.cause);
    }
    if (finding.kind == log::Finding::Kind::unknown) object("a stranger: " + finding.path);
  }
}

void LogSimulation::live() {
  if (!alive()) return;
  if (random_.one_in(3)) files_.stop_after(random_.below(200));
  std::int64_t actions = random_.between(5, 60);
  for (std::int64_t i = 0; i < actions && alive(); ++i) {
    act();
    observe();
  }
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

void LogSimulation::end_life() {
  if (!objection_.empty()) return;
  End end = static_cast<End>(random_.below(4));
  if (end == End::close && !close_store()) end = End::kill;
  if (!objection_.empty()) return;
  if (files_.stopped()) end = random_.one_in(2) ? End::kill : End::power_loss;
  // A crash during recovery does not make good what an earlier one took.
  end_ = recovered_ ? end : std::max(end_, end);
  recovered_ = false;
  static constexpr const char* names[] = {"closed", "abandoned", "killed", "power lost"};
  trace("{}", names[static_cast<int>(end)]);
  ++life_;
  pinned_.clear();
  for (auto& partition : partitions_) {
    partition->ticket.reset();
    partition->log = nullptr;
  }
  removed_.clear();
  if (end == End::close || end == End::abandon) store_.reset();
  executor_.drop_all();
  if (end == End::power_loss) {
    files_.power_loss();
  } else {
    files_.kill();
  }
  store_.reset();
  executor_.drop_all();
  files_.heal();
  reads_fail_ = writes_fail_ = false;
  if (with_flips_ && random_.one_in(2)) flip_bit();
}

/// True when everything is on disk now.
bool LogSimulation::close_store() {
  if (!store_) return false;
  mend_disk();
  settle();
  if (!alive()) return false;
  bool closed = false;
  Result<void> result;
  store_->close([&](Result<void> done) {
    closed = true;
    result = std::move(done);
  });
  executor_.run_for(std::chrono::seconds(60));
  if (files_.stopped()) return false;
  bool excused = sync_failed_ || writes_fail_;
  if (!closed) object("close() never answers");
  if (closed && !result && !excused) object("close() failed: " + result.error().what);
  if (!closed || !result || excused) return false;
  observe();
  if (pending_appends_ != 0) object("an append was not answered before the end");
  for (auto& partition : partitions_) {
    LogModel& model = partition->model;
    if (partition->log && partition->log->end_offset() != model.end)
      object("the end is not its own");
    if (partition->log && model.high_watermark != model.end) object("closed below the end");
    model.closed_end = model.end;
  }
  return objection_.empty();
}

void LogSimulation::flip_bit() {
  static constexpr const char* parts[] = {"/partitions/", "/partitions/", "/partitions/",
                                          "/journal/", "/checkpoint"};
  std::string part = parts[random_.below(5)];
  // The checkpoint tells which bytes are a partition's own; without it a batch that was there
  // before, or one behind a damaged one, cannot be told. One of these at a time.
  if (part == "/checkpoint" && (flipped_ || end_ == End::power_loss)) return;
  auto flipped = files_.flip_random_bit(directory + part);
  if (!flipped) return;
  trace("flipped bit {} of byte {} of {}", flipped->bit, flipped->position, flipped->path);
  flipped_ = true;
  bool crashed = end_ != End::close;
  flipped_after_crash_ = flipped_after_crash_ || crashed;
  // The last frame of a journal cannot be told from one that was cut off.
  flipped_journal_ = flipped_journal_ || (crashed && flipped->path.find("/journal/") != npos);
  flipped_checkpoint_ = flipped_checkpoint_ || flipped->path.ends_with("/checkpoint");
}

/// Lets everything come to rest that is under way.
void LogSimulation::settle() {
  for (int i = 0; i < 20 && pending_appends_ > 0 && alive(); ++i) {
    executor_.run_for(std::chrono::seconds(1));
  }
}

void LogSimulation::observe() {
  for (auto& partition : partitions_) {
    if (alive() && partition->log) observe(*partition);
  }
  if (alive()) last_alive_ms_ = executor_.wall_ms();
}

void LogSimulation::observe(Partition& partition) {
  LogModel& model = partition.model;
  auto view = partition.log->view();
  Offset start = partition.log->start_offset();
  Offset high_watermark = partition.log->high_watermark();
  Offset end = partition.log->end_offset();
  auto on = [&](const std::string& what) {
    object(fmt::format("partition {}: {}", partition.id.partition.value(), what));
  };
  if (high_watermark < model.high_watermark) on("the high watermark went back");
  if (high_watermark > end) on("the high watermark is above the end");
  if (start > high_watermark) on("the start is above the high watermark");
  if (start < model.start) on("the start went back");
  if (end > model.end) on("the end is above what was appended");
  if (view->high_watermark != high_watermark || view->start_offset != start) {
    on("the view is not the newest");
  }
  if (high_watermark < model.acknowledged_end())
    on("the high watermark is below what was answered");
  std::string objection = model.objection_to_start(start, executor_.wall_ms());
  if (!objection.empty()) on(objection);
  model.high_watermark = high_watermark;
  if (start != model.start) {
    model.start = start;
    model.least_retention_bytes = model.least_retention_ms =
        std::numeric_limits<std::int64_t>::max();
    model.note_options(partition.log->options());
  }
}

// Actions.

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

Excuses LogSimulation::excuses() const {
  return {flipped_ || only_copy_lost_, reads_fail_};
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
    bool excused = disk_limited_ || reads_fail_ || writes_fail_ || sync_failed_ ||
                   base.error().code == Errc::request_timed_out;
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
  bool excused = disk_limited_ || reads_fail_ || writes_fail_ || sync_failed_;
  if (!excused) object("append failed: " + result.error().what);
  if (known && !model.roll_back(given)) object("an append failed after a later one was answered");
}

void LogSimulation::pass_time() {
  std::int64_t ms = random_.one_in(20)  ? random_.between(1000, 3 * day_ms)
                    : random_.one_in(3) ? random_.between(10, 2000)
                                        : random_.between(0, 5);
  executor_.run_for(milliseconds(ms));
  if (!alive()) return;
  for (auto& partition : partitions_) {
    if (!partition->log) continue;
    if (partition->told_high_watermark == partition->log->high_watermark()) continue;
    executor_.run_for(milliseconds(1));
    if (alive() && partition->told_high_watermark != partition->log->high_watermark()) {
      object("nobody was told of the new high watermark");
    }
  }
}

Offset LogSimulation::draw_offset(const Partition& partition) {
  std::int64_t start = partition.log->start_offset().value();
  std::int64_t end = partition.log->high_watermark().value();
  return Offset{random_.between(start, end)};
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
  if (pinned_.empty() || reads_fail_) return;
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
    bool excused = disk_limited_ || writes_fail_ || sync_failed_ || partition.removed;
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
  executor_.run_for(milliseconds(random_.between(0, 10)));
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
  if (!partition.log || sync_failed_ || disk_limited_ || writes_fail_) return;
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
}

void LogSimulation::open_twice() {
  auto second = log::Store::open({files_, executor_, executor_, metrics_}, options_);
  if (files_.stopped()) return;
  if (second || second.error().code != Errc::locked) object("two stores on one directory");
}

void LogSimulation::break_disk() {
  // One failure at a time: two failed syncs can take both copies of a record.
  if (sync_ever_failed_) return;
  switch (random_.below(5)) {
    case 0:
      trace("a sync of the journal will fail");
      sync_failed_ = sync_ever_failed_ = true;
      files_.fail_sync("/journal/", 1 + random_.below(5));
      break;
    case 1:
      trace("a sync of a segment will fail");
      sync_failed_ = sync_ever_failed_ = true;
      only_copy_lost_ = only_copy_lost_ || options_.durability != log::Durability::fsync;
      files_.fail_sync("/partitions/", 1 + random_.below(5));
      break;
    case 2:
      trace("writes fail");
      writes_fail_ = write_ever_failed_ = true;
      files_.fail_writes("/partitions/");
      break;
    case 3:
      trace("reads fail");
      reads_fail_ = true;
      files_.fail_reads("/partitions/");
      break;
    default:
      disk_limited_ = true;
      files_.set_free_bytes(random_.below(64 << 10));
      trace("disk nearly full");
  }
}

/// After a full disk, or one that refused, the store must come back by itself.
void LogSimulation::mend_disk() {
  if (!disk_limited_ && !reads_fail_) return;
  settle();
  trace("disk mended");
  files_.set_free_bytes(std::nullopt);
  files_.heal();
  reads_fail_ = false;
  bool was_limited = std::exchange(disk_limited_, false);
  // A write or a sync that failed for another reason stops what it hit until the next start.
  if (!was_limited || !store_ || writes_fail_ || sync_failed_ || !alive()) return;
  executor_.run_for(std::chrono::seconds(10));
  observe();
  for (auto& partition : partitions_) {
    if (alive() && partition->log) append_to(*partition);
  }
  settle();
}

}  // namespace leat::sim
