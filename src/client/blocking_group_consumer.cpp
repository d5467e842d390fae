#include "client/blocking_group_consumer.h"

#include <algorithm>
#include <map>
#include <thread>
#include <utility>

#include "client/blocking_consumer.h"
#include "client/session.h"

namespace leat::client {
namespace {

/// For the last words to a group whose cluster does not answer.
constexpr std::chrono::milliseconds close_patience{5'000};

using Places = std::map<std::pair<std::string, std::int32_t>, std::int64_t>;

}  // namespace

struct BlockingGroupConsumer::State {
  const BlockingClient& client;
  ClientOptions connect;
  GroupConsumerOptions options;
  std::shared_ptr<Session> session;
  std::shared_ptr<Membership> membership;
  std::unique_ptr<BlockingConsumer> consumer;
  Places done;       // of our partitions
  Places committed;  // what the group knows of them, at least
  std::size_t partitions = 0;
  bool is_member = false;
};

BlockingGroupConsumer::BlockingGroupConsumer(const BlockingClient& client, ClientOptions connect,
                                             GroupConsumerOptions options)
    : state_(std::make_unique<State>(State{
          client, std::move(connect), std::move(options), client.session(), {}, {}, {}, {}})) {
  state_->membership =
      std::make_shared<Membership>(state_->session->cluster(), state_->options.membership);
}

BlockingGroupConsumer::~BlockingGroupConsumer() {
  state_->session->post([membership = state_->membership] { membership->stop(); });
}

Result<void> BlockingGroupConsumer::join() {
  State& state = *state_;
  // What we had may go to others now, who go on where we say that we are.
  if (state.is_member) {
    if (auto committed = commit(); !committed) return committed;
  }
  state.consumer.reset();
  state.done.clear();
  state.committed.clear();
  Membership& membership = *state.membership;
  auto assigned =
      state.session->run([&](const std::shared_ptr<Cluster>&) { return membership.join(); });
  if (!assigned) return fail(assigned);
  state.is_member = true;
  state.session->post([member = state.membership] { member->start_heartbeats(); });
  auto offsets =
      state.session->run([&](const std::shared_ptr<Cluster>&) { return membership.committed(); });
  if (!offsets) return fail(offsets);
  for (const GroupOffset& offset : *offsets) {
    state.committed[{offset.topic, offset.partition}] = offset.offset;
  }
  std::vector<Assignment> assignments;
  for (const auto& [topic, partitions] : *assigned) {
    for (std::int32_t partition : partitions) {
      Assignment assignment = state.options.begin_at(topic, partition);
      auto known = state.committed.find({topic, partition});
      if (known != state.committed.end()) assignment.begin = known->second;
      assignments.push_back(std::move(assignment));
    }
  }
  state.partitions = assignments.size();
  state.consumer = std::make_unique<BlockingConsumer>(state.client, std::move(assignments),
                                                      state.options.consumer);
  return {};
}

Result<std::optional<Fetched>> BlockingGroupConsumer::poll(std::chrono::milliseconds timeout) {
  if (state_->membership->must_join()) {
    if (auto joined = join(); !joined) return fail(joined);
  }
  if (state_->partitions == 0) {
    std::this_thread::sleep_for(timeout);
    return std::optional<Fetched>();
  }
  return state_->consumer->poll(timeout);
}

void BlockingGroupConsumer::done_until(const std::string& topic, std::int32_t partition,
                                       std::int64_t offset) {
  state_->done[{topic, partition}] = offset;
}

std::vector<GroupOffset> BlockingGroupConsumer::to_commit() const {
  std::vector<GroupOffset> offsets;
  for (const auto& [place, offset] : state_->done) {
    auto known = state_->committed.find(place);
    if (known != state_->committed.end() && known->second == offset) continue;
    offsets.push_back({place.first, place.second, offset});
  }
  return offsets;
}

Result<void> BlockingGroupConsumer::commit() {
  std::vector<GroupOffset> offsets = to_commit();
  if (offsets.empty()) return {};
  state_->options.before_commit();
  auto committed = state_->session->run([&](const std::shared_ptr<Cluster>& cluster) {
    return commit_as(cluster, state_->options.membership.group, state_->membership->self(),
                     offsets);
  });
  // Somebody else has the partitions now, and reads again what we could not commit.
  if (!committed && committed.error().code == Errc::cancelled &&
      !state_->connect.stop.stop_requested()) {
    return {};
  }
  if (!committed) return committed;
  for (const GroupOffset& offset : offsets) {
    state_->committed[{offset.topic, offset.partition}] = offset.offset;
  }
  return {};
}

Result<void> BlockingGroupConsumer::close() {
  State& state = *state_;
  if (!state.is_member) return {};
  state.is_member = false;
  auto self =
      state.session->run([&](const std::shared_ptr<Cluster>&) { return state.membership->end(); });
  if (!self) return fail(self);
  if (self->id.empty()) return {};
  ClientOptions connect = state.connect;
  connect.stop = {};
  connect.operation_timeout = close_patience;
  connect.request_timeout = close_patience;
  Session session(std::move(connect));
  std::vector<GroupOffset> offsets = to_commit();
  const std::string& group = state.options.membership.group;
  Result<void> committed;
  if (!offsets.empty()) {
    state.options.before_commit();
    committed = session.run([&](const std::shared_ptr<Cluster>& cluster) {
      return commit_as(cluster, group, *self, offsets);
    });
    if (!committed && committed.error().code == Errc::cancelled) committed = {};
  }
  // Who is not heard to leave is missed after its session.
  session.run(
      [&](const std::shared_ptr<Cluster>& cluster) { return leave_group(cluster, group, *self); });
  return committed;
}

bool BlockingGroupConsumer::finished() const {
  return state_->consumer && !state_->membership->must_join() && state_->consumer->finished();
}

std::size_t BlockingGroupConsumer::partitions() const {
  return state_->partitions;
}

}  // namespace leat::client
