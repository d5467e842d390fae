// Producer: what users call, over ProducerHandle and Sender.
#include <utility>

#include "client/check_options.h"
#include "client/error.h"
#include "client/operation.h"
#include "client/producer_handle.h"
#include "leat/producer.h"

namespace leat {

namespace {

using client::Caller;
using client::Effect;
using client::Operation;
using client::Result;
using client::Sender;

template <class... T>
std::shared_ptr<Operation<T...>> operation_of(client::ProducerHandle& handle,
                                              detail::Completion<T...> done) {
  auto operation = std::make_shared<Operation<T...>>(handle, std::move(done), Effect::none);
  operation->obey_slot();
  return operation;
}

net::Task<Result<std::int32_t>> count_partitions(std::shared_ptr<Sender> sender,
                                                 std::string topic) {
  Result<std::int32_t> count = co_await sender->learn_topic(std::move(topic));
  co_return count;
}

net::Task<Result<void>> begin_transaction(std::shared_ptr<Sender> sender) {
  Result<void> begun = co_await sender->begin();
  co_return begun;
}

net::Task<Result<void>> commit_transaction(std::shared_ptr<Sender> sender) {
  Result<void> committed = co_await sender->commit();
  co_return committed;
}

net::Task<Result<void>> abort_transaction(std::shared_ptr<Sender> sender) {
  Result<void> aborted = co_await sender->abort();
  co_return aborted;
}

net::Task<Result<void>> send_transaction_offsets(std::shared_ptr<Sender> sender,
                                                 std::vector<CommittedOffset> offsets,
                                                 GroupMetadata member) {
  if (auto wrong = client::check(offsets)) co_return tl::unexpected(*wrong);
  if (member.group.empty())
    co_return client::fail(Errc::invalid_argument, "offsets are committed for a group");
  std::vector<client::CommittedOffset> inner;
  for (CommittedOffset& offset : offsets) {
    inner.push_back({.topic = std::move(offset.partition.topic),
                     .partition = offset.partition.number,
                     .offset = offset.offset,
                     .leader_epoch = -1,
                     .metadata = std::move(offset.metadata)});
  }
  client::GroupMetadata who{std::move(member.group), member.generation, std::move(member.member_id),
                            std::move(member.instance_id)};
  Result<void> sent = co_await sender->send_offsets(std::move(inner), std::move(who));
  co_return sent;
}

}  // namespace

Producer::Producer(boost::asio::any_io_executor executor, ClientOptions options,
                   ProducerOptions producer_options)
    : handle_(std::make_shared<Handle>(std::move(executor), std::move(options), producer_options)) {
}

Producer::~Producer() {
  if (handle_) handle_->close();
}

Producer::Producer(Producer&&) noexcept = default;

Producer& Producer::operator=(Producer&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

void Producer::close() {
  handle_->close();
}

bool Producer::try_send(const OutRecord& record, std::uint64_t tag) {
  client::Result<bool> sent = handle_->try_send(record, tag);
  if (!sent) throw Exception(client::to_error_code(sent.error()), sent.error().what);
  return *sent;
}

void Producer::send(Handle& handle, Completion<Delivery> done, OutRecord record) {
  handle.send(record, operation_of<Delivery>(handle, std::move(done)));
}

void Producer::enqueue(Handle& handle, Completion<> done, OutRecord record, std::uint64_t tag) {
  handle.enqueue(record, tag, operation_of<>(handle, std::move(done)));
}

void Producer::room(Handle& handle, Completion<> done) {
  handle.wait_for_room(operation_of<>(handle, std::move(done)));
}

void Producer::flush(Handle& handle, Completion<> done) {
  handle.flush(operation_of<>(handle, std::move(done)));
}

void Producer::partition_count(Handle& handle, Completion<std::int32_t> done, std::string topic) {
  client::launch<std::int32_t>(handle, std::move(done), Effect::none, [&](const Caller&) {
    return count_partitions(handle.sender(), std::move(topic));
  });
}

void Producer::begin(Handle& handle, Completion<> done) {
  client::launch<>(handle, std::move(done), Effect::none,
                   [&](const Caller&) { return begin_transaction(handle.sender()); });
}

void Producer::send_offsets(Handle& handle, Completion<> done, std::vector<CommittedOffset> offsets,
                            GroupMetadata member) {
  client::launch<>(handle, std::move(done), Effect::possible, [&](const Caller&) {
    return send_transaction_offsets(handle.sender(), std::move(offsets), std::move(member));
  });
}

void Producer::commit(Handle& handle, Completion<> done) {
  client::launch<>(handle, std::move(done), Effect::possible,
                   [&](const Caller&) { return commit_transaction(handle.sender()); });
}

void Producer::abort(Handle& handle, Completion<> done) {
  client::launch<>(handle, std::move(done), Effect::none,
                   [&](const Caller&) { return abort_transaction(handle.sender()); });
}

}  // namespace leat
