#include "sim/broker_simulation.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "log/recovery_guard.h"
#include "sim/operator.h"

namespace leat::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

log::Durability draw_durability(Random& random) {
  auto draw = random.below(6);
  return draw == 0   ? log::Durability::os
         : draw == 1 ? log::Durability::interval
                     : log::Durability::fsync;
}

server::ServerOptions draw_options(Random& random) {
  server::ServerOptions options;
  log::StoreOptions& store = options.broker.store;
  store.directory = "/data/leat";
  store.owner = "pid 1";
  store.durability = draw_durability(random);
  store.sync_interval = milliseconds(random.between(10, 1000));
  store.free_bytes_min = 0;
  store.scrub_bytes_per_second = 0;
  store.journal_bytes = std::uint64_t{1} << random.between(16, 20);
  store.direct_bytes = std::uint64_t{1} << random.between(10, 18);
  store.commit_bytes_max = std::uint64_t{1} << random.between(8, 21);
  options.broker.auto_create_topics = false;
  return options;
}

}  // namespace

BrokerSimulation::BrokerSimulation(std::uint64_t seed, bool verbose, const CrashPoint* point)
    : seed_(seed),
      verbose_(verbose),
      random_(seed),
      shards_(executor_, seed, seed % 2 == 0 ? 1 : 1 + seed % 5),
      files_(executor_, seed ^ 0x5eed),
      crasher_(files_, point, seed ^ 0xdead),
      options_(draw_options(random_)),
      history_(options_.broker.store.durability == log::Durability::fsync),
      with_failing_disk_(random_.one_in(3)) {
  if (random_.one_in(3)) files_.set_delays(milliseconds(0), milliseconds(50));
  std::int64_t count = random_.between(2, 5);
  for (int i = 0; i < count; ++i) {
    clients_.push_back(std::make_unique<Client>());
    clients_.back()->number = i;
  }
}

BrokerSimulation::~BrokerSimulation() {
  drop_clients();
  executor_.drop_all();
  broker_.reset();
  executor_.drop_all();
}

