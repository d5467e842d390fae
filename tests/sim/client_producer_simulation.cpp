#include "sim/client_producer_simulation.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace leat::sim {

using namespace std::chrono_literals;
using wire::ErrorCode;

namespace {

constexpr std::size_t steps_kept = 300;

ProducerOptions draw_options(Random& random) {
  ProducerOptions options;
  options.linger = std::chrono::milliseconds(random.between(0, 3));
  options.batch_bytes = static_cast<std::size_t>(random.between(1, 250));
  options.request_bytes = static_cast<std::size_t>(random.between(100, 2000));
  // Long enough for most, and short enough for some to be given up.
  options.delivery_timeout = std::chrono::milliseconds(random.between(100, 4000));
  return options;
}

ClusterModel::Faults draw_faults(Random& random) {
  auto maybe = [&](std::uint64_t one_in) { return random.one_in(2) ? one_in : 0; };
  return {maybe(30), maybe(30), maybe(20)};
}

}  // namespace

ClientProducerSimulation::ClientProducerSimulation(std::uint64_t seed, bool verbose)
    : seed_(seed),
      verbose_(verbose),
      random_(seed),
      plan_{.breaks = random_.one_in(4) ? 0U : static_cast<std::uint64_t>(random_.between(5, 60)),
            .leader_changes =
                random_.one_in(4) ? 0U : static_cast<std::uint64_t>(random_.between(20, 200)),
            .stops = random_.one_in(2) ? 0U : static_cast<std::uint64_t>(random_.between(50, 300)),
            .forgets = random_.one_in(4),
            .partitions = static_cast<int>(random_.between(1, 3)),
            .steps = static_cast<int>(random_.between(50, 600))},
      cluster_(executor_, Random(random_.next()), plan_.partitions, draw_faults(random_)),
      queue_(draw_options(random_), {5ms, 100ms}, Random(random_.next())),
      identity_({5ms, 100ms}, Random(random_.next())),
      values_(static_cast<std::size_t>(plan_.partitions)) {
  queue_.set_topic("t", plan_.partitions);
}

void ClientProducerSimulation::tell(const std::string& step) {
  std::string line = fmt::format("{:>9.3f} {}", static_cast<double>(now().count()) / 1e6, step);
  if (verbose_) fmt::print(stderr, "{}\n", line);
  steps_.push_back(std::move(line));
  if (steps_.size() > steps_kept) steps_.pop_front();
}

void ClientProducerSimulation::object(const std::string& objection) {
  if (!objection_.empty()) return;
  objection_ = fmt::format("seed {}: {}", seed_, objection);
  for (const std::string& step : steps_) objection_ += "\n  " + step;
}

std::string ClientProducerSimulation::run() {
  for (int step = 0; step < plan_.steps && objection_.empty(); ++step) {
    act();
    executor_.run_for(std::chrono::microseconds(random_.between(0, 4000)));
  }
  trace("the faults are over");
  cluster_.stop_faults();
  plan_.breaks = 0;
  for (int broker = 1; broker <= ClusterModel::brokers; ++broker) cluster_.start(broker);
  for (int i = 0; i < 600 && queue_.pending_records() > 0 && objection_.empty(); ++i)
    executor_.run_for(100ms);
  verify();
  return objection_;
}

void ClientProducerSimulation::act() {
  auto happens = [&](std::uint64_t one_in) { return one_in > 0 && random_.one_in(one_in); };
  for (auto& [broker, link] : links_)
    if (link->is_open && happens(plan_.breaks)) break_link(*link);
  for (int partition = 0; partition < plan_.partitions; ++partition) {
    if (happens(plan_.leader_changes)) {
      trace("partition {} gets another leader", partition);
      cluster_.change_leader(partition);
    }
  }
  for (int broker = 1; broker <= ClusterModel::brokers; ++broker) {
    if (!cluster_.is_up(broker)) {
      if (random_.one_in(20)) cluster_.start(broker);
    } else if (happens(plan_.stops)) {
      trace("broker {} stops", broker);
      cluster_.stop(broker);
      if (links_.contains(broker)) break_link(*links_[broker]);
    }
  }
  if (plan_.forgets && queue_.pending_records() == 0 && random_.one_in(3)) {
    trace("brokers forget the producer, after a long silence");
    executor_.run_for(client::producer_remembered + 1s);
    for (int partition = 0; partition < plan_.partitions; ++partition)
      cluster_.forget_producers(partition);
  }
  append();
}

void ClientProducerSimulation::append() {
  auto count = random_.below(6);
  for (std::uint64_t i = 0; i < count; ++i) {
    auto partition = static_cast<std::int32_t>(random_.below(values_.size()));
    auto& values = values_[static_cast<std::size_t>(partition)];
    std::string value = fmt::format(
        "{}{}", values.size(), random_.one_in(200) ? std::string(1, ClusterModel::poison) : "");
    client::OutRecord record;
    record.value = as_bytes(value);
    record.partition = partition;
    client::Hook hook;
    hook.tag = values.size();
    values.push_back({});
    if (!queue_.append("t", record, now(), std::move(hook))) object("a record is not taken");
  }
  look_soon();
}

