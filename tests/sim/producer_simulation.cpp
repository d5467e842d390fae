#include "sim/producer_simulation.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>
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

constexpr std::int32_t partitions = 3;
constexpr std::size_t window_max = 4;
constexpr std::int32_t timeout_ms = 60'000;

}  // namespace

ProducerSimulation::ProducerSimulation(std::uint64_t seed, bool verbose, const CrashPoint* point)
    : seed_(seed),
      verbose_(verbose),
      random_(seed),
      shards_(executor_, seed, seed % 2 == 0 ? 1 : 1 + seed % 4),
      files_(executor_, seed ^ 0x5eed),
      crasher_(files_, point, seed ^ 0xdead) {
  log::StoreOptions& store = options_.store;
  store.directory = "/data/leat";
  store.owner = "pid 1";
  store.free_bytes_min = 0;
  store.scrub_bytes_per_second = 0;
  store.journal_bytes = std::uint64_t{1} << random_.between(16, 20);
  store.direct_bytes = std::uint64_t{1} << random_.between(8, 16);
  store.commit_bytes_max = std::uint64_t{1} << random_.between(8, 20);
  if (random_.one_in(3)) files_.set_delays(milliseconds(0), milliseconds(20));
  with_failing_syncs_ = random_.one_in(4);
  with_second_ = random_.one_in(2);
  for (int i = 0; i < 4; ++i) {
    Producer& producer = producers_.emplace_back();
    producer.number = i;
    producer.is_transactional = i % 2 == 1;
    producer.id = fmt::format("id-{}", i);
  }
  order_.resize(producers_.size());
}

ProducerSimulation::~ProducerSimulation() {
  executor_.drop_all();
  broker_.reset();
}

