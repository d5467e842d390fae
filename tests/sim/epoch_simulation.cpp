#include "sim/epoch_simulation.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "broker/topic_name.h"
#include "log/aborted_transactions.h"
#include "log/producer_table.h"
#include "record/builder.h"
#include "record/record.h"
#include "sim/operator.h"

namespace leat::sim {
namespace {

using broker::EpochWriter;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct TopicOfSimulation {
  const char* name;
  std::int32_t partitions;
  const char* segment_bytes;
};
constexpr TopicOfSimulation all_topics[] = {
    {"a", 3, "20000"}, {"b", 2, "1073741824"}, {"deleted", 2, "5000"}};

bool is_prefix(const std::vector<std::string>& some, const std::vector<std::string>& all) {
  return some.size() <= all.size() && std::equal(some.begin(), some.end(), all.begin());
}

/// The number in a record.
std::uint64_t number_of(const std::string& record) {
  return std::strtoull(record.c_str() + record.find(' '), nullptr, 10);
}

std::string short_form(const std::string& value) {
  return value.size() <= 40 ? value : value.substr(0, 40) + "...";
}

}  // namespace

EpochSimulation::EpochSimulation(std::uint64_t seed, bool verbose, const CrashPoint* point)
    : seed_(seed),
      verbose_(verbose),
      random_(seed),
      shards_(executor_, seed, seed % 2 == 0 ? 1 : 1 + seed % 4),
      files_(executor_, seed ^ 0x5eed),
      crasher_(files_, point, seed ^ 0xdead) {
  log::StoreOptions& store = options_.store;
  store.directory = "/data/leat";
  store.owner = "pid 1";
  store.free_bytes_min = random_.one_in(3) ? std::uint64_t{1} << 20 : 0;
  store.scrub_bytes_per_second = 0;
  store.journal_bytes = std::uint64_t{1} << random_.between(16, 20);
  store.direct_bytes = std::uint64_t{1} << random_.between(8, 16);
  store.commit_bytes_max = std::uint64_t{1} << random_.between(8, 20);
  if (random_.one_in(3)) files_.set_delays(milliseconds(0), milliseconds(20));
  with_failing_syncs_ = random_.one_in(4);
  if (random_.one_in(8)) {
    // Nothing is promised then of power cuts.
    store.durability = log::Durability::os;
    with_power_cuts_ = with_failing_syncs_ = false;
  }
  for (std::int64_t i = random_.between(1, 3); i > 0; --i) {
    owners_.emplace_back().name = fmt::format("p.{}", i);
  }
}

EpochSimulation::~EpochSimulation() {
  ++life_;
  executor_.drop_all();
  broker_.reset();
}

void EpochSimulation::tell(std::string step) {
  steps_.push_back(std::move(step));
  if (steps_.size() > 60) steps_.pop_front();
  if (verbose_) {
    fmt::print(stderr, "{:>9} ms  {}\n", executor_.wall_ms() % 1'000'000'000, steps_.back());
  }
}

void EpochSimulation::object(const std::string& objection) {
  if (objection.empty() || !alive()) return;
  trace("OBJECTION: {}", objection);
  objection_ = objection;
}

std::string EpochSimulation::run() {
  if (!files_.make_directories("/data") || !files_.sync_directory("/")) return "no directory";
  std::int64_t lives = random_.between(2, 6);
  for (std::int64_t life = 0; life < lives && objection_.empty(); ++life) {
    open();
    live();
    end_life();
  }
  mend_disk();
  crasher_.begin_end();
  if (objection_.empty()) open();
  if (objection_.empty()) verify();
  if (objection_.empty()) return {};
  std::string story = fmt::format("seed {}: {}\n", seed_, objection_);
  for (const auto& step : steps_) story += "  " + step + "\n";
  return story;
}

void EpochSimulation::open() {
  has_fault_ = false;
  while (objection_.empty()) {
    ++life_;
    crasher_.begin_life();
    auto opened =
        broker::Broker::open({files_, executor_, executor_, metrics_, shards_.executors()},
                             options_, Random(random_.next()));
    if (!opened) {
      if (files_.stopped()) {
        // It died while it recovered.
        files_.kill();
        executor_.drop_all();
        continue;
      }
      if (allow_recovery(files_, options_.store.directory, opened.error())) continue;
      return object("cannot open: " + opened.error().what);
    }
    broker_ = std::move(*opened);
    crasher_.now(Doing::anything);
    trace("life {}", life_);
    break;
  }
  if (broker_) make_topics();
}

void EpochSimulation::make_topics() {
  for (const TopicOfSimulation& topic : all_topics) {
    if (broker_->find_topic(topic.name)) continue;
    std::optional<Result<broker::TopicInfo>> made;
    broker_->create_topic({topic.name,
                           topic.partitions,
                           {{"segment.bytes", topic.segment_bytes}, {"retention.ms", "-1"}}},
                          [&made](Result<broker::TopicInfo> result) { made = std::move(result); });
    bool is_answered = wait_until([&] { return made.has_value(); });
    if (alive() && !has_fault_ && (!is_answered || !*made)) object("a topic is not made");
    if (!is_answered) return executor_.drop_all();
  }
}

bool EpochSimulation::wait_until(const std::function<bool()>& condition) {
  for (int i = 0; i < 300'000 && !condition() && !files_.stopped(); ++i) {
    if (!executor_.run_one()) break;
  }
  return condition();
}

void EpochSimulation::live() {
  if (!alive()) return;
  if (random_.one_in(2)) crasher_.stop_after(random_.below(400));
  std::int64_t actions = random_.between(20, 250);
  for (std::int64_t i = 0; i < actions && alive(); ++i) act();
}

void EpochSimulation::act() {
  auto draw = random_.below(40);
  if (draw == 0) return break_disk();
  if (draw < 4) return mend_disk();
  if (draw == 4) return replace_topic();
  if (draw < 8) return produce();
  if (draw < 12) return read_something();
  if (draw == 12) return rest();
  if (draw < 28) return act(owners_[random_.below(owners_.size())]);
  executor_.run_for(
      milliseconds(random_.one_in(10) ? random_.between(0, 3000) : random_.between(0, 3)));
}

void EpochSimulation::break_disk() {
  // Both at once may leave damage, though none of what was acknowledged.
  has_fault_ = true;
  if (!with_failing_syncs_) {
    trace("the disk is full");
    files_.set_free_bytes(random_.below(4) * 4096);
  } else if (random_.one_in(3)) {
    trace("a sync fails");
    files_.fail_sync(random_.one_in(2) ? ".log" : "/journal/", 1 + random_.below(3));
  }
}

void EpochSimulation::mend_disk() {
  files_.set_free_bytes({});
}

void EpochSimulation::end_life() {
  bool closes = alive() && random_.one_in(5);
  if (closes) {
    trace("closed");
    has_fault_ = true;
    bool is_closed = false;
    broker_->close([&is_closed](const Result<void>&) { is_closed = true; });
    wait_until([&] { return is_closed; });
  }
  ++life_;
  bool is_power_loss = with_power_cuts_ && random_.one_in(2);
  trace("{}", is_power_loss ? "the power is cut" : "killed");
  if (is_power_loss) {
    files_.power_loss();
  } else {
    files_.kill();
  }
  files_.heal();
  mend_disk();
  executor_.drop_all();
  broker_.reset();
  for (Owner& owner : owners_) {
    owner.writer.reset();
    owner.is_waiting = false;
  }
}

void EpochSimulation::act(Owner& owner) {
  if (owner.is_waiting) {
    // Another one may take over whatever is under way.
    if (owner.writer && random_.one_in(10)) open(owner);
    return;
  }
  if (!owner.writer || random_.one_in(30)) return open(owner);
  if (random_.one_in(40)) return remove(owner);
  commit(owner);
}

void EpochSimulation::open(Owner& owner) {
  trace("{} is opened", owner.name);
  owner.writer.reset();
  owner.is_waiting = true;
  broker_->epochs().open(
      owner.name, [this, &owner, life = life_](const Result<std::shared_ptr<EpochWriter>>& writer) {
        if (life == life_) opened(owner, writer);
      });
}

void EpochSimulation::opened(Owner& owner, const Result<std::shared_ptr<EpochWriter>>& writer) {
  owner.is_waiting = false;
  if (!writer) {
    trace("{} cannot be opened: {}", owner.name, writer.error().what);
    bool is_allowed =
        has_fault_ || files_.stopped() || writer.error().code == Errc::unknown_topic_or_partition;
    if (!is_allowed) object(fmt::format("{} cannot be opened", owner.name));
    return;
  }
  owner.writer = *writer;
  find_records(owner);
}

/// As a pipeline does: it goes on behind the last record that is committed.
void EpochSimulation::find_records(Owner& owner) {
  auto partition = broker_->find_partition(broker::epochs_topic(owner.name), PartitionId{0});
  if (!partition) return object("an owner without a topic");
  if (!partition->view()->last_stable_offset) return object("an owner whose records nobody knows");
  auto records = read(*partition);
  if (!records) return object("an owner's records cannot be read: " + records.error().what);
  if (owner.being_removed_in != 0 && records->empty()) removed(owner);
  // Where that failed, the next start may find it done all the same.
  if (owner.being_removed_in != life_) owner.being_removed_in = 0;
  if (!is_prefix(owner.records, *records)) {
    return object(fmt::format("{} has {} records, not the {} there were", owner.name,
                              records->size(), owner.records.size()));
  }
  for (std::size_t i = 0; i < records->size(); ++i) {
    const std::string& record = (*records)[i];
    bool is_its = owner.tried.contains(record) && number_of(record) == i;
    if (!is_its) return object(fmt::format("record {} of {} is '{}'", i, owner.name, record));
  }
  owner.records = std::move(*records);
  owner.next = owner.records.size();
  trace("{} goes on with epoch {}", owner.name, owner.next);
}

void EpochSimulation::remove(Owner& owner) {
  trace("{} is removed", owner.name);
  owner.being_removed_in = life_;
  owner.is_waiting = true;
  owner.writer.reset();
  broker_->epochs().remove(owner.name, [this, &owner, life = life_](const Result<void>& gone) {
    if (life != life_) return;
    owner.is_waiting = false;
    if (gone) removed(owner);
    trace("{} is {}", owner.name, gone ? "gone" : "still there");
  });
}

void EpochSimulation::removed(Owner& owner) {
  owner.being_removed_in = 0;
  for (const std::string& record : owner.records) {
    for (const auto& [where, values] : owner.tried[record]) {
      Values& before = owner.before[where];
      before.insert(before.end(), values.begin(), values.end());
    }
  }
  owner.records.clear();
  owner.next = 0;
}

std::vector<EpochWriter::Output> EpochSimulation::draw_output(const std::string& record,
                                                              Output& output) {
  std::vector<EpochWriter::Output> batches;
  for (const auto& partition : partitions(false)) {
    for (std::uint64_t left = random_.below(3); left > 0; --left) {
      record::BatchBuilder builder;
      TopicPartition where = partition->log().id();
      for (std::int64_t i = random_.between(1, 3); i > 0; --i) {
        std::size_t padding = random_.one_in(20) ? random_.below(30'000) : random_.below(200);
        Values& values = output[where];
        values.push_back(fmt::format("{} {} {}", record, values.size(), std::string(padding, 'x')));
        builder.append(executor_.wall_ms(), {}, as_bytes(values.back()));
      }
      batches.push_back({where, builder.build()});
    }
  }
  return batches;
}

void EpochSimulation::commit(Owner& owner) {
  std::string record = fmt::format("{} {} {}", owner.name, owner.next, ++last_attempt_);
  Output& output = owner.tried[record];
  auto batches =
      random_.one_in(10) ? std::vector<EpochWriter::Output>{} : draw_output(record, output);
  trace("epoch '{}' in {} batches", record, batches.size());
  owner.is_waiting = true;
  BytesView bytes = as_bytes(record);
  owner.writer->commit({bytes.begin(), bytes.end()}, std::move(batches),
                       [this, &owner, record, life = life_](const Result<void>& result) {
                         if (life == life_) committed(owner, record, result);
                       });
}

void EpochSimulation::committed(Owner& owner, const std::string& record,
                                const Result<void>& result) {
  if (!result) {
    trace("epoch '{}' failed: {}", record, result.error().what);
    // It may have been opened again meanwhile.
    if (!owner.writer) return;
    owner.is_waiting = false;
    owner.writer.reset();
    return;
  }
  trace("epoch '{}' is committed", record);
  if (owner.records.size() == number_of(record)) owner.records.push_back(record);
  check_seen(record, owner.tried[record]);
  if (!owner.writer) return;
  owner.is_waiting = false;
  ++owner.next;
}

void EpochSimulation::produce() {
  auto all = partitions(false);
  auto partition = all[random_.below(all.size())];
  std::string value = fmt::format("other {}", ++last_attempt_);
  produced_[value] = false;
  produced_to_[value] = partition->log().id();
  record::BatchBuilder builder;
  builder.append(executor_.wall_ms(), {}, as_bytes(value));
  auto bytes = std::make_shared<Bytes>(builder.build());
  constexpr int produce_version = 9;
  partition->executor().post([this, partition, bytes, value, life = life_] {
    partition->append(bytes, MutableBytes(*bytes), produce_version,
                      [this, value, life](const Result<broker::Appended>& appended) {
                        if (life == life_ && appended) produced_[value] = true;
                      });
  });
}

void EpochSimulation::replace_topic() {
  auto topic = broker_->find_topic("deleted");
  if (!topic) return make_topics();
  if (!random_.one_in(4)) return;
  trace("a topic is deleted");
  broker_->delete_topic(topic->info.id, [](const Result<void>&) {});
  if (random_.one_in(2)) make_topics();
}

void EpochSimulation::read_something() {
  auto all = partitions(true);
  auto partition = all[random_.below(all.size())];
  if (!partition->view()->last_stable_offset) {
    return partition->executor().post(
        [partition] { partition->load_producers([](const Result<void>&) {}); });
  }
  auto values = read(*partition);
  // Its topic may be going.
  if (values) read(*partition, *values);
}

/// After a start the last stable offset may be behind for a moment, until the last epochs are
/// ended.
void EpochSimulation::read(const broker::Partition& partition, Values& values) {
  Values& before = seen_[partition.log().id()];
  auto differs = std::mismatch(before.begin(), before.end(), values.begin(), values.end());
  if (differs.first == before.end()) {
    before = std::move(values);
  } else if (differs.second != values.end()) {
    object(fmt::format("{}-{} gave '{}' once, and now '{}'", partition.topic(),
                       partition.id().value(), short_form(*differs.first),
                       short_form(*differs.second)));
  }
}

/// While nobody commits anything and nothing is wrong with the disk, all becomes stable.
void EpochSimulation::rest() {
  auto is_idle = [this] {
    return std::none_of(owners_.begin(), owners_.end(),
                        [](const Owner& owner) { return owner.is_waiting; });
  };
  if (has_fault_ || !wait_until([&] { return is_idle() || !alive(); }) || !alive()) return;
  executor_.run_for(seconds(2));
  if (alive()) verify_stable();
}

std::vector<std::shared_ptr<broker::Partition>> EpochSimulation::partitions(
    bool with_epochs) const {
  std::vector<std::shared_ptr<broker::Partition>> all;
  auto topics = broker_->topics();
  for (const auto& topic : topics->topics()) {
    const std::string& name = topic->info.name;
    bool counts =
        !broker::is_internal_topic(name) || (with_epochs && broker::is_epochs_topic(name));
    if (counts) all.insert(all.end(), topic->partitions.begin(), topic->partitions.end());
  }
  return all;
}

}  // namespace leat::sim
