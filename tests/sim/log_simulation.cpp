#include "sim/log_simulation.h"

#include <cstdio>
#include <iterator>
#include <utility>

#include "log/recovery_guard.h"
#include "sim/operator.h"

namespace leat::sim {
namespace {

const char* name(log::Durability durability) {
  switch (durability) {
    case log::Durability::fsync: return "fsync";
    case log::Durability::interval: return "interval";
    case log::Durability::os: return "os";
  }
  return "?";
}

}  // namespace

LogSimulation::LogSimulation(std::uint64_t seed, bool verbose, const CrashPoint* point)
    : seed_(seed),
      verbose_(verbose),
      random_(seed),
      shards_(executor_, seed, seed % 2 == 0 ? 1 : 1 + seed % 5),
      files_(executor_, seed ^ 0x5eed),
      crasher_(files_, point, seed ^ 0xdead) {
  options_.directory = simulated_directory;
  options_.owner = "pid 1";
  auto durability = random_.below(6);
  options_.durability = durability == 0   ? log::Durability::os
                        : durability == 1 ? log::Durability::interval
                                          : log::Durability::fsync;
  options_.free_bytes_min = 0;
  options_.scrub_bytes_per_second = 0;  // its timers never end
  options_.sync_interval = std::chrono::milliseconds(random_.between(10, 1000));
  options_.journal_bytes = std::uint64_t{1} << random_.between(16, 20);
  options_.direct_bytes = std::uint64_t{1} << random_.between(10, 18);
  options_.commit_bytes_max = std::uint64_t{1} << random_.between(8, 21);
  if (random_.one_in(4)) options_.pending_bytes_max = std::uint64_t{1} << random_.between(14, 18);
  with_flips_ = random_.one_in(4);
  with_failing_disk_ = random_.one_in(3);
  if (random_.one_in(4))
    files_.set_delays(std::chrono::milliseconds(0), std::chrono::milliseconds(50));
  trace("{} durability, journal {}, direct {}", name(options_.durability), options_.journal_bytes,
        options_.direct_bytes);
}

LogSimulation::~LogSimulation() {
  executor_.drop_all();
  partitions_.clear();
  store_.reset();
  executor_.drop_all();
}

void LogSimulation::tell(std::string step) {
  steps_.push_back(std::move(step));
  if (steps_.size() > 40) steps_.pop_front();
  if (!verbose_) return;
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
  crasher_.begin_end();
  if (objection_.empty()) open_store();
  if (objection_.empty()) return {};
  std::string story =
      fmt::format("seed {}, {}: {}\n", seed_, name(options_.durability), objection_);
  for (const auto& step : steps_) story += "  " + step + "\n";
  return story;
}

void LogSimulation::open_store() {
  // Crashes during recovery, one after the other, must do no harm.
  int crashes_max = random_.one_in(8) ? 20 : 3;
  for (int attempt = 0; objection_.empty(); ++attempt) {
    check_directory();
    bool dies = attempt < crashes_max && (crashes_max > 3 || random_.one_in(3));
    if (dies) {
      crasher_.stop_after(random_.below(30));
    } else {
      break_opening();
    }
    if (try_open()) break;
    if (objection_.empty() && (files_.stopped() || opening_is_broken_)) end_life();
  }
}

bool LogSimulation::try_open() {
  ++life_;
  crasher_.begin_life();
  pending_appends_ = 0;
  faults_.sync_failed = false;
  auto opened =
      log::Store::open({files_, executor_, executor_, metrics_, shards_.executors()}, options_);
  if (!files_.stopped()) crasher_.now(Doing::anything);
  if (!files_.stopped()) files_.heal();
  if (files_.stopped()) {
    trace("died while opening");
    faults_.died_since_flip = true;
    ++deaths_;
    if (opened) store_ = std::move(*opened);
    return false;
  }
  if (!opened && allow_recovery(files_, options_.directory, opened.error())) {
    trace("refused: {}", opened.error().what);
    if (deaths_ < log::recoveries_max) object("refused before it died often enough");
    return false;
  }
  if (!opened && faults_.disk_limited) {
    trace("cannot open: {}", opened.error().what);
    mend_disk();
    return false;
  }
  if (!opened && opening_is_broken_) {
    trace("cannot open: {}", opened.error().what);
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
  compare_with_check();
  if (!alive()) return false;
  faults_.begin_anew();
  // A sync that fails may leave what counts those that died before.
  if (!opening_is_broken_) deaths_ = 0;
  was_open_ = true;
  recovered_ = true;
  return true;
}

void LogSimulation::connect(Partition& partition) {
  partition.log = nullptr;
  auto log = store_->log(partition.id, partition.options);
  if (!log) {
    if (!faults_.disk_limited) object("no log: " + log.error().what);
    return;
  }
  partition.log = log->get();
  partition.model.note_options(partition.options);
  partition.told_high_watermark = partition.log->high_watermark();
  partition.ticket = partition.log->on_advance([this, &partition, life = life_] {
    if (life == life_) partition.told_high_watermark = partition.log->high_watermark();
  });
}

void LogSimulation::live() {
  if (!alive()) return;
  if (random_.one_in(3)) crasher_.stop_after(random_.below(200));
  std::int64_t actions = random_.between(5, 60);
  for (std::int64_t i = 0; i < actions && alive(); ++i) {
    act();
    observe();
  }
}

void LogSimulation::end_life() {
  if (!objection_.empty()) return;
  End end = static_cast<End>(random_.below(4));
  if (end == End::close && !close_store()) end = End::kill;
  if (!objection_.empty()) return;
  if (files_.stopped()) end = random_.one_in(2) ? End::kill : End::power_loss;
  // A start that nobody died before does not sync that it came to its end.
  if (recovered_ && end == End::power_loss) ++deaths_;
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
  faults_.reads_fail = faults_.writes_fail = false;
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
  bool excused = faults_.sync_failed || faults_.writes_fail;
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

/// Lets everything come to rest that is under way.
void LogSimulation::settle() {
  for (int i = 0; i < 20 && pending_appends_ > 0 && alive(); ++i) {
    executor_.run_for(std::chrono::seconds(1));
  }
}

}  // namespace leat::sim