void ClientProducerSimulation::look_soon() {
  if (std::exchange(is_looking_soon_, true)) return;
  executor_.post([this] {
    is_looking_soon_ = false;
    look();
  });
}

void ClientProducerSimulation::look() {
  auto ready = queue_.take(now(), [this](std::string_view topic, std::int32_t partition) {
    return metadata_.leader(topic, partition);
  });
  for (const client::Delivery& delivery : ready.expired) report(delivery);
  if (ready.needs_leader) ask_leaders();
  if (ready.needs_producer) ask_producer();
  for (Request& request : ready.requests) send(std::make_shared<Request>(std::move(request)));
  if (std::exchange(has_timer_, ready.next.has_value())) executor_.cancel(timer_);
  if (!ready.next) return;
  timer_ = executor_.after(std::max(*ready.next - now(), Time(0)), [this] {
    has_timer_ = false;
    look_soon();
  });
}

std::shared_ptr<ClientProducerSimulation::Link> ClientProducerSimulation::link_to(int broker) {
  auto found = links_.find(broker);
  if (found != links_.end() && found->second->is_open) return found->second;
  if (!cluster_.is_up(broker)) return nullptr;
  auto link = links_[broker] = std::make_shared<Link>();
  link->broker = broker;
  return link;
}

void ClientProducerSimulation::break_link(Link& link) {
  if (!std::exchange(link.is_open, false)) return;
  trace("the connection to broker {} breaks, {} unanswered", link.broker, link.lost.size());
  link.still_arriving = random_.one_in(2) ? 0 : random_.below(6);
  if (random_.one_in(2)) link.delay_when_broken = std::chrono::milliseconds(random_.below(400));
  for (auto& [call, lost] : std::exchange(link.lost, {}))
    executor_.after(std::chrono::microseconds(random_.below(300)), std::move(lost));
}

void ClientProducerSimulation::arrive(const std::shared_ptr<Link>& link,
                                      std::function<void()> work) {
  link->last_arrival =
      std::max(link->last_arrival, now() + std::chrono::microseconds(random_.below(3000)));
  executor_.after(link->last_arrival - now(), [this, link, work = std::move(work)] {
    if (link->is_open) return work();
    if (link->still_arriving == 0) return;
    --link->still_arriving;
    executor_.after(link->delay_when_broken, work);
  });
}

template <class Answer>
void ClientProducerSimulation::call(const std::shared_ptr<Link>& link,
                                    std::function<void(std::function<void(Answer)> answered)> ask,
                                    std::function<void(Answer)> use, std::function<void()> lost) {
  std::uint64_t id = ++link->last_call;
  link->lost[id] = std::move(lost);
  auto deliver = [this, link, id, use = std::move(use)](Answer answer) {
    link->last_answer =
        std::max(link->last_answer, now() + std::chrono::microseconds(random_.below(3000)));
    executor_.after(link->last_answer - now(), [link, id, use, answer = std::move(answer)] {
      if (link->lost.erase(id) > 0) use(answer);
    });
  };
  arrive(link, [this, link, ask = std::move(ask), deliver = std::move(deliver)] {
    // Its process may have died, and come back, since this was sent.
    if (cluster_.is_up(link->broker)) ask(deliver);
  });
}

void ClientProducerSimulation::send(std::shared_ptr<Request> request) {
  auto link = link_to(request->broker);
  if (!link) {
    executor_.after(1ms, [this, request] { unanswered(*request, false); });
    return;
  }
  // What is sent stays as it is, whatever becomes of the batches.
  auto message = std::make_shared<wire::ProduceRequest>();
  auto bytes = std::make_shared<std::vector<SharedBytes>>();
  auto& topic = message->topic_data.emplace_back();
  topic.name = "t";
  for (auto& batch : request->batches) {
    batch.seal(record::Compression::none);
    bytes->push_back(batch.bytes);
    std::int32_t partition = client::ProduceQueue::partition_of(batch);
    topic.partition_data.push_back({partition, wire::Records(batch.bytes.view())});
    trace("to broker {}, partition {}: {} records from {}, sequence {} of epoch {}",
          request->broker, partition, batch.record_count, batch.number, batch.numbering->sequence,
          batch.numbering->producer.epoch);
  }
  call<wire::ProduceResponse>(
      link,
      [this, link, message, bytes](std::function<void(wire::ProduceResponse)> answer) {
        cluster_.produce(link->broker, *message, std::move(answer));
      },
      [this, request](const wire::ProduceResponse& response) { answered(*request, response); },
      [this, request] { unanswered(*request, true); });
  // A broker that does not answer in time loses its connection.
  executor_.after(300ms, [this, link, id = link->last_call] {
    if (link->lost.contains(id)) break_link(*link);
  });
}