void ProducerSimulation::tell(std::string step) {
  steps_.push_back(std::move(step));
  if (steps_.size() > 60) steps_.pop_front();
  if (verbose_) {
    fmt::print(stderr, "{:>9} ms  {}\n", executor_.wall_ms() % 1'000'000'000, steps_.back());
  }
}

void ProducerSimulation::object(const std::string& objection) {
  if (objection.empty() || !alive()) return;
  trace("OBJECTION: {}", objection);
  objection_ = objection;
}

std::string ProducerSimulation::run() {
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

void ProducerSimulation::open() {
  while (objection_.empty()) {
    ++life_;
    crasher_.begin_life();
    auto opened =
        broker::Broker::open({files_, executor_, executor_, metrics_, shards_.executors()},
                             options_, Random(random_.next()));
    if (!opened) {
      if (allow_recovery(files_, options_.store.directory, opened.error())) continue;
      return object("cannot open: " + opened.error().what);
    }
    broker_ = std::move(*opened);
    crasher_.now(Doing::anything);
    trace("life {}", life_);
    break;
  }
  if (!broker_ || broker_->find_topic("t")) return;
  std::optional<Result<broker::TopicInfo>> made;
  broker_->create_topic({"t", partitions, {{"segment.bytes", "20000"}}},
                        [&](Result<broker::TopicInfo> result) { made = std::move(result); });
  if (!wait_until([&] { return made.has_value(); }) || !*made) object("the topic is not made");
}

bool ProducerSimulation::wait_until(const std::function<bool()>& condition) {
  for (int i = 0; i < 300'000 && !condition(); ++i) {
    if (!executor_.run_one()) break;
  }
  return condition();
}

void ProducerSimulation::live() {
  if (!alive()) return;
  if (random_.one_in(2)) crasher_.stop_after(random_.below(600));
  std::int64_t actions = random_.between(20, 250);
  for (std::int64_t i = 0; i < actions && alive(); ++i) {
    auto draw = random_.below(20);
    if (draw == 0) {
      break_disk();
    } else if (draw < 3) {
      mend_disk();
    }
    if (draw < 12) {
      act(producers_[random_.below(producers_.size())]);
    } else {
      executor_.run_for(
          milliseconds(random_.one_in(10) ? random_.between(0, 3000) : random_.between(0, 3)));
    }
    if (random_.one_in(10)) check_stable();
  }
}

void ProducerSimulation::break_disk() {
  // Both at once may leave damage, though none of what was acknowledged.
  if (!with_failing_syncs_) {
    trace("the disk is full");
    files_.set_free_bytes(random_.below(3) * 4096);
  } else if (random_.one_in(3)) {
    trace("a sync fails");
    files_.fail_sync(random_.one_in(2) ? ".log" : "/journal/", 1 + random_.below(3));
  }
}

void ProducerSimulation::mend_disk() {
  files_.set_free_bytes({});
}

void ProducerSimulation::end_life() {
  bool is_power_loss = random_.one_in(2);
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
  // Nobody knows what became of what was under way: it is asked for again.
  for (Producer& producer : producers_) {
    producer.is_waiting = false;
    producer.is_resending = true;
    for (Sending& sending : producer.window) sending.is_in_flight = false;
  }
}

std::shared_ptr<broker::Partition> ProducerSimulation::partition(std::int32_t number) {
  return broker_->find_partition("t", PartitionId{number});
}

void ProducerSimulation::append(const Producer& producer, const Sending& sending,
                                std::function<void(Result<broker::Appended>)> done) {
  record::BatchBuilder builder;
  std::string value =
      sending.value + " " +
      std::string(random_.one_in(8) ? random_.below(40'000) : random_.below(400), 'x');
  for (std::int32_t i = 0; i < sending.records; ++i) {
    builder.append(executor_.wall_ms(), {}, as_bytes(value));
  }
  record::BatchOptions options;
  options.producer_id = producer.identity->id;
  options.producer_epoch = producer.identity->epoch;
  options.base_sequence = sending.sequence;
  options.is_transactional = producer.is_transactional;
  auto bytes = std::make_shared<Bytes>(builder.build(options));
  auto to = partition(sending.partition);
  int version = producer.is_of_second ? 12 : 9;
  to->executor().post([to, bytes, version, done = std::move(done)]() mutable {
    to->append(bytes, MutableBytes(*bytes), version, std::move(done));
  });
}

void ProducerSimulation::act(Producer& producer) {
  if (!producer.is_transactional) return act_idempotent(producer);
  if (producer.is_waiting) return;
  switch (producer.step) {
    case Step::init: return init(producer);
    case Step::begin: return begin(producer);
    case Step::send: return send_next(producer);
    case Step::offsets: return commit_offset(producer);
    case Step::end: return end(producer);
  }
}

// Producers without transactions: several batches in flight, as librdkafka and Java have.

void ProducerSimulation::act_idempotent(Producer& producer) {
  if (!producer.identity) {
    if (std::exchange(producer.is_waiting, true)) return;
    return broker_->producer_ids().draw([this, &producer](Result<ProducerId> id) {
      producer.is_waiting = false;
      if (id) producer.identity = ProducerIdentity{*id, 0};
    });
  }
  auto is_in_flight = [](const Sending& sending) { return sending.is_in_flight; };
  bool any_in_flight = std::any_of(producer.window.begin(), producer.window.end(), is_in_flight);
  if (producer.is_resending) {
    if (any_in_flight) return;
    producer.is_resending = false;
    for (Sending& sending : producer.window) send(producer, sending);
    return;
  }
  if (producer.window.size() >= window_max) return;
  Sending sending;
  sending.value = fmt::format("v{}", ++last_value_);
  sending.partition = static_cast<std::int32_t>(random_.below(partitions));
  sending.records = static_cast<std::int32_t>(random_.between(1, 3));
  sending.sequence = producer.sequences[sending.partition];
  sending.was_known = producer.known_in.contains(sending.partition);
  producer.sequences[sending.partition] += sending.records;
  values_[sending.value].partitions = {sending.partition};
  order_[static_cast<std::size_t>(producer.number)].push_back(sending.value);
  producer.window.push_back(sending);
  send(producer, producer.window.back());
}

void ProducerSimulation::send(Producer& producer, Sending& sending) {
  trace("producer {} sends {} to {} as {}", producer.number, sending.value, sending.partition,
        sending.sequence);
  sending.is_in_flight = true;
  append(producer, sending,
         [this, &producer, value = sending.value](Result<broker::Appended> result) {
           sent(producer, value, result);
         });
}

void ProducerSimulation::sent(Producer& producer, const std::string& value,
                              const Result<broker::Appended>& result) {
  if (!alive()) return;
  auto at = std::find_if(producer.window.begin(), producer.window.end(),
                         [&](const Sending& sending) { return sending.value == value; });
  if (result) {
    trace("{} is at {}", value, result->base_offset.value());
    values_[value].fate = Fate::acknowledged;
  }
  if (at == producer.window.end()) {
    bool was_given_up = result || values_[value].fate == Fate::unknown;
    return object(was_given_up ? "" : value + " is answered twice");
  }
  at->is_in_flight = false;
  if (result) {
    producer.known_in.insert(at->partition);
    producer.window.erase(at);
    return;
  }
  trace("{} is refused: {}", value, name(result.error().code));
  // A producer that is not known in the partition may begin there with any batch, and so with the
  // one behind that which failed.
  bool is_out_of_order = result.error().code == Errc::out_of_order_sequence;
  if (is_out_of_order && !at->was_known) return give_up(producer);
  // Behind one that failed, the next one of its partition does not fit.
  auto is_behind = [&](const Sending& other) { return other.partition == at->partition; };
  bool follows_failed = std::find_if(producer.window.begin(), at, is_behind) != at;
  bool is_excused = is_retriable(result.error().code) ||
                    (result.error().code == Errc::out_of_order_sequence && follows_failed);
  if (!is_excused) object(value + " is refused: " + result.error().what);
  producer.is_resending = true;
}

void ProducerSimulation::give_up(Producer& producer) {
  for (const Sending& sending : producer.window) values_[sending.value].fate = Fate::unknown;
  producer.window.clear();
  producer.sequences.clear();
  producer.known_in.clear();
  producer.identity.reset();
  producer.is_resending = false;
}

bool ProducerSimulation::is_retriable(Errc code) {
  return code == Errc::storage_error || code == Errc::no_space || code == Errc::io_error ||
         code == Errc::request_timed_out || code == Errc::coordinator_not_available ||
         code == Errc::concurrent_transactions;
}

// Transactions.

void ProducerSimulation::init(Producer& producer) {
  producer.is_waiting = true;
  broker_->transactions().init_producer(
      producer.id, timeout_ms, {}, [this, &producer](Result<ProducerIdentity> given) {
        producer.is_waiting = false;
        if (!given) return failed(producer, given.error());
        trace("producer {} is {}:{}", producer.number, given->id.value(), given->epoch);
        producer.identity = *given;
        producer.sequences.clear();
        producer.step = Step::begin;
        producer.is_of_second = with_second_ && random_.one_in(2);
        // Unless the decision was asked for, what was open is aborted now.
        auto open = values_.find(producer.value);
        if (open != values_.end() && open->second.fate == Fate::pending) {
          open->second.fate = Fate::aborted;
        }
        producer.value.clear();
      });
}

void ProducerSimulation::begin(Producer& producer) {
  producer.is_waiting = true;
  if (producer.value.empty()) {
    producer.value = fmt::format("t{}", ++last_value_);
    producer.sent = 0;
    producer.wants_commit = !random_.one_in(3);
    Value& value = values_[producer.value];
    for (std::int32_t p = 0; p < partitions; ++p) value.partitions.push_back(p);
    producer.begun_in = life_;
    producer.begun_ms = executor_.wall_ms();
    if (random_.one_in(2)) value.offset = static_cast<std::int64_t>(last_value_);
    value.group = producer.id;
  }
  trace("producer {} begins {}", producer.number, producer.value);
  if (producer.is_of_second) {
    producer.is_waiting = false;
    producer.step = Step::send;
    return;
  }
  broker::TransactionPartitions added;
  for (std::int32_t p = 0; p < partitions; ++p) added["t"].insert(PartitionId{p});
  if (values_[producer.value].offset > 0) {
    if (auto made = add_group_partition(added); !made) {
      producer.is_waiting = false;
      return failed(producer, made.error());
    }
  }
  broker_->transactions().add_partitions(producer.id, *producer.identity, added,
                                         [this, &producer](const Result<void>& done) {
                                           producer.is_waiting = false;
                                           if (!done) return failed(producer, done.error());
                                           producer.step = Step::send;
                                         });
}

void ProducerSimulation::send_next(Producer& producer) {
  Sending sending;
  sending.value = producer.value;
  sending.partition = producer.sent;
  sending.sequence = producer.sequences[sending.partition];
  producer.is_waiting = true;
  trace("producer {} sends {} to {}", producer.number, sending.value, sending.partition);
  append(producer, sending, [this, &producer, to = sending.partition](const auto& result) {
    producer.is_waiting = false;
    if (!result) return failed(producer, result.error());
    ++producer.sequences[to];
    if (++producer.sent < partitions) return;
    producer.step = values_[producer.value].offset > 0 ? Step::offsets : Step::end;
  });
}

void ProducerSimulation::end(Producer& producer) {
  producer.is_waiting = true;
  trace("producer {} {} {}", producer.number, producer.wants_commit ? "commits" : "aborts",
        producer.value);
  if (producer.wants_commit) values_[producer.value].fate = Fate::unknown;
  if (!producer.is_of_second) {
    return broker_->transactions().end(producer.id, *producer.identity, producer.wants_commit,
                                       [this, &producer](const Result<void>& done) {
                                         ended(producer, done ? nullptr : &done.error());
                                       });
  }
  broker_->transactions().end_and_raise(producer.id, *producer.identity, producer.wants_commit,
                                        [this, &producer](const Result<ProducerIdentity>& raised) {
                                          if (!raised) return ended(producer, &raised.error());
                                          trace("producer {} is {}:{}", producer.number,
                                                raised->id.value(), raised->epoch);
                                          if (*raised == *producer.identity)
                                            object("an end has not raised the epoch");
                                          producer.identity = *raised;
                                          producer.sequences.clear();
                                          ended(producer, nullptr);
                                        });
}

void ProducerSimulation::ended(Producer& producer, const Error* error) {
  producer.is_waiting = false;
  if (error != nullptr) return failed(producer, *error);
  trace("{} is decided", producer.value);
  values_[producer.value].fate = producer.wants_commit ? Fate::committed : Fate::aborted;
  producer.value.clear();
  producer.step = Step::begin;
}

void ProducerSimulation::failed(Producer& producer, const Error& error) {
  if (!alive()) return;
  trace("producer {} fails: {} ({})", producer.number, name(error.code), error.what);
  if (is_retriable(error.code)) {
    if (random_.one_in(6)) producer.step = Step::init;  // it gives up, and begins anew
    return;
  }
  // Nothing of it was acknowledged before the crash, so it may be lost; then it is aborted.
  bool is_lost = !producer.is_of_second && error.code == Errc::invalid_txn_state &&
                 producer.step == Step::send && producer.sent == 0 && producer.begun_in != life_;
  if (is_lost) {
    producer.wants_commit = false;
    producer.step = Step::end;
    return;
  }
  // And after one more crash nobody knows that it was.
  bool was_lost = !producer.is_of_second && error.code == Errc::invalid_txn_state &&
                  producer.step == Step::end && !producer.wants_commit && producer.sent == 0;
  if (was_lost) {
    producer.step = Step::init;
    return;
  }
  // The transaction took too long, in the time that this simulation has made pass.
  bool is_fenced =
      error.code == Errc::producer_fenced || error.code == Errc::invalid_producer_epoch;
  // In the second protocol its producer aborts it too, and goes on.
  bool is_late = executor_.wall_ms() - producer.begun_ms >= timeout_ms;
  bool is_refused = producer.step == Step::end
                        ? producer.wants_commit && error.code == Errc::invalid_txn_state
                        : is_fenced;
  if (producer.is_of_second && is_late && is_refused) {
    producer.wants_commit = false;
    producer.step = Step::end;
    return;
  }
  if (!is_fenced) object(fmt::format("producer {} is refused: {}", producer.number, error.what));
  producer.step = Step::init;
}

// What must be true.

void ProducerSimulation::check_stable() {
  for (std::int32_t p = 0; p < partitions && alive(); ++p) {
    auto at = partition(p);
    if (!at) continue;
    auto view = at->view();
    if (view->last_stable_offset && *view->last_stable_offset > view->high_watermark) {
      object("the last stable offset is above the high watermark");
    }
  }
}

std::vector<std::string> ProducerSimulation::read(std::int32_t number, bool is_committed) {
  auto view = partition(number)->view();
  std::vector<std::string> values;
  Offset next = view->start_offset;
  while (next < view->high_watermark && objection_.empty()) {
    auto slice = view->read_stable(next, 1 << 16);
    if (!slice || slice->bytes == 0) {
      object("records cannot be read: " + (slice ? "none" : slice.error().what));
      break;
    }
    Bytes bytes(slice->bytes);
    static_cast<void>(slice->file->read_at(slice->position, bytes));
    auto aborted = view->aborted->find(slice->base_offset, slice->next_offset);
    for (BytesView rest(bytes); !rest.empty();) {
      auto batch = record::BatchView::parse(rest);
      auto is_of = [&](const log::AbortedTransaction& a) {
        return a.producer == batch->producer_id() && a.first <= batch->base_offset() &&
               batch->base_offset() < a.last;
      };
      bool is_left_out = batch->is_control() ||
                         (is_committed && std::any_of(aborted.begin(), aborted.end(), is_of));
      record::RecordIterator records(*batch);
      const record::Record* record = records.next();
      if (!is_left_out) {
        std::string_view text = as_text(*record->value);
        values.emplace_back(text.substr(0, text.find(' ')));
      }
      rest = rest.subspan(batch->size_bytes());
    }
    next = slice->next_offset;
  }
  return values;
}

void ProducerSimulation::verify() {
  // Whoever takes an id ends what is open under it.
  for (Producer& producer : producers_) {
    if (!producer.is_transactional) continue;
    producer.step = Step::init;
    for (int i = 0; i < 20 && producer.step == Step::init && objection_.empty(); ++i) {
      init(producer);
      wait_until([&] { return !producer.is_waiting; });
    }
    if (producer.step == Step::init) object("a transactional id is stuck");
  }
  std::vector<std::map<std::string, int>> seen(partitions);
  for (std::int32_t p = 0; p < partitions && objection_.empty(); ++p) {
    auto at = partition(p);
    bool is_loaded = false;
    at->executor().post([at, &is_loaded] {
      at->load_producers([&is_loaded](const Result<void>&) { is_loaded = true; });
    });
    bool is_stable = wait_until([&] {
      auto view = at->view();
      return is_loaded && view->last_stable_offset == view->high_watermark;
    });
    if (!is_stable) return object("the last stable offset is stuck");
    std::vector<std::string> values = read(p, true);
    for (const std::string& value : values) ++seen[static_cast<std::size_t>(p)][value];
    for (const auto& order : order_) {
      std::size_t place = 0;
      for (const std::string& value : values) {
        auto found = std::find(order.begin(), order.end(), value);
        if (found == order.end()) continue;
        auto now = static_cast<std::size_t>(found - order.begin());
        if (now < place) object(value + " is behind what was sent after it");
        place = now;
      }
    }
  }
  for (const auto& [name, value] : values_) check_value(name, value, seen);
  check_offsets(seen.front());
}

void ProducerSimulation::check_value(const std::string& name, const Value& value,
                                     const std::vector<std::map<std::string, int>>& seen) {
  std::set<int> counts;
  for (std::int32_t p : value.partitions) {
    auto found = seen[static_cast<std::size_t>(p)].find(name);
    counts.insert(found == seen[static_cast<std::size_t>(p)].end() ? 0 : found->second);
  }
  if (counts.size() > 1) return object(name + " is in some of its partitions only");
  int count = *counts.begin();
  if (count > 1) return object(name + " is there more than once");
  bool must_be = value.fate == Fate::acknowledged || value.fate == Fate::committed;
  if (must_be && count == 0) return object(name + " is lost");
  if (value.fate == Fate::aborted && count > 0) object(name + " was aborted and is read");
}

}  // namespace leat::sim