void BrokerSimulation::tell(std::string step) {
  steps_.push_back(std::move(step));
  if (steps_.size() > 40) steps_.pop_front();
  if (!verbose_) return;
  fmt::print(stderr, "{:>9} ms  {}\n", executor_.wall_ms() % 1'000'000'000, steps_.back());
}

void BrokerSimulation::object(const std::string& objection) {
  if (objection.empty() || !alive()) return;
  trace("OBJECTION: {}", objection);
  objection_ = objection;
}

std::string BrokerSimulation::run() {
  auto made = files_.make_directories("/data");
  auto synced = files_.sync_directory("/");
  if (!made || !synced) return "no directory to begin with";
  std::int64_t lives = random_.between(2, 4);
  for (std::int64_t life = 0; life < lives && objection_.empty(); ++life) {
    open();
    live();
    end_life(true);
  }
  crasher_.begin_end();
  if (objection_.empty()) open();
  if (alive()) verify();
  if (objection_.empty()) return {};
  std::string story = fmt::format("seed {}: {}\n", seed_, objection_);
  for (const auto& step : steps_) story += "  " + step + "\n";
  return story;
}

// Lives.

void BrokerSimulation::open() {
  int crashes_max = random_.one_in(8) ? 10 : 2;
  for (int attempt = 0; objection_.empty(); ++attempt) {
    if (attempt < crashes_max && random_.one_in(2)) {
      crasher_.stop_after(random_.below(40));
    }
    if (try_open()) return;
    if (objection_.empty()) end_life(false);
  }
}

bool BrokerSimulation::try_open() {
  ++life_;
  crasher_.begin_life();
  history_.begin_life();
  changes_.clear();
  sync_failed_ = writes_failed_ = false;
  auto opened = broker::Broker::open({files_, executor_, executor_, metrics_, shards_.executors()},
                                     options_.broker, Random(random_.next()));
  if (opened) broker_ = std::move(*opened);
  if (!files_.stopped()) crasher_.now(Doing::anything);
  if (files_.stopped()) {
    trace("died while opening");
    ++deaths_;
    return false;
  }
  if (!opened && allow_recovery(files_, options_.broker.store.directory, opened.error())) {
    trace("refused: {}", opened.error().what);
    if (deaths_ < log::recoveries_max) object("refused before it died often enough");
    return false;
  }
  if (!opened) {
    trace("cannot open: {}", opened.error().what);
    if (!disk_limited_) object("cannot open: " + opened.error().what);
    mend_disk();
    return false;
  }
  trace("opened");
  node_ = std::make_unique<server::Node>(server::Node{*broker_, options_, metrics_});
  sync_ever_failed_ = false;
  deaths_ = 0;
  return true;
}

void BrokerSimulation::live() {
  if (!alive()) return;
  if (random_.one_in(3)) crasher_.stop_after(random_.below(300));
  std::int64_t actions = random_.between(10, 80);
  for (std::int64_t i = 0; i < actions && alive(); ++i) act();
}

void BrokerSimulation::act() {
  auto draw = random_.below(136);
  if (history_.topics().empty() && draw < 50) return create_topic();
  if (draw < 32) return produce();
  if (draw < 52) return fetch();
  if (draw < 74) {
    std::int64_t ms = random_.one_in(10)  ? random_.between(1000, 20'000)
                      : random_.one_in(3) ? random_.between(10, 1000)
                                          : random_.between(0, 5);
    return executor_.run_for(milliseconds(ms));
  }
  if (draw < 78) return list_offsets();
  if (draw < 80) return delete_records();
  if (draw < 83) return list_topics();
  if (draw < 87) return create_topic();
  if (draw < 89) return delete_topic();
  if (draw < 90) return fetch_deleted();
  if (draw < 92) return leave(draw_client());
  if (draw < 96) return mend_disk();
  if (draw < 100) return with_failing_disk_ ? break_disk() : void();
  if (draw < 108) return fetch_in_session();
  if (draw < 110) return create_partitions();
  if (draw < 113) return alter_configs();
  if (draw < 115) return describe_configs();
  if (draw < 118) return ask_for_epoch_end();
  if (draw < 128) return commit_offsets();
  if (draw < 134) return fetch_offsets();
  recreate_topic();
}

/// Lets every request be answered.
void BrokerSimulation::settle() {
  executor_.run_for(seconds(30));
  if (!alive()) return;
  for (const auto& client : clients_) {
    if (client->connection && client->connection->unanswered() > 0) {
      object(fmt::format("client {} waits for {} answers without end", client->number,
                         client->connection->unanswered()));
    }
  }
}

void BrokerSimulation::drop_clients() {
  for (auto& client : clients_) leave(*client);
}

/// True when all is on disk now.
bool BrokerSimulation::close_broker() {
  mend_disk();
  for (auto& client : clients_) {
    if (client->connection) client->connection->drain();
  }
  settle();
  if (!alive()) return false;
  bool closed = false;
  Result<void> result;
  broker_->close([&](Result<void> done) {
    closed = true;
    result = std::move(done);
  });
  executor_.run_for(seconds(60));
  if (!alive()) return false;
  bool excused = sync_failed_ || writes_failed_;
  if (!closed) object("close() never answers");
  if (closed && !result && !excused) object("close() failed: " + result.error().what);
  return closed && result && !excused;
}

void BrokerSimulation::end_life(bool may_close) {
  if (!objection_.empty()) return;
  auto end = static_cast<End>(random_.below(3));
  bool closes = may_close && end == End::close && broker_ && close_broker();
  if (!objection_.empty()) return;
  if (end == End::close && !closes) end = End::kill;
  static constexpr const char* names[] = {"closed", "killed", "power lost"};
  trace("{}", names[static_cast<int>(end)]);
  drop_clients();
  executor_.drop_all();
  if (end == End::power_loss) {
    files_.power_loss();
    history_.power_lost();
    // A start that nobody died before does not sync that it came to its end.
    if (may_close) ++deaths_;
    if (options_.broker.store.durability != log::Durability::fsync) forget_commits();
  } else {
    files_.kill();
  }
  node_.reset();
  broker_.reset();
  executor_.drop_all();
  files_.heal();
}

// Faults.

void BrokerSimulation::break_disk() {
  // One at a time: two failed syncs can take both copies of a record.
  if (sync_ever_failed_ || disk_limited_) return;
  bool is_durable = options_.broker.store.durability == log::Durability::fsync;
  switch (random_.below(4)) {
    case 0:
      if (!is_durable) return;
      trace("a sync of the journal will fail");
      sync_failed_ = sync_ever_failed_ = true;
      return files_.fail_sync("/journal/", 1 + random_.below(5));
    case 1:
      if (!is_durable) return;
      trace("a sync of a segment will fail");
      sync_failed_ = sync_ever_failed_ = true;
      return files_.fail_sync("/partitions/", 1 + random_.below(5));
    case 2:
      trace("writes fail");
      writes_failed_ = true;
      return files_.fail_writes("/partitions/");
    default:
      trace("disk nearly full");
      disk_limited_ = true;
      return files_.set_free_bytes(random_.below(64 << 10));
  }
}

/// After a full disk the server must come back by itself.
void BrokerSimulation::mend_disk() {
  if (!disk_limited_) return;
  trace("disk mended");
  executor_.run_for(seconds(2));
  files_.set_free_bytes(std::nullopt);
  disk_limited_ = false;
  executor_.run_for(seconds(10));
}

// The end.

/// Reads all there is, as a client would, and holds it against the whole history: partition by
/// partition, or all of them in one session.
void BrokerSimulation::verify() {
  trace("verifying");
  Client& client = *clients_.front();
  leave(client);
  list_topics();
  executor_.run_for(seconds(1));
  std::vector<TopicPartition> all;
  for (const auto& [id, topic] : history_.topics()) {
    if (!history_.is_usable(id)) continue;
    for (std::int32_t i = 0; i < topic.partitions_listed; ++i) all.push_back({id, PartitionId{i}});
  }
  if (seed_ % 2 == 0) verify_in_session(all);
  for (const TopicPartition& id : all) {
    if (alive() && seed_ % 2 != 0) verify_partition(id);
    if (alive()) verify_epochs(id);
  }
  verify_commits();
}

void BrokerSimulation::verify_partition(const TopicPartition& id) {
  Client& client = *clients_.front();
  std::set<std::int64_t> bases;
  std::int64_t start = history_.partition(id).start;
  std::int64_t at = start;
  bool is_done = false;
  int starts_moved = 0;
  while (alive() && !is_done) {
    wire::FetchRequest request;
    auto& topic = request.topics.emplace_back();
    topic.topic_id = id.topic_id;
    auto& partition = topic.partitions.emplace_back();
    partition.partition = id.partition.value();
    partition.fetch_offset = at;
    partition.partition_max_bytes = 1 << 20;
    is_done = true;
    bool is_answered = false;
    auto use = [&](wire::FetchResponse& response) {
      is_answered = true;
      const auto& got = response.responses.at(0).partitions.at(0);
      if (got.error_code == wire::ErrorCode::offset_out_of_range) {
        // Its start moved, perhaps after this fetch had looked for it.
        bool may_move = history_.may_start_at(id, at + 1) && ++starts_moved < 10;
        if (!may_move) object("the beginning of a log is gone");
        at = start = std::max(at, got.log_start_offset);
        is_done = false;
        return;
      }
      fetched(client, id, known(id, at), true, got);
      BytesView rest = got.records.bytes();
      while (!rest.empty() && alive()) {
        auto batch = record::BatchView::parse(rest);
        if (!batch) return object(batch.error().what);
        bases.insert(batch->base_offset().value());
        at = batch->next_offset().value();
        is_done = false;
        rest = rest.subspan(batch->size_bytes());
      }
    };
    ask<wire::FetchRequest>(client, request, wire::FetchRequest::valid.last, use);
    executor_.run_for(seconds(1));
    if (!is_answered) object("the last reads are not answered");
  }
  object(history_.check_complete(id, start, bases));
}

}  // namespace leat::sim