void ClientProducerSimulation::answered(Request& request, const wire::ProduceResponse& response) {
  for (std::size_t i = 0; i < request.batches.size(); ++i) {
    const auto& part = response.responses[0].partition_responses[i];
    trace("partition {}: {} for the records from {}", part.index, wire::name(part.error_code),
          request.batches[i].number);
    if (part.error_code == ErrorCode::not_leader_or_follower)
      metadata_.forget_leader("t", part.index);
    client::ProduceAnswer answer;
    answer.code = part.error_code;
    answer.base_offset = part.base_offset;
    answer.error.what = wire::name(part.error_code);
    auto delivery = queue_.answered(std::move(request.batches[i]), std::move(answer), now());
    if (delivery) report(*delivery);
  }
  look_soon();
}

void ClientProducerSimulation::unanswered(Request& request, bool was_sent) {
  for (auto& batch : request.batches) {
    std::int32_t partition = client::ProduceQueue::partition_of(batch);
    trace("partition {}: no answer for the records from {}", partition, batch.number);
    metadata_.forget_leader("t", partition);
    auto delivery =
        queue_.unanswered(std::move(batch), {Errc::connection_failed, "lost"}, was_sent, now());
    if (delivery) report(*delivery);
  }
  look_soon();
}

void ClientProducerSimulation::ask_producer() {
  if (!identity_.ask(now())) {
    if (auto next = identity_.next()) executor_.after(*next - now(), [this] { look_soon(); });
    return;
  }
  auto take = [this](const client::ProducerIdentity::Outcome& outcome) {
    if (outcome.producer) queue_.set_producer(*outcome.producer);
    look_soon();
  };
  auto lost = [this, take] {
    take(identity_.unanswered({Errc::connection_failed, "lost"}, now()));
  };
  auto link = link_to(static_cast<int>(random_.between(1, ClusterModel::brokers)));
  if (!link) return lost();
  call<wire::InitProducerIdResponse>(
      link, [this](auto answer) { answer(cluster_.init_producer_id()); },
      [this, take](const wire::InitProducerIdResponse& response) {
        take(identity_.answered(response, "it", now()));
      },
      lost);
}

void ClientProducerSimulation::ask_leaders() {
  if (std::exchange(is_asking_leaders_, true)) return;
  auto over = [this] {
    executor_.after(std::chrono::milliseconds(random_.between(1, 20)), [this] {
      is_asking_leaders_ = false;
      look_soon();
    });
  };
  int broker = static_cast<int>(random_.between(1, ClusterModel::brokers));
  auto link = link_to(broker);
  if (!link) return over();
  call<wire::MetadataResponse>(
      link, [this, broker](auto answer) { answer(cluster_.metadata(broker)); },
      [this, over](const wire::MetadataResponse& response) {
        metadata_.update(response);
        over();
      },
      over);
}

void ClientProducerSimulation::report(const client::Delivery& delivery) {
  trace("partition {}: {} records from {} are {}", delivery.partition, delivery.record_count,
        delivery.tags.front(),
        !delivery.error               ? "acknowledged"
        : delivery.possibly_persisted ? "given up, and may be there"
                                      : "given up");
  std::int64_t at = 0;
  for (std::uint64_t tag : delivery.tags) {
    Value& value = values_[static_cast<std::size_t>(delivery.partition)][tag];
    if (value.fate != Fate::pending) object("a record is reported twice");
    value.fate = !delivery.error               ? Fate::acknowledged
                 : delivery.possibly_persisted ? Fate::unknown
                                               : Fate::failed;
    if (delivery.base_offset) value.offset = *delivery.base_offset + at++;
  }
}

void ClientProducerSimulation::verify() {
  if (queue_.pending_records() > 0) object("records are never reported");
  if (queue_.buffered_bytes() > 0 && queue_.pending_records() == 0) object("memory is kept");
  // What is still on its way gets there.
  executor_.run_for(5s);
  for (int partition = 0; partition < plan_.partitions; ++partition) verify_partition(partition);
}

void ClientProducerSimulation::verify_partition(int partition) {
  std::vector<Value>& values = values_[static_cast<std::size_t>(partition)];
  std::vector<int> times(values.size());
  std::size_t next = 0;
  std::int64_t offset = 0;
  for (const std::string& text : cluster_.values(partition)) {
    std::size_t number = std::stoull(text);
    const Value& value = values[number];
    if (++times[number] > 1)
      object(fmt::format("partition {}: record {} is there twice", partition, number));
    if (number < next)
      object(fmt::format("partition {}: record {} stands behind {}", partition, number, next - 1));
    if (value.offset >= 0 && value.offset != offset)
      object(fmt::format("partition {}: record {} is at {}, not {}", partition, number, offset,
                         value.offset));
    if (value.fate == Fate::failed)
      object(fmt::format("partition {}: record {} is there though it failed", partition, number));
    next = number + 1;
    ++offset;
  }
  for (std::size_t number = 0; number < values.size(); ++number)
    if (values[number].fate == Fate::acknowledged && times[number] == 0)
      object(
          fmt::format("partition {}: record {} was acknowledged and is gone", partition, number));
}

}  // namespace leat::sim
