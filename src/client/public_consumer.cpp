// Consumer: what users call, over ConsumerHandle and its driver.
#include <chrono>
#include <utility>

#include "client/check_options.h"
#include "client/consumer_handle.h"
#include "client/group_admin.h"
#include "client/operation.h"
#include "leat/consumer.h"

namespace leat {

namespace {

using client::Caller;
using client::ConsumerDriver;
using client::Effect;
using client::Poller;
using client::Result;
using net::Task;
using Driver = std::shared_ptr<ConsumerDriver>;
using Place = ConsumerDriver::Place;

Place place_of(const Partition& partition) {
  return {partition.topic, partition.number};
}

using Timeout = std::optional<std::chrono::milliseconds>;

Task<Result<Records>> poll_records(std::shared_ptr<Poller> poller, Timeout timeout, Caller caller) {
  std::stop_token stop = caller.stop;
  Result<Records> records = co_await poller->poll(timeout, stop);
  if (!records) co_return fail(records);
  co_return Result<Records>(std::move(*records));
}

Task<Result<void>> commit_given(Driver driver) {
  driver->all_done();
  Result<void> committed = co_await driver->commit();
  co_return committed;
}

Task<Result<void>> commit_these(Driver driver, std::vector<CommittedOffset> offsets) {
  if (auto wrong = client::check(offsets)) co_return tl::unexpected(*wrong);
  Result<void> committed = co_await driver->commit(std::move(offsets));
  co_return committed;
}

Task<Result<std::vector<CommittedOffset>>> offsets_of_group(Caller caller, std::string group) {
  if (group.empty()) co_return client::fail(Errc::invalid_argument, "the consumer has no group");
  auto offsets = co_await client::group_offsets(caller, group);
  if (!offsets) co_return fail(offsets);
  std::vector<CommittedOffset> committed;
  for (auto& offset : *offsets)
    committed.push_back(
        {{std::move(offset.topic), offset.partition}, offset.offset, std::move(offset.metadata)});
  co_return committed;
}

Task<Result<std::optional<std::int64_t>>> position_of(Driver driver, Partition partition) {
  co_return driver->position(place_of(partition));
}

Task<Result<std::vector<Partition>>> assigned_to(Driver driver) {
  std::vector<Partition> partitions;
  for (const auto& [topic, numbers] : driver->assignment())
    for (std::int32_t number : numbers) partitions.push_back({topic, number});
  co_return partitions;
}

Task<Result<GroupMetadata>> member_of(Driver driver, std::string group, Caller caller) {
  std::stop_token stop = caller.stop;
  Result<client::MemberIdentity> identity = co_await driver->generation(stop);
  if (!identity) co_return fail(identity);
  co_return GroupMetadata{group, identity->generation, identity->id, identity->instance_id};
}

Task<Result<void>> close_driver(std::shared_ptr<Poller> poller, Driver driver,
                                std::shared_ptr<client::Cluster> cluster) {
  poller->given_is_done();
  Result<void> closed = co_await driver->close();
  cluster->close({Errc::cancelled, "the consumer is closed"});
  co_return closed;
}

}  // namespace

Consumer::Consumer(boost::asio::any_io_executor executor, ClientOptions options,
                   ConsumerOptions consumer_options) {
  client::ConsumerDriverOptions driver_options;
  driver_options.consumer = std::move(consumer_options);
  handle_ =
      std::make_shared<Handle>(std::move(executor), std::move(options), std::move(driver_options));
}

Consumer::Consumer(std::shared_ptr<Handle> handle) : handle_(std::move(handle)) {}

Consumer::~Consumer() {
  if (handle_) handle_->abandon();
}

Consumer::Consumer(Consumer&&) noexcept = default;

Consumer& Consumer::operator=(Consumer&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

void Consumer::subscribe(std::vector<std::string> topics) {
  if (handle_->group().empty()) {
    handle_->refuse("subscribing needs ConsumerOptions::group");
    return;
  }
  handle_->post([topics = std::move(topics)](ConsumerDriver& driver) { driver.subscribe(topics); });
}

void Consumer::assign(std::vector<PartitionOffset> positions) {
  std::vector<client::Assignment> assignments;
  for (PartitionOffset& position : positions) {
    client::Assignment& assignment = assignments.emplace_back();
    assignment.topic = std::move(position.partition.topic);
    assignment.partition = position.partition.number;
    assignment.begin = position.offset;
  }
  handle_->post([assignments = std::move(assignments)](ConsumerDriver& driver) {
    driver.assign(assignments);
  });
}

void Consumer::seek(const PartitionOffset& position) {
  handle_->post([position](ConsumerDriver& driver) {
    driver.seek(place_of(position.partition), position.offset);
  });
}

void Consumer::seek(const Partition& partition, Timestamp time) {
  handle_->post([partition, time](ConsumerDriver& driver) {
    driver.seek_to_time(place_of(partition), time.time_since_epoch().count());
  });
}

void Consumer::pause(const Partition& partition) {
  handle_->post([partition](ConsumerDriver& driver) { driver.pause(place_of(partition)); });
}

void Consumer::resume(const Partition& partition) {
  handle_->post([partition](ConsumerDriver& driver) { driver.resume(place_of(partition)); });
}

void Consumer::poll(Handle& handle, Completion<Records> done) {
  client::launch<Records>(handle, std::move(done), Effect::none, [&](Caller caller) {
    return poll_records(handle.poller(), std::nullopt, std::move(caller));
  });
}

void Consumer::poll_for(Handle& handle, Completion<Records> done,
                        std::chrono::milliseconds timeout) {
  client::launch<Records>(handle, std::move(done), Effect::none, [&](Caller caller) {
    return poll_records(handle.poller(), timeout, std::move(caller));
  });
}

void Consumer::commit(Handle& handle, Completion<> done) {
  client::launch<>(handle, std::move(done), Effect::possible,
                   [&](const Caller&) { return commit_given(handle.driver()); });
}

void Consumer::commit_offsets(Handle& handle, Completion<> done,
                              std::vector<CommittedOffset> offsets) {
  client::launch<>(handle, std::move(done), Effect::possible, [&](const Caller&) {
    return commit_these(handle.driver(), std::move(offsets));
  });
}

void Consumer::committed(Handle& handle, Completion<std::vector<CommittedOffset>> done) {
  client::launch<std::vector<CommittedOffset>>(
      handle, std::move(done), Effect::none,
      [&](Caller caller) { return offsets_of_group(std::move(caller), handle.group()); });
}

void Consumer::position(Handle& handle, Completion<std::optional<std::int64_t>> done,
                        Partition partition) {
  client::launch<std::optional<std::int64_t>>(
      handle, std::move(done), Effect::none,
      [&](const Caller&) { return position_of(handle.driver(), std::move(partition)); });
}

void Consumer::assignment(Handle& handle, Completion<std::vector<Partition>> done) {
  client::launch<std::vector<Partition>>(handle, std::move(done), Effect::none, [&](const Caller&) {
    return assigned_to(handle.driver());
  });
}

void Consumer::group_metadata(Handle& handle, Completion<GroupMetadata> done) {
  client::launch<GroupMetadata>(handle, std::move(done), Effect::none, [&](Caller caller) {
    return member_of(handle.driver(), handle.group(), std::move(caller));
  });
}

void Consumer::close(Handle& handle, Completion<> done) {
  client::launch<>(handle, std::move(done), Effect::possible, [&](const Caller&) {
    return close_driver(handle.poller(), handle.driver(), handle.cluster());
  });
}

}  // namespace leat
