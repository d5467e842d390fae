#include "sim/client_transaction_simulation.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "broker/partition.h"
#include "log/aborted_transactions.h"
#include "record/batch.h"
#include "record/record.h"

namespace leat::sim {

using namespace std::chrono_literals;
using wire::ErrorCode;
using State = client::Transaction::State;

namespace {

constexpr std::int32_t partitions = 2;
const std::string topic = "out";
const std::string group = "g";
const client::Error lost{Errc::connection_failed, "lost"};

ProducerOptions draw_options(Random& random) {
  ProducerOptions options;
  options.transactional_id = "pay";
  options.linger = std::chrono::milliseconds(random.between(0, 3));
  options.batch_bytes = static_cast<std::size_t>(random.between(1, 250));
  options.delivery_timeout = std::chrono::milliseconds(random.between(500, 20'000));
  return options;
}

}  // namespace

ClientTransactionSimulation::Producer::Producer(const ProducerOptions& options, Random random)
    : queue(options, {5ms, 100ms}, Random(random.next())),
      transaction("pay", 60s, {5ms, 100ms}, Random(random.next())) {}

ClientTransactionSimulation::ClientTransactionSimulation(std::uint64_t seed, bool verbose,
                                                         const CrashPoint* point)
    : BrokerLives(seed, verbose, point, 3), with_second_(random_.one_in(2)) {
  options_.store.journal_bytes = std::uint64_t{1} << random_.between(16, 18);
  server_options_.broker = options_;
  if (random_.one_in(3)) files_.set_delays(0ms, 30ms);
}

ClientTransactionSimulation::~ClientTransactionSimulation() {
  // Requests that wait for answers hold their connection.
  if (producer_ && producer_->connection) producer_->connection->close();
}

void ClientTransactionSimulation::opened() {
  node_ = std::make_unique<server::Node>(server::Node{*broker_, server_options_, metrics_});
  make_topic(topic, partitions, {});
}

void ClientTransactionSimulation::ended() {
  if (producer_) {
    producer_->may_be_fenced |= producer_->is_initializing;
    disconnect();
  }
  node_.reset();
}

void ClientTransactionSimulation::live() {
  if (random_.one_in(2)) crasher_.stop_after(random_.below(400));
  std::int64_t actions = random_.between(30, 400);
  for (std::int64_t i = 0; i < actions && alive(); ++i) {
    if (producer_ && producer_->connection && random_.one_in(25)) {
      trace("the connection breaks");
      disconnect();
    }
    if (!producer_ || random_.one_in(150)) begin_anew();
    act();
    executor_.run_for(std::chrono::microseconds(random_.below(20'000)));
  }
}

void ClientTransactionSimulation::begin_anew() {
  trace("a producer starts");
  if (producer_) {
    bool is_unknown = producer_->step == Step::commit && producer_->is_waiting;
    if (!works_.empty() && works_.back().fate == Fate::open)
      works_.back().fate = is_unknown ? Fate::unknown : Fate::aborted;
    // What its process was waiting for is of no interest any more.
    producer_->waiting.clear();
    if (producer_->connection) producer_->connection->close();
  }
  producer_ = std::make_unique<Producer>(draw_options(random_), Random(random_.next()));
  producer_->queue.set_topic(topic, partitions);
}

void ClientTransactionSimulation::act() {
  Producer& producer = *producer_;
  auto asked = [&](const client::Result<void>& result) {
    if (!result) object("refused: " + result.error().what);
    producer.is_waiting = true;
  };
  auto is_over = [&] { return producer.transaction.error().has_value(); };
  if (!producer.is_waiting && objection_.empty()) {
    if (is_over()) producer.step = Step::abort;
    switch (producer.step) {
      case Step::init: asked(producer.transaction.init()); break;
      case Step::begin: begin(); break;
      case Step::write: write(); break;
      case Step::offsets:
        works_.back().offset = static_cast<std::int64_t>(works_.size());
        trace("offset {} in the transaction", works_.back().offset);
        asked(producer.transaction.send_offsets({{topic, 0, works_.back().offset, -1, ""}},
                                                {group, -1, "", {}}));
        break;
      case Step::commit:
        trace("commit {}", works_.size() - 1);
        producer.queue.flush();
        asked(producer.transaction.commit());
        break;
      case Step::abort:
        if (producer.transaction.state() == State::fatal) {
          if (!producer.may_be_fenced) object("fenced: " + producer.transaction.error()->what);
          return begin_anew();
        }
        trace("abort {}", works_.size() - 1);
        asked(producer.transaction.abort());
        fail_queue({Errc::cancelled, "aborted"});
        break;
    }
  }
  look();
}

void ClientTransactionSimulation::begin() {
  Producer& producer = *producer_;
  if (auto begun = producer.transaction.begin(with_second_); !begun)
    return object("cannot begin: " + begun.error().what);
  producer.queue.recover();
  producer.queue.set_producer(producer.transaction.producer());
  producer.is_failing = false;
  producer.step = Step::write;
  producer.left = static_cast<int>(random_.below(20));
  works_.push_back({Fate::open, std::vector<int>(partitions), 0});
  trace("begin {}", works_.size() - 1);
}

void ClientTransactionSimulation::write() {
  Producer& producer = *producer_;
  Work& work = works_.back();
  for (auto count = random_.below(4); count > 0 && producer.left > 0; --count, --producer.left) {
    auto partition = static_cast<std::int32_t>(random_.below(partitions));
    std::string value = fmt::format("{}:{}", works_.size() - 1,
                                    work.records[static_cast<std::size_t>(partition)]++);
    client::OutRecord record;
    record.value = as_bytes(value);
    record.partition = partition;
    if (!producer.queue.append(topic, record, now())) object("a record is not taken");
  }
  if (producer.left > 0) return;
  producer.step = random_.one_in(3)   ? Step::offsets
                  : random_.one_in(4) ? Step::abort
                                      : Step::commit;
}

void ClientTransactionSimulation::look() {
  Producer& producer = *producer_;
  auto ready = producer.queue.take(now(), [&](std::string_view name, std::int32_t partition) {
    auto leader = producer.metadata.leader(name, partition);
    if (!leader || producer.transaction.may_send(name, partition)) return leader;
    return std::optional(client::ProduceQueue::not_yet);
  });
  for (const client::Delivery& delivery : ready.expired) report(delivery);
  if (ready.needs_leader) describe();
  for (Request& request : ready.requests) send(std::make_shared<Request>(std::move(request)));
  drive();
}

void ClientTransactionSimulation::drive() {
  Producer& producer = *producer_;
  if (auto outgoing = producer.transaction.next(now(), producer.queue.pending_records() == 0))
    ask(*outgoing);
  if (producer.transaction.error()) fail_queue(*producer.transaction.error());
  if (!producer.is_waiting) return;
  if (auto result = producer.transaction.take_ended()) operation_ended(*result);
}

void ClientTransactionSimulation::operation_ended(const client::Result<void>& result) {
  Producer& producer = *producer_;
  producer.is_waiting = false;
  trace("that has {}", result ? "ended" : "failed: " + result.error().what);
  Step step = producer.step;
  if (!result) {
    // What was fenced, or is in doubt, is told by the next thing that is asked for.
    if (step == Step::init) object("a transactional id is refused: " + result.error().what);
    producer.step = Step::abort;
    return;
  }
  if (step == Step::commit) works_.back().fate = Fate::committed;
  if (step == Step::abort) works_.back().fate = Fate::aborted;
  producer.step = step == Step::offsets ? Step::commit : Step::begin;
}

void ClientTransactionSimulation::fail_queue(const client::Error& error) {
  if (std::exchange(producer_->is_failing, true)) return;
  for (const client::Delivery& delivery : producer_->queue.fail_all(error)) report(delivery);
}

void ClientTransactionSimulation::report(const client::Delivery& delivery) {
  if (!delivery.error) return;
  trace("partition {}: {} records failed: {}", delivery.partition, delivery.record_count,
        delivery.error->what);
  producer_->transaction.batch_failed(*delivery.error, delivery.was_sent);
}

void ClientTransactionSimulation::connect() {
  Producer& producer = *producer_;
  if (producer.connection || !node_) return;
  SimConnection::Peer peer;
  peer.answered = [this, &producer](const Bytes& frame) {
    auto header = wire::parse_response(frame);
    auto taken = producer.waiting.extract(header->correlation_id);
    if (taken.empty()) return object("an answer to nothing");
    taken.mapped()(&frame);
  };
  // A process that dies answers nothing more.
  peer.closed_by_server = [this](const std::string& reason) {
    if (reason != "a request could not be answered") object("a connection was closed: " + reason);
  };
  peer.object = [this](const std::string& what) { object(what); };
  producer.connection =
      std::make_shared<SimConnection>(*node_, *shards_.executors()[0], std::move(peer));
}

void ClientTransactionSimulation::disconnect() {
  Producer& producer = *producer_;
  if (producer.connection) std::exchange(producer.connection, nullptr)->close();
  for (auto& [id, take] : std::exchange(producer.waiting, {})) take(nullptr);
}

template <class R>
void ClientTransactionSimulation::call(const R& request, wire::Version version,
                                       std::function<void(const typename R::Response&)> use,
                                       std::function<void()> lost_it) {
  connect();
  Producer& producer = *producer_;
  wire::RequestHeader header;
  header.version = version;
  header.correlation_id = ++producer.last_id;
  header.client_id = "simulated";
  auto encoded = wire::encode_request(request, header);
  if (!encoded) return object("a request cannot be encoded: " + encoded.error().what);
  producer.waiting[producer.last_id] = [this, version, use = std::move(use),
                                        lost_it = std::move(lost_it)](const Bytes* frame) {
    if (frame == nullptr) return lost_it();
    auto response =
        wire::decode_response<typename R::Response>(*wire::parse_response(*frame), version);
    if (!response) return object("an answer cannot be read: " + response.error().what);
    use(*response);
  };
  // A request that gets lost takes the connection along, and so does one whose answer gets lost.
  bool is_request_lost = has_faults_ && random_.one_in(60);
  if (!is_request_lost) producer.connection->receive(encoded->bytes);
  if (is_request_lost || (has_faults_ && random_.one_in(40))) {
    executor_.after(std::chrono::microseconds(random_.below(5000)),
                    [this, weak = std::weak_ptr(producer.connection)] {
                      auto connection = weak.lock();
                      if (connection && producer_->connection == connection) disconnect();
                    });
  }
}

void ClientTransactionSimulation::send(std::shared_ptr<Request> request) {
  wire::ProduceRequest message;
  message.transactional_id = "pay";
  message.acks = -1;
  message.timeout_ms = 1000;
  auto& named = message.topic_data.emplace_back();
  named.name = topic;
  for (auto& batch : request->batches) {
    batch.seal(record::Compression::none);
    named.partition_data.push_back(
        {client::ProduceQueue::partition_of(batch), wire::Records(batch.bytes.view())});
    trace("partition {}: {} records, sequence {} of epoch {}", named.partition_data.back().index,
          batch.record_count, batch.numbering->sequence, batch.numbering->producer.epoch);
  }
  wire::Version version = producer_->transaction.is_second_protocol() ? 12 : 11;
  call<wire::ProduceRequest>(
      message, version,
      [this, request](const wire::ProduceResponse& response) {
        for (std::size_t i = 0; i < request->batches.size(); ++i) {
          const auto& part = response.responses[0].partition_responses[i];
          if (part.error_code != ErrorCode::none)
            trace("partition {}: {}", part.index, wire::name(part.error_code));
          client::ProduceAnswer answer;
          answer.code = part.error_code;
          answer.base_offset = part.base_offset;
          answer.error.what = wire::name(part.error_code);
          auto delivery =
              producer_->queue.answered(std::move(request->batches[i]), std::move(answer), now());
          if (delivery) report(*delivery);
        }
      },
      [this, request] {
        for (auto& batch : request->batches) {
          auto delivery = producer_->queue.unanswered(std::move(batch), lost, true, now());
          if (delivery) report(*delivery);
        }
      });
}

void ClientTransactionSimulation::ask(const client::Transaction::Outgoing& outgoing) {
  std::visit(
      [&]<class R>(const R& request) {
        trace("{} in version {}", wire::name(R::key), outgoing.version_max);
        producer_->is_initializing = R::key == wire::ApiKey::init_producer_id;
        call<R>(
            request, outgoing.version_max,
            [this](const typename R::Response& response) {
              // What is put off may have been begun all the same.
              bool is_refused = false;
              if constexpr (R::key == wire::ApiKey::init_producer_id) {
                is_refused = response.error_code != wire::ErrorCode::none;
              }
              producer_->is_initializing = is_refused;
              producer_->transaction.answered(response, "it", now());
            },
            [this] { producer_->transaction.unanswered(lost, now()); });
      },
      outgoing.request);
}

void ClientTransactionSimulation::describe() {
  wire::MetadataRequest request;
  request.topics.emplace();
  request.topics->push_back({.topic_id = {}, .name = topic});
  call<wire::MetadataRequest>(
      request, 12,
      [this](const wire::MetadataResponse& response) { producer_->metadata.update(response); },
      [] {});
}

void ClientTransactionSimulation::finish() {
  trace("the faults are over");
  has_faults_ = false;
  if (!producer_) begin_anew();
  std::size_t before = works_.size();
  auto has_committed = [&] {
    return producer_->step == Step::begin && works_.size() > before &&
           works_.back().fate == Fate::committed &&
           std::ranges::all_of(works_.back().records, [](int count) { return count > 0; });
  };
  for (int i = 0; i < 6000 && alive() && !has_committed(); ++i) {
    act();
    executor_.run_for(20ms);
  }
  if (alive() && !has_committed()) object("nothing can be committed any more");
  if (!alive()) return;
  // Whoever takes the id ends what is open under it.
  begin_anew();
  for (int i = 0; i < 6000 && alive() && producer_->step != Step::begin; ++i) {
    act();
    executor_.run_for(20ms);
  }
  executor_.run_for(5s);
  if (alive()) verify();
}

std::vector<std::string> ClientTransactionSimulation::read(std::int32_t number) {
  auto at = broker_->find_topic(topic)->partitions[static_cast<std::size_t>(number)];
  bool is_loaded = false;
  at->executor().post([at, &is_loaded] {
    at->load_producers([&is_loaded](const Result<void>&) { is_loaded = true; });
  });
  bool is_stable = wait_until([&] {
    auto now = at->view();
    return is_loaded && now->last_stable_offset == now->high_watermark;
  });
  if (!is_stable) object("the last stable offset is stuck");
  auto view = at->view();
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
      bool is_left_out =
          batch->is_control() || std::ranges::any_of(aborted, [&](const auto& transaction) {
            return transaction.producer == batch->producer_id() &&
                   transaction.first <= batch->base_offset() &&
                   batch->base_offset() < transaction.last;
          });
      record::RecordIterator records(*batch);
      while (const record::Record* record = is_left_out ? nullptr : records.next())
        values.emplace_back(as_text(*record->value));
      rest = rest.subspan(batch->size_bytes());
    }
    next = slice->next_offset;
  }
  return values;
}

void ClientTransactionSimulation::verify() {
  // By transaction, how many of its records were found.
  std::vector<int> found(works_.size());
  std::vector<int> written(works_.size());
  for (std::int32_t partition = 0; partition < partitions && alive(); ++partition) {
    auto at = static_cast<std::size_t>(partition);
    std::pair<std::size_t, int> expected{0, 0};
    for (const std::string& value : read(partition)) {
      std::size_t work = std::stoull(value);
      int record = std::stoi(value.substr(value.find(':') + 1));
      bool is_next = expected == std::pair(work, record) || (record == 0 && work >= expected.first);
      if (!is_next)
        object(fmt::format("partition {}: {} is doubled or misplaced", partition, value));
      expected = {work, record + 1};
      ++found[work];
    }
    for (std::size_t work = 0; work < works_.size(); ++work)
      written[work] += works_[work].records[at];
  }
  std::vector<bool> is_there(works_.size());
  for (std::size_t work = 0; work < works_.size() && alive(); ++work) {
    Fate fate = works_[work].fate;
    is_there[work] = found[work] > 0 || fate == Fate::committed;
    bool is_whole = found[work] == written[work];
    if (found[work] > 0 && !is_whole)
      object(fmt::format("{} of the {} records of transaction {} are there", found[work],
                         written[work], work));
    if (fate == Fate::committed && !is_whole)
      object(fmt::format("transaction {} was committed and is gone", work));
    if (fate == Fate::aborted && found[work] > 0)
      object(fmt::format("transaction {} was aborted and is there", work));
  }
  if (alive()) verify_offset(is_there);
}

void ClientTransactionSimulation::verify_offset(const std::vector<bool>& is_there) {
  std::int64_t expected = 0;
  // Of one of which nobody knows, and that wrote nothing, nobody can tell.
  bool is_certain = true;
  for (std::size_t work = 0; work < works_.size(); ++work) {
    if (works_[work].offset == 0) continue;
    bool wrote = std::ranges::any_of(works_[work].records, [](int count) { return count > 0; });
    if (works_[work].fate == Fate::unknown && !wrote) is_certain = false;
    if (is_there[work]) {
      expected = works_[work].offset;
      is_certain = true;
    }
  }
  std::int64_t told = 0;
  bool is_stable = wait_until([&] {
    auto fetched = broker_->groups().fetch(group, topic, 0, true);
    told = fetched.value ? fetched.value->offset : 0;
    return fetched.error == broker::GroupError::none;
  });
  if (!is_stable) return object("the offset of the group stays unstable");
  if (is_certain && told != expected)
    object(fmt::format("the group's offset is {}, and transactions committed {}", told, expected));
}

}  // namespace leat::sim
