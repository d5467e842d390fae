#include "sim/client_consumer_simulation.h"

#include <algorithm>

#include <fmt/format.h>

#include "record/builder.h"

namespace leat::sim {
namespace {

using broker::GroupError;
using client::FetchPlan;
using client::GroupMember;
using client::MemberIdentity;
using client::Positions;
using client::TopicPartitions;
using std::chrono::milliseconds;
using wire::ErrorCode;

constexpr const char* group = "g";
constexpr const char* topic = "t";
constexpr std::int32_t partitions_max = 6;
constexpr milliseconds session{2000};
constexpr milliseconds rebalance{3000};
constexpr milliseconds patience{5000};  // of a client with an answer
constexpr int static_number = 2;        // the consumer that is a static member

Positions::Place place(std::int32_t partition) {
  return {topic, partition};
}

}  // namespace

ClientConsumerSimulation::ClientConsumerSimulation(std::uint64_t seed, bool verbose,
                                                   const CrashPoint* point)
    : BrokerLives(seed, verbose, point, 3) {
  options_.store.journal_bytes = std::uint64_t{1} << random_.between(16, 18);
  options_.groups.session_timeout_min = milliseconds(100);
  if (random_.one_in(3)) files_.set_delays(milliseconds(0), milliseconds(30));
  const Assignor assignors[] = {Assignor::cooperative_sticky, Assignor::cooperative_sticky,
                                Assignor::sticky, Assignor::range, Assignor::round_robin};
  assignor_ = assignors[random_.below(5)];
  std::int64_t count = random_.between(2, 4);
  for (int i = 1; i <= count; ++i) consumers_.emplace_back().number = i;
}

// Lives.

void ClientConsumerSimulation::opened() {
  make_topic(topic, partitions_max, {});
  bool is_ready = false;
  broker_->groups().when_ready([&](GroupError error) { is_ready = error == GroupError::none; });
  bool is_known = wait_until([&] { return !alive() || is_ready; });
  if (!is_known) return object("groups are not available");
  // A group that has committed something goes on counting its generations, also without members.
  broker::CommitRequest kept;
  kept.group_id = group;
  kept.partitions.push_back({topic, partitions_max - 1, 0});
  bool is_done = last_life_ > 0;
  if (!is_done) {
    broker_->groups().commit(std::move(kept), [&](const auto&) { is_done = true; });
  }
  wait_until([&] { return !alive() || is_done; });
}

void ClientConsumerSimulation::live() {
  if (random_.one_in(2)) crasher_.stop_after(random_.below(400));
  std::int64_t actions = random_.between(100, 600);
  for (std::int64_t i = 0; i < actions && alive(); ++i) {
    Consumer& consumer = consumers_[random_.below(consumers_.size())];
    auto draw = random_.below(100);
    if (draw < 40) {
      pass(milliseconds(random_.between(1, 60)));
    } else if (draw < 70) {
      process(consumer);
    } else if (draw < 80) {
      produce();
    } else if (draw < 88) {
      start(consumer);
    } else if (draw == 88) {
      die(consumer);
    } else if (draw == 89) {
      leave(consumer);
    } else if (draw == 90 && random_.one_in(2)) {
      consumer.cut_until = now() + milliseconds(random_.between(100, 4000));
      trace("consumer {} is cut off", consumer.number);
    } else if (draw == 91 && count_ < partitions_max && random_.one_in(4)) {
      trace("there are {} partitions", ++count_);
    } else if (draw == 92) {
      pass(milliseconds(random_.between(500, 3000)));
    } else if (draw == 93) {
      elect();
    }
    act(consumer);
  }
}

void ClientConsumerSimulation::ended() {
  for (Consumer& consumer : consumers_) {
    auto under_way = std::exchange(consumer.under_way, {});
    for (auto& [call, failed] : under_way) failed();
  }
}

void ClientConsumerSimulation::pass(milliseconds time) {
  for (milliseconds passed{0}; passed < time && alive(); passed += milliseconds(20)) {
    executor_.run_for(std::min(milliseconds(20), time - passed));
    for (Consumer& consumer : consumers_) act(consumer);
  }
}

void ClientConsumerSimulation::finish() {
  is_disturbed_ = false;
  for (Consumer& consumer : consumers_) consumer.cut_until = Time(0);
  for (int i = 0; i < 1500 && alive() && !is_settled(); ++i) {
    start(consumers_.front());
    pass(milliseconds(20));
    for (Consumer& consumer : consumers_) process(consumer);
  }
  if (!alive() || is_settled()) return;
  for (const auto& [partition, log] : logs_) {
    trace("{} of {}, {} processed, {} committed", partition, log.size(), processed_[partition],
          committed_[partition]);
  }
  for (const Consumer& consumer : consumers_) {
    if (!consumer.member) continue;
    trace("consumer {} is {} and has {}", consumer.number,
          consumer.member->identity() ? "stable" : "joining",
          client::count_of(consumer.member->owned()));
  }
  object("the group does not get to the end");
}

bool ClientConsumerSimulation::is_settled() const {
  std::int32_t owned = 0;
  for (const Consumer& consumer : consumers_) {
    if (!consumer.member) continue;
    if (!consumer.member->identity() || !consumer.revoking.empty()) return false;
    owned += static_cast<std::int32_t>(client::count_of(consumer.member->owned()));
  }
  auto up_to = [](const auto& offsets, std::int32_t partition) {
    auto known = offsets.find(partition);
    return known == offsets.end() ? 0 : known->second;
  };
  for (std::int32_t p = 0; p < count_; ++p) {
    auto log = logs_.find(p);
    std::int64_t end = log == logs_.end() ? 0 : std::ssize(log->second);
    if (up_to(processed_, p) != end || up_to(committed_, p) != end) return false;
  }
  return owned == count_;
}

// What processes do.

void ClientConsumerSimulation::start(Consumer& consumer) {
  if (consumer.member) return;
  client::GroupMemberOptions options;
  options.group = group;
  options.topics = {topic};
  options.assignors = {assignor_};
  options.session_timeout = session;
  options.rebalance_timeout = rebalance;
  options.heartbeat_interval = milliseconds(300);
  if (consumer.number == static_number) options.instance_id = "static";
  consumer.member = std::make_unique<GroupMember>(std::move(options));
  consumer.positions = std::make_unique<Positions>(group, 0);
  consumer.plan = std::make_unique<FetchPlan>(ConsumerOptions());
  consumer.epochs.clear();
  consumer.life = ++last_life_;
  consumer.is_leaving = false;
  trace("consumer {} starts", consumer.number);
}

void ClientConsumerSimulation::die(Consumer& consumer) {
  if (!consumer.member) return;
  trace("consumer {} dies", consumer.number);
  stop(consumer);
}

void ClientConsumerSimulation::stop(Consumer& consumer) {
  excuse(consumer.member->owned());
  consumer.under_way.clear();
  consumer.revoking.clear();
  consumer.reading.clear();
  consumer.positions.reset();
  consumer.plan.reset();
  consumer.member.reset();
}

void ClientConsumerSimulation::leave(Consumer& consumer) {
  if (!consumer.member || consumer.is_leaving) return;
  trace("consumer {} begins to leave", consumer.number);
  consumer.is_leaving = true;
  consumer.positions->all_done();
  consumer.reading.clear();
}

void ClientConsumerSimulation::produce() {
  auto partition = static_cast<std::int32_t>(random_.below(static_cast<std::uint64_t>(count_)));
  auto count = static_cast<std::size_t>(random_.between(1, 9));
  logs_[partition].insert(logs_[partition].end(), count, leader_epochs_[partition]);
}

/// A leader that may not have everything, which nobody notices by offsets once it has got more.
void ClientConsumerSimulation::elect() {
  auto partition = static_cast<std::int32_t>(random_.below(static_cast<std::uint64_t>(count_)));
  Log& log = logs_[partition];
  ++leader_epochs_[partition];
  if (log.empty() || random_.one_in(2)) return;
  std::int64_t end =
      std::ssize(log) - random_.between(1, std::min<std::int64_t>(9, std::ssize(log)));
  trace("{} is cut from {} on", partition, end);
  log.resize(static_cast<std::size_t>(end));
  auto cut = cut_.try_emplace(partition, end).first;
  cut->second = std::min(cut->second, end);
  processed_[partition] = std::min(processed_[partition], end);
  excused_[partition] = std::min(excused_[partition], end);
  by_whom_.erase(by_whom_.lower_bound({partition, end}), by_whom_.lower_bound({partition + 1, 0}));
}

FetchPlan::LeaderOf ClientConsumerSimulation::leader_of(Consumer& consumer) const {
  return [this, &consumer](std::string_view, std::int32_t partition) {
    auto known = leader_epochs_.find(partition);
    auto told =
        consumer.epochs.try_emplace(partition, known == leader_epochs_.end() ? 0 : known->second);
    return FetchPlan::Leader{1, told.first->second};
  };
}

/// Reads on, and processes what there is.
void ClientConsumerSimulation::process(Consumer& consumer) {
  if (!consumer.member || consumer.is_leaving || consumer.reading.empty()) return;
  consumer.positions->all_done();
  check_positions(consumer);
  FetchPlan::Asked asked = consumer.plan->ask(1, leader_of(consumer));
  if (asked.request.topics.empty()) return;
  // The first of them: others are asked for again.
  wire::FetchResponse response;
  wire::FetchResponse::Partition part = fetch(asked.request.topics[0].partitions.at(0));
  std::int32_t partition = part.partition_index;
  if (part.error_code == ErrorCode::fenced_leader_epoch) {
    consumer.epochs[partition] = leader_epochs_[partition];
  }
  response.responses.push_back({.topic = topic, .topic_id = {}, .partitions = {std::move(part)}});
  take(consumer, consumer.plan->take_answer(asked.ticket, response, nullptr, "b:1"));
}

void ClientConsumerSimulation::check_positions(Consumer& consumer) {
  auto check = consumer.plan->check(1, leader_of(consumer));
  if (!check) return;
  wire::OffsetForLeaderEpochResponse response;
  auto& parts = response.topics.emplace_back();
  parts.topic = topic;
  for (const auto& asked : check->request.topics.at(0).partitions) {
    auto& part = parts.partitions.emplace_back();
    part.partition = asked.partition;
    if (asked.current_leader_epoch < leader_epochs_[asked.partition]) {
      part.error_code = ErrorCode::fenced_leader_epoch;
      consumer.epochs[asked.partition] = leader_epochs_[asked.partition];
      continue;
    }
    const Log& log = logs_[asked.partition];
    auto end = std::ranges::upper_bound(log, asked.leader_epoch);
    part.end_offset = end - log.begin();
    part.leader_epoch = end == log.begin() ? 0 : *std::prev(end);
  }
  take(consumer, consumer.plan->take_answer(check->ticket, response, "b:1"));
}

wire::FetchResponse::Partition ClientConsumerSimulation::fetch(
    const wire::FetchRequest::Partition& asked) {
  wire::FetchResponse::Partition part;
  part.partition_index = asked.partition;
  const Log& log = logs_[asked.partition];
  auto begin = static_cast<std::size_t>(asked.fetch_offset);
  if (asked.current_leader_epoch < leader_epochs_[asked.partition]) {
    part.error_code = ErrorCode::fenced_leader_epoch;
  } else if (begin > log.size()) {
    part.error_code = ErrorCode::offset_out_of_range;
  } else if (begin < log.size()) {
    record::BatchBuilder builder;
    auto count = static_cast<std::size_t>(random_.between(1, 6));
    for (std::size_t at = begin; at < log.size() && at < begin + count; ++at) {
      if (log[at] == log[begin]) builder.append(0, std::nullopt, BytesView());
    }
    batch_ = builder.build(
        {.base_offset = Offset{asked.fetch_offset}, .leader_epoch = LeaderEpoch{log[begin]}});
    part.records = wire::Records(batch_);
  }
  return part;
}

void ClientConsumerSimulation::take(Consumer& consumer, FetchPlan::Outcome outcome) {
  if (outcome.error) object(outcome.error->what);
  for (const auto& lost : outcome.out_of_range) {
    trace("consumer {}: {}", consumer.number, lost.error.what);
    consumer.reading.erase(lost.partition);
    bool goes_on = lost.cut ? consumer.positions->cut_off(place(lost.partition), lost.cut->offset,
                                                          lost.cut->leader_epoch)
                            : consumer.positions->out_of_range(place(lost.partition));
    if (!goes_on) object("there is no place to go to");
  }
  for (const auto& fetched : outcome.fetched) {
    for (std::int64_t offset = fetched.begin; offset < fetched.end; ++offset) {
      process(consumer, fetched.partition, offset);
    }
    consumer.positions->given(place(fetched.partition), fetched.end, fetched.leader_epoch);
  }
}

void ClientConsumerSimulation::process(Consumer& consumer, std::int32_t partition,
                                       std::int64_t offset) {
  std::string record = fmt::format("{}@{}", partition, offset);
  auto& generations = by_whom_[{partition, offset}];
  auto [by, is_first] = generations.try_emplace(consumer.generation, consumer.life);
  // A static member that died, or lost its partitions, may be back in the same generation.
  bool is_back = consumer.number == static_number && by->second != consumer.life;
  if (!is_first && !is_back) {
    return object(
        fmt::format("{} is processed twice in generation {}", record, consumer.generation));
  }
  by->second = consumer.life;
  std::int64_t& end = processed_[partition];
  if (offset > end) object(fmt::format("{} comes after {}", record, end));
  bool has_been_replaced = consumer.generation < given_in_[partition];
  bool is_excused =
      offset < excused_[partition] || has_been_replaced || is_held_by_another(consumer, partition);
  if (offset < end && !is_excused) {
    object(
        fmt::format("consumer {} processes {} again, which nobody lost", consumer.number, record));
  }
  end = std::max(end, offset + 1);
  most_processed_[partition] = std::max(most_processed_[partition], end);
}

bool ClientConsumerSimulation::is_held_by_another(const Consumer& consumer,
                                                  std::int32_t partition) const {
  return std::ranges::any_of(consumers_, [&](const Consumer& other) {
    return &other != &consumer && other.positions && other.positions->contains(place(partition));
  });
}

void ClientConsumerSimulation::excuse(const TopicPartitions& partitions) {
  for (const auto& [name, numbers] : partitions) {
    for (std::int32_t partition : numbers) excused_[partition] = processed_[partition];
  }
}

// What their machines ask for.

void ClientConsumerSimulation::act(Consumer& consumer) {
  if (!consumer.member || !alive()) return;
  take_changes(consumer);
  if (consumer.member->wants_counts() || random_.one_in(10)) {
    consumer.member->take_counts({{topic, count_}});
    take_changes(consumer);
  }
  mind_offsets(consumer);
  send_member_request(consumer);
  take_changes(consumer);
  if (consumer.member->error()) {
    trace("consumer {} ends: {}", consumer.number, consumer.member->error()->what);
    stop(consumer);
  } else if (consumer.member->has_left()) {
    trace("consumer {} has left", consumer.number);
    stop(consumer);
  }
}

void ClientConsumerSimulation::take_changes(Consumer& consumer) {
  for (Change& change : consumer.member->take_changes()) {
    if (change.kind == Change::Kind::assigned) {
      assigned(consumer, change);
      continue;
    }
    bool is_lost = change.kind == Change::Kind::lost;
    trace("consumer {} {} {}", consumer.number, is_lost ? "has lost" : "is to give up",
          fmt::join(change.partitions[topic], " "));
    if (is_lost) {
      excuse(change.partitions);
      consumer.revoking.clear();
      consumer.life = ++last_life_;
    } else {
      consumer.positions->all_done();
    }
    for (std::int32_t partition : change.partitions[topic]) {
      stop_reading(consumer, partition);
      if (is_lost) consumer.positions->remove(place(partition));
    }
    if (!is_lost) consumer.revoking.push_back(std::move(change));
  }
}

void ClientConsumerSimulation::stop_reading(Consumer& consumer, std::int32_t partition) {
  consumer.reading.erase(partition);
  consumer.plan->remove(topic, partition);
}

void ClientConsumerSimulation::assigned(Consumer& consumer, const Change& change) {
  auto identity = consumer.member->identity();
  if (!identity) return object("who is no member is given something");
  consumer.generation = identity->generation;
  trace("consumer {} has{} in generation {}", consumer.number,
        client::count_of(change.partitions) == 0 ? " nothing new" : "", consumer.generation);
  for (const auto& [name, numbers] : change.partitions) {
    for (std::int32_t partition : numbers) {
      trace("consumer {} gets {}", consumer.number, partition);
      for (const Consumer& other : consumers_) {
        bool is_shared = &other != &consumer && other.generation == consumer.generation &&
                         other.reading.contains(partition);
        if (!is_shared) continue;
        object(fmt::format("consumers {} and {} both read {} in generation {}", other.number,
                           consumer.number, partition, consumer.generation));
      }
      consumer.positions->add(place(partition));
      given_in_[partition] = std::max(given_in_[partition], consumer.generation);
      if (is_held_by_another(consumer, partition)) excused_[partition] = processed_[partition];
    }
  }
}

void ClientConsumerSimulation::send_member_request(Consumer& consumer) {
  while (auto outgoing = consumer.member->next_request(now())) {
    std::visit([&](const auto& request) { ask(consumer, outgoing->ticket, request); },
               outgoing->request);
  }
}

void ClientConsumerSimulation::mind_offsets(Consumer& consumer) {
  give_up(consumer);
  Positions& positions = *consumer.positions;
  for (const auto& look_up : positions.take_look_ups()) positions.looked_up(look_up, 0, 0);
  for (const auto& start : positions.take_starts()) {
    bool is_going = std::ranges::any_of(consumer.revoking, [&](const Change& change) {
      return client::contains(change.partitions, topic, start.place.partition);
    });
    if (is_going || consumer.is_leaving) continue;
    consumer.reading.insert(start.place.partition);
    consumer.plan->add({topic, start.place.partition, start.offset, start.leader_epoch});
  }
  auto identity = consumer.member->identity();
  if (consumer.is_leaving && (!identity || !positions.is_behind())) {
    if (positions.is_behind()) excuse(consumer.member->owned());
    for (std::int32_t p = 0; p < partitions_max; ++p) positions.remove(place(p));
    consumer.member->leave();
    return;
  }
  if (!identity || now() < consumer.retry_at) return;
  fetch_offsets(consumer);
  bool is_urgent = consumer.is_leaving || !consumer.revoking.empty();
  if (is_urgent || random_.one_in(5)) commit(consumer, *identity);
}

void ClientConsumerSimulation::give_up(Consumer& consumer) {
  while (!consumer.revoking.empty()) {
    Change& change = consumer.revoking.front();
    if (consumer.positions->is_behind(change.partitions)) return;
    for (std::int32_t partition : change.partitions[topic]) {
      consumer.positions->remove(place(partition));
    }
    consumer.member->given_up(change.number);
    consumer.revoking.pop_front();
  }
}

void ClientConsumerSimulation::fetch_offsets(Consumer& consumer) {
  auto request = consumer.positions->fetch_request();
  if (!request) return;
  auto later = [this, &consumer] { consumer.retry_at = now() + milliseconds(50); };
  call<wire::OffsetFetchResponse>(
      consumer, [this, request = *request](auto reply) { serve(request, std::move(reply)); },
      [=, &consumer](const wire::OffsetFetchResponse& response) {
        if (consumer.positions->take(response).retry) later();
      },
      [=, &consumer] {
        consumer.positions->fetch_failed();
        later();
      });
}

void ClientConsumerSimulation::commit(Consumer& consumer, const MemberIdentity& identity) {
  auto request = consumer.positions->commit_request(identity);
  if (!request) return;
  auto later = [this, &consumer] { consumer.retry_at = now() + milliseconds(50); };
  call<wire::OffsetCommitResponse>(
      consumer, [this, request = *request](auto reply) { serve(request, std::move(reply)); },
      [=, this, &consumer](const wire::OffsetCommitResponse& response) {
        auto outcome = consumer.positions->take(response);
        if (!outcome.refused.empty()) object("a commit is refused");
        if (outcome.retry) later();
        if (!outcome.about_member) return;
        consumer.member->refused(*outcome.about_member, identity.generation, now());
      },
      [=, &consumer] {
        consumer.positions->commit_failed();
        later();
      });
}

// The network.

bool ClientConsumerSimulation::loses(const Consumer& consumer) {
  return now() < consumer.cut_until || (is_disturbed_ && random_.one_in(25)) || !broker_;
}

milliseconds ClientConsumerSimulation::delay() {
  if (!is_disturbed_) return milliseconds(1);
  return milliseconds(random_.one_in(20) ? random_.between(0, 1500) : random_.between(0, 20));
}

void ClientConsumerSimulation::fail_call(Consumer& consumer, std::uint64_t call) {
  auto found = consumer.under_way.find(call);
  if (found == consumer.under_way.end()) return;
  auto failed = std::move(found->second);
  consumer.under_way.erase(found);
  failed();
}

template <class Response>
void ClientConsumerSimulation::call(Consumer& consumer,
                                    std::function<void(std::function<void(Response)>)> deliver,
                                    std::function<void(Response)> answered,
                                    std::function<void()> failed) {
  std::uint64_t id = ++last_call_;
  consumer.under_way[id] = std::move(failed);
  auto fail = [this, &consumer, id] { fail_call(consumer, id); };
  executor_.after(patience, fail);
  auto fail_soon = [this, fail] { executor_.after(milliseconds(random_.below(2000)), fail); };
  if (loses(consumer)) return fail_soon();
  executor_.after(delay(), [=, this, &consumer] {
    deliver([=, this, &consumer](const Response& response) {
      if (!consumer.under_way.contains(id)) return;
      if (loses(consumer)) return fail_soon();
      executor_.after(delay(), [=, &consumer] {
        if (consumer.under_way.erase(id) > 0) answered(response);
      });
    });
  });
}

template <class Request>
void ClientConsumerSimulation::ask(Consumer& consumer, std::uint64_t ticket,
                                   const Request& request) {
  using Response = typename Request::Response;
  call<Response>(
      consumer,
      [this, &consumer, request](auto reply) {
        if (broker_) serve(consumer, request, std::move(reply));
      },
      [this, &consumer, ticket](const Response& response) {
        consumer.member->answered(ticket, response, now());
      },
      [this, &consumer, ticket] { consumer.member->failed(ticket, now()); });
}

}  // namespace leat::sim
