#include "sim/compaction_simulation.h"

#include <algorithm>
#include <utility>

#include "log/aborted_transactions.h"
#include "record/builder.h"
#include "record/record.h"
#include "sim/operator.h"

namespace leat::sim {
namespace {

using broker::ProducerIdentity;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Fate = CompactionModel::Fate;

constexpr std::int32_t partitions = 2;
constexpr const char* number_header = "number";

bool is_retriable(Errc code) {
  return code == Errc::storage_error || code == Errc::no_space || code == Errc::io_error ||
         code == Errc::request_timed_out || code == Errc::coordinator_not_available ||
         code == Errc::concurrent_transactions;
}

}  // namespace

CompactionSimulation::CompactionSimulation(std::uint64_t seed, bool verbose,
                                           const CrashPoint* point)
    : seed_(seed),
      verbose_(verbose),
      random_(seed),
      shards_(executor_, seed, seed % 2 == 0 ? 1 : 1 + seed % 3),
      files_(executor_, seed ^ 0x5eed),
      crasher_(files_, point, seed ^ 0xdead) {
  log::StoreOptions& store = options_.store;
  store.directory = "/data/leat";
  store.owner = "pid 1";
  store.free_bytes_min = 0;
  store.scrub_bytes_per_second = 0;
  store.journal_bytes = std::uint64_t{1} << random_.between(16, 18);
  store.direct_bytes = std::uint64_t{1} << random_.between(8, 16);
  if (random_.one_in(3)) store.compaction_map_bytes = 24U << random_.between(2, 6);
  if (random_.one_in(3)) store.compaction_bytes_per_second = 1U << random_.between(8, 14);
  if (random_.one_in(3)) files_.set_delays(milliseconds(0), milliseconds(20));
  fills_disks_ = random_.one_in(4);
  keys_ = random_.between(2, 24);
  static constexpr Kind kinds[] = {Kind::plain, Kind::idempotent, Kind::idempotent,
                                   Kind::transactional, Kind::transactional};
  for (Kind kind : kinds) {
    Writer& writer = writers_.emplace_back();
    writer.number = static_cast<int>(writers_.size());
    writer.kind = kind;
    writer.sequences.resize(partitions);
  }
}

CompactionSimulation::~CompactionSimulation() {
  executor_.drop_all();
  broker_.reset();
}

void CompactionSimulation::tell(std::string step) {
  steps_.push_back(std::move(step));
  if (steps_.size() > 60) steps_.pop_front();
  if (!verbose_) return;
  fmt::print(stderr, "{:>9} ms  {}\n", executor_.wall_ms() % 1'000'000'000, steps_.back());
}

void CompactionSimulation::object(const std::string& objection) {
  if (objection.empty() || !alive()) return;
  trace("OBJECTION: {}", objection);
  objection_ = objection;
}

std::string CompactionSimulation::run() {
  if (!files_.make_directories("/data") || !files_.sync_directory("/")) return "no directory";
  std::int64_t lives = random_.between(2, 6);
  for (std::int64_t life = 0; life < lives && objection_.empty(); ++life) {
    open();
    live();
    end_life();
  }
  crasher_.begin_end();
  if (objection_.empty()) open();
  if (alive()) finish();
  if (objection_.empty()) return {};
  std::string story = fmt::format("seed {}: {}\n", seed_, objection_);
  for (const auto& step : steps_) story += "  " + step + "\n";
  return story;
}

bool CompactionSimulation::wait_until(const std::function<bool()>& condition) {
  for (int i = 0; i < 300'000 && !condition(); ++i) {
    if (!executor_.run_one()) break;
  }
  return condition();
}

// Lives.

void CompactionSimulation::open() {
  while (objection_.empty()) {
    ++life_;
    crasher_.begin_life();
    if (random_.one_in(4)) crasher_.stop_after(random_.below(40));
    auto opened =
        broker::Broker::open({files_, executor_, executor_, metrics_, shards_.executors()},
                             options_, Random(random_.next()));
    if (!files_.stopped()) crasher_.now(Doing::anything);
    if (opened) broker_ = std::move(*opened);
    if (files_.stopped()) {
      end_life();
      continue;
    }
    if (broker_) break;
    if (allow_recovery(files_, options_.store.directory, opened.error())) continue;
    return object("cannot open: " + opened.error().what);
  }
  if (!alive()) return;
  trace("life {}", life_);
  // Before compaction takes anything away that a crash has left.
  if (broker_->find_topic("t")) return check_all();
  std::optional<Result<broker::TopicInfo>> made;
  broker_->create_topic({"t", partitions, draw_configs()},
                        [&](Result<broker::TopicInfo> result) { made = std::move(result); });
  if (!wait_until([&] { return made.has_value(); }) || !*made) object("the topic is not made");
}

broker::ConfigMap CompactionSimulation::draw_configs() {
  broker::ConfigMap configs;
  configs["cleanup.policy"] = random_.one_in(4) ? "compact,delete" : "compact";
  configs["segment.bytes"] = std::to_string(1 << random_.between(10, 13));
  configs["index.interval.bytes"] = "1024";
  configs["min.cleanable.dirty.ratio"] = random_.one_in(3) ? "0.5" : "0";
  configs["delete.retention.ms"] = std::to_string(random_.one_in(2) ? 0 : random_.below(60'000));
  if (random_.one_in(2)) configs["retention.bytes"] = std::to_string(1 << random_.between(12, 15));
  if (random_.one_in(4)) configs["min.compaction.lag.ms"] = std::to_string(random_.below(10'000));
  return configs;
}

void CompactionSimulation::live() {
  if (!alive()) return;
  if (random_.one_in(2)) crasher_.stop_after(random_.below(600));
  std::int64_t actions = random_.between(20, 300);
  for (std::int64_t i = 0; i < actions && alive(); ++i) {
    auto draw = random_.below(40);
    if (draw == 0 && fills_disks_) {
      trace("the disk is full");
      files_.set_free_bytes(random_.below(4) * 4096);
    } else if (draw < 4) {
      files_.set_free_bytes({});
    }
    if (draw < 26) {
      act(writers_[random_.below(writers_.size())]);
    } else if (draw < 39) {
      executor_.run_for(
          milliseconds(random_.one_in(6) ? random_.between(0, 8000) : random_.between(0, 5)));
    } else {
      check_all();
    }
  }
}

void CompactionSimulation::end_life() {
  bool is_power_loss = random_.one_in(2);
  trace("{}", is_power_loss ? "the power is cut" : "killed");
  if (is_power_loss) {
    files_.power_loss();
  } else {
    files_.kill();
  }
  files_.set_free_bytes({});
  executor_.drop_all();
  broker_.reset();
  for (Writer& writer : writers_) {
    writer.is_waiting = false;
    if (writer.kind == Kind::plain) writer.sending.reset();
  }
}

// Writers.

std::shared_ptr<broker::Partition> CompactionSimulation::partition(std::int32_t number) {
  return broker_->find_partition("t", PartitionId{number});
}

CompactionSimulation::Sending CompactionSimulation::make_batch(const Writer& writer) {
  Sending sending;
  sending.partition = static_cast<std::int32_t>(random_.below(partitions));
  record::BatchBuilder builder;
  std::int64_t count = random_.between(1, 4);
  for (std::int64_t i = 0; i < count; ++i) {
    CompactionModel::Written written;
    written.partition = sending.partition;
    written.key = fmt::format("k{}", random_.below(static_cast<std::uint64_t>(keys_)));
    written.is_tombstone = random_.one_in(5);
    written.writer = writer.number;
    written.transaction = writer.transaction;
    std::uint64_t number = model_.add(written);
    sending.numbers.push_back(number);
    std::string text = std::to_string(number);
    record::Header header{number_header, as_bytes(text)};
    std::string value(random_.one_in(8) ? random_.below(2000) : random_.below(200), 'x');
    std::optional<BytesView> bytes;
    if (!written.is_tombstone) bytes = as_bytes(value);
    builder.append(executor_.wall_ms(), as_bytes(written.key), bytes, std::span(&header, 1));
  }
  record::BatchOptions options;
  if (random_.one_in(4)) options.compression = record::Compression::lz4;
  if (writer.identity) {
    sending.sequence = writer.sequences[static_cast<std::size_t>(sending.partition)];
    options.producer_id = writer.identity->id;
    options.producer_epoch = writer.identity->epoch;
    options.base_sequence = sending.sequence;
    options.is_transactional = writer.kind == Kind::transactional;
  }
  sending.batch = builder.build(options);
  return sending;
}

void CompactionSimulation::append(Writer& writer, const Sending& sending,
                                  std::function<void(const Result<broker::Appended>&)> done) {
  writer.is_waiting = true;
  auto bytes = std::make_shared<Bytes>(sending.batch);
  auto to = partition(sending.partition);
  to->executor().post([this, &writer, to, bytes, done = std::move(done)]() mutable {
    auto answered = [this, &writer,
                     done = std::move(done)](const Result<broker::Appended>& result) {
      if (!alive()) return;
      writer.is_waiting = false;
      done(result);
    };
    to->append(bytes, MutableBytes(*bytes), 9, std::move(answered));
  });
}

void CompactionSimulation::act(Writer& writer) {
  if (writer.is_waiting) return;
  if (writer.kind == Kind::transactional) return act_in_transaction(writer);
  if (writer.kind == Kind::idempotent && !writer.identity) return take_identity(writer);
  if (writer.sent && !writer.sending && random_.one_in(6)) return send_again(writer);
  send(writer);
}

void CompactionSimulation::take_identity(Writer& writer) {
  writer.is_waiting = true;
  broker_->producer_ids().draw([this, &writer](Result<ProducerId> id) {
    if (!alive()) return;
    writer.is_waiting = false;
    if (id) writer.identity = ProducerIdentity{*id, 0};
  });
}

/// What nobody knows the fate of is sent again, where that does no harm.
void CompactionSimulation::send(Writer& writer) {
  if (!writer.sending) writer.sending = make_batch(writer);
  const Sending& sending = *writer.sending;
  trace("writer {} sends {} to {} as {}", writer.number, sending.numbers.front(), sending.partition,
        sending.sequence);
  append(writer, sending, [this, &writer](const Result<broker::Appended>& result) {
    if (!result) {
      if (writer.kind == Kind::plain) writer.sending.reset();
      return failed(writer, result.error());
    }
    Sending done = *std::exchange(writer.sending, std::nullopt);
    trace("{} is at {}", done.numbers.front(), result->base_offset.value());
    std::int64_t offset = result->base_offset.value();
    for (std::uint64_t number : done.numbers) object(model_.acknowledged(number, offset++));
    if (!writer.identity) return;
    writer.has_acknowledged = true;
    writer.sequences[static_cast<std::size_t>(done.partition)] +=
        static_cast<std::int32_t>(done.numbers.size());
    writer.sent = std::move(done);
    if (writer.kind == Kind::transactional && random_.one_in(3)) writer.step = Step::end;
  });
}

/// The answer to the last batch may have been lost on its way.
void CompactionSimulation::send_again(Writer& writer) {
  trace("writer {} sends {} again", writer.number, writer.sent->numbers.front());
  append(writer, *writer.sent, [this, &writer](const Result<broker::Appended>& result) {
    if (!result) return failed(writer, result.error());
    object(model_.acknowledged(writer.sent->numbers.front(), result->base_offset.value()));
  });
}

void CompactionSimulation::act_in_transaction(Writer& writer) {
  switch (writer.step) {
    case Step::init: return init(writer);
    case Step::begin: return begin(writer);
    case Step::send: return send(writer);
    case Step::end: return end(writer);
  }
}

void CompactionSimulation::init(Writer& writer) {
  writer.is_waiting = true;
  broker_->transactions().init_producer(
      fmt::format("id-{}", writer.number), 60'000, {},
      [this, &writer](const Result<ProducerIdentity>& given) {
        if (!alive()) return;
        writer.is_waiting = false;
        if (!given) return failed(writer, given.error());
        writer.identity = *given;
        std::ranges::fill(writer.sequences, 0);
        writer.sending.reset();
        writer.sent.reset();
        writer.step = Step::begin;
        // Unless its end was asked for, what was open is aborted now.
        bool was_open =
            writer.transaction != 0 && model_.fate_of_transaction(writer.transaction) == Fate::open;
        if (was_open) model_.decide(writer.transaction, Fate::aborted);
        writer.transaction = 0;
      });
}

void CompactionSimulation::begin(Writer& writer) {
  writer.is_waiting = true;
  if (writer.transaction == 0) {
    writer.transaction = model_.begin_transaction();
    writer.wants_commit = !random_.one_in(3);
  }
  trace("writer {} begins transaction {}", writer.number, writer.transaction);
  writer.begun_in = life_;
  writer.has_acknowledged = false;
  broker::TransactionPartitions added;
  for (std::int32_t p = 0; p < partitions; ++p) added["t"].insert(PartitionId{p});
  broker_->transactions().add_partitions(fmt::format("id-{}", writer.number), *writer.identity,
                                         added, [this, &writer](const Result<void>& done) {
                                           if (!alive()) return;
                                           writer.is_waiting = false;
                                           if (!done) return failed(writer, done.error());
                                           writer.step = Step::send;
                                         });
}

void CompactionSimulation::end(Writer& writer) {
  writer.is_waiting = true;
  trace("writer {} {} transaction {}", writer.number, writer.wants_commit ? "commits" : "aborts",
        writer.transaction);
  model_.decide(writer.transaction, writer.wants_commit ? Fate::unknown : Fate::aborted);
  broker_->transactions().end(fmt::format("id-{}", writer.number), *writer.identity,
                              writer.wants_commit, [this, &writer](const Result<void>& done) {
                                if (!alive()) return;
                                writer.is_waiting = false;
                                if (!done) return failed(writer, done.error());
                                trace("transaction {} is decided", writer.transaction);
                                if (writer.wants_commit)
                                  model_.decide(writer.transaction, Fate::kept);
                                writer.transaction = 0;
                                writer.step = Step::begin;
                              });
}

void CompactionSimulation::failed(Writer& writer, const Error& error) {
  trace("writer {} fails: {} ({})", writer.number, name(error.code), error.what);
  bool is_transactional = writer.kind == Kind::transactional;
  if (is_retriable(error.code)) {
    if (is_transactional && random_.one_in(6)) writer.step = Step::init;
    return;
  }
  // The transaction took too long, in the time that this simulation has made pass.
  bool is_fenced =
      error.code == Errc::producer_fenced || error.code == Errc::invalid_producer_epoch;
  if (is_fenced && is_transactional) {
    writer.step = Step::init;
    return;
  }
  // A crash may lose a transaction of which nothing was acknowledged; then it is aborted. After one
  // more crash nobody knows that it was.
  bool may_be_lost = error.code == Errc::invalid_txn_state && is_transactional &&
                     !writer.has_acknowledged && writer.begun_in != life_;
  if (may_be_lost && writer.step == Step::send) {
    writer.sending.reset();
    writer.wants_commit = false;
    writer.step = Step::end;
    return;
  }
  if (may_be_lost && writer.step == Step::end && !writer.wants_commit) {
    writer.step = Step::init;
    return;
  }
  object(fmt::format("writer {} is refused: {}", writer.number, error.what));
}

// What must be true.

bool CompactionSimulation::load(std::int32_t number) {
  auto at = partition(number);
  bool is_loaded = false;
  at->executor().post([at, &is_loaded] {
    at->load_producers([&is_loaded](const Result<void>&) { is_loaded = true; });
  });
  bool is_stable =
      wait_until([&] { return !alive() || (is_loaded && at->view()->last_stable_offset); });
  if (!is_stable) object("there is no last stable offset");
  return is_loaded && alive();
}

void CompactionSimulation::check_all() {
  for (std::int32_t p = 0; p < partitions && alive(); ++p) {
    if (!load(p)) return;
    auto view = partition(p)->view();
    std::vector<CompactionModel::Read> reading = read(p, *view);
    if (alive()) object(model_.check(p, view->start_offset.value(), reading));
  }
}

std::vector<CompactionModel::Read> CompactionSimulation::read(std::int32_t number,
                                                              const log::LogView& view) {
  std::vector<CompactionModel::Read> reading;
  Offset stable = view.last_stable_offset.value_or(Offset{0});
  if (stable > view.high_watermark) object("the last stable offset is above the high watermark");
  for (Offset next = view.start_offset; next < view.high_watermark && alive();) {
    auto slice = view.read(next, 1 << 16);
    if (!slice) object(fmt::format("{} of {}: {}", next.value(), number, slice.error().what));
    if (!slice || slice->bytes == 0) return reading;
    Bytes bytes(slice->bytes);
    static_cast<void>(slice->file->read_at(slice->position, bytes));
    std::vector<log::AbortedTransaction> aborted;
    if (slice->base_offset < stable) {
      aborted = view.aborted->find(slice->base_offset, std::min(slice->next_offset, stable));
    }
    for (BytesView rest(bytes); !rest.empty();) {
      auto batch = record::BatchView::parse(rest);
      rest = rest.subspan(batch->size_bytes());
      if (batch->next_offset() <= next) object("batches overlap");
      next = batch->next_offset();
      if (batch->is_control()) continue;
      auto is_of = [&](const log::AbortedTransaction& a) {
        return a.producer == batch->producer_id() && a.first <= batch->base_offset() &&
               batch->base_offset() < a.last;
      };
      bool is_committed = batch->base_offset() < stable &&
                          !(batch->is_transactional() && std::ranges::any_of(aborted, is_of));
      record::RecordIterator records(*batch);
      while (const record::Record* record = records.next()) {
        if (record->offset < view.start_offset) continue;
        auto header = record->headers.find(number_header);
        reading.push_back({record->offset.value(),
                           std::strtoull(std::string(as_text(*header->value)).c_str(), nullptr, 10),
                           std::string(as_text(*record->key)), !record->value, is_committed});
      }
      if (records.error() != nullptr) object("a batch cannot be read");
    }
  }
  return reading;
}

void CompactionSimulation::finish() {
  // Whoever takes an id ends what is open under it.
  for (Writer& writer : writers_) {
    if (writer.kind != Kind::transactional) continue;
    writer.step = Step::init;
    for (int i = 0; i < 20 && writer.step == Step::init && alive(); ++i) {
      init(writer);
      wait_until([&] { return !writer.is_waiting; });
    }
    if (writer.step == Step::init) object("a transactional id is stuck");
  }
  executor_.run_for(seconds(1));
  check_all();
  for (std::int32_t p = 0; p < partitions && alive(); ++p) {
    auto view = partition(p)->view();
    if (view->last_stable_offset != view->high_watermark) object("a transaction is still open");
  }
  // Once more when all that can be compacted is.
  executor_.run_for(seconds(120));
  check_all();
}

}  // namespace leat::sim
