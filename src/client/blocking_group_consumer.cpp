#include "client/blocking_group_consumer.h"

#include <deque>
#include <utility>

#include "client/consumer_driver.h"
#include "client/group_coordinator.h"
#include "client/session.h"
#include "wire/leave_group.h"
#include "wire/offset_commit.h"

namespace leat::client {
namespace {

/// For the last words to a group whose cluster does not answer.
constexpr std::chrono::milliseconds close_patience{5'000};
/// What is taken at once from the thread that fetches.
constexpr std::size_t poll_bytes = std::size_t{1} << 20;

struct LastWords {
  std::string group;
  std::optional<wire::OffsetCommitRequest> commit;
  std::optional<wire::LeaveGroupRequest> leave;
};

wire::ErrorCode commit_error(const wire::OffsetCommitResponse& response) {
  for (const auto& topic : response.topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code != wire::ErrorCode::none) return partition.error_code;
    }
  }
  return wire::ErrorCode::none;
}

/// Who is not heard to leave is missed after its session.
net::Task<Result<void>> say(std::shared_ptr<Cluster> cluster, LastWords words) {
  GroupCoordinator coordinator(cluster, words.group);
  auto timeout = cluster->options().request_timeout;
  Result<void> committed;
  if (words.commit) {
    auto answer = co_await coordinator.ask(*words.commit, commit_error, timeout);
    if (!answer) committed = fail(answer);
  }
  if (words.leave) {
    auto code_of = [](const wire::LeaveGroupResponse& response) { return response.error_code; };
    auto answer = co_await coordinator.ask(*words.leave, code_of, timeout);
    (void)answer;
  }
  co_return committed;
}

}  // namespace

struct BlockingGroupConsumer::State {
  ClientOptions connect;
  GroupConsumerOptions options;
  std::shared_ptr<Session> session;
  std::shared_ptr<ConsumerDriver> driver;
  std::deque<Fetched> fetched;
  bool is_closed = false;
};

BlockingGroupConsumer::BlockingGroupConsumer(const BlockingClient& client, ClientOptions connect,
                                             GroupConsumerOptions options)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.connect = std::move(connect);
  state.options = std::move(options);
  state.session = client.session();
  ConsumerDriverOptions driver;
  driver.consumer = state.options.consumer;
  driver.consumer.auto_commit = false;
  driver.begin_at = state.options.begin_at;
  driver.commit_when_giving_up = true;
  driver.before_commit = state.options.before_commit;
  state.driver = std::make_shared<ConsumerDriver>(state.session->cluster(), std::move(driver));
  state.session->post([driver = state.driver, topics = state.options.topics]() mutable {
    driver->subscribe(std::move(topics));
  });
}

BlockingGroupConsumer::~BlockingGroupConsumer() {
  state_->session->post([driver = state_->driver] { driver->stop(); });
}

Result<std::optional<Fetched>> BlockingGroupConsumer::poll(std::chrono::milliseconds timeout) {
  State& state = *state_;
  if (state.fetched.empty()) {
    auto polled = state.session->run(
        [&](const std::shared_ptr<Cluster>&) { return state.driver->poll(poll_bytes, timeout); });
    if (!polled) return fail(polled);
    for (Fetched& fetched : *polled) state.fetched.push_back(std::move(fetched));
  }
  std::optional<Fetched> next;
  if (state.fetched.empty()) return next;
  next = std::move(state.fetched.front());
  state.fetched.pop_front();
  return next;
}

void BlockingGroupConsumer::done_until(const std::string& topic, std::int32_t partition,
                                       std::int64_t offset) {
  ConsumerDriver::Place place{topic, partition};
  state_->session->post(
      [driver = state_->driver, place, offset] { driver->done_until(place, offset); });
}

Result<void> BlockingGroupConsumer::commit() {
  State& state = *state_;
  Result<void> committed =
      state.session->run([&](const std::shared_ptr<Cluster>&) { return state.driver->commit(); });
  // Somebody else has the partitions now, and reads again what we could not commit.
  bool is_gone = !committed && committed.error().code == Errc::cancelled;
  if (is_gone && !state.connect.stop.stop_requested()) return {};
  return committed;
}

Result<void> BlockingGroupConsumer::close() {
  State& state = *state_;
  if (std::exchange(state.is_closed, true)) return {};
  LastWords words;
  words.group = state.options.consumer.group;
  state.session->run([&](const std::shared_ptr<Cluster>&) -> net::Task<bool> {
    words.commit = state.driver->last_commit();
    words.leave = state.driver->last_leave();
    state.driver->stop();
    co_return true;
  });
  if (words.commit) state.options.before_commit();
  ClientOptions connect = state.connect;
  connect.stop = {};
  connect.operation_timeout = close_patience;
  connect.request_timeout = close_patience;
  Session session(std::move(connect));
  return session.run(
      [&](std::shared_ptr<Cluster> cluster) { return say(std::move(cluster), std::move(words)); });
}

bool BlockingGroupConsumer::finished() const {
  State& state = *state_;
  if (!state.fetched.empty()) return false;
  return state.session->run([&](const std::shared_ptr<Cluster>&) -> net::Task<bool> {
    bool is_finished = state.driver->finished();
    co_return is_finished;
  });
}

}  // namespace leat::client
