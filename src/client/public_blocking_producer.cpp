#include <boost/asio/use_future.hpp>

#include <utility>

#include "client/background.h"
#include "leat/blocking.h"
#include "leat/client.h"

namespace leat::blocking {

namespace {

const auto producer_waits = with_diagnostics(boost::asio::use_future);

}  // namespace

struct Producer::Inside {
  Inside(ClientOptions options, ProducerOptions producer_options)
      : producer(background.context().get_executor(), std::move(options),
                 std::move(producer_options)) {}

  client::Background background;
  leat::Producer producer;
};

Producer::Producer(ClientOptions options, ProducerOptions producer_options)
    : inside_(std::make_unique<Inside>(std::move(options), std::move(producer_options))) {}
Producer::~Producer() = default;
Producer::Producer(Producer&&) noexcept = default;
Producer& Producer::operator=(Producer&&) noexcept = default;

Delivery Producer::send(const OutRecord& record) {
  return inside_->producer.async_send(record, producer_waits).get();
}

void Producer::enqueue(const OutRecord& record, std::uint64_t tag) {
  // Mostly there is room, and then no other thread is asked.
  if (inside_->producer.try_send(record, tag)) return;
  inside_->producer.async_enqueue(record, tag, producer_waits).get();
}

bool Producer::try_send(const OutRecord& record, std::uint64_t tag) {
  return inside_->producer.try_send(record, tag);
}

void Producer::flush() {
  inside_->producer.async_flush(producer_waits).get();
}

std::int32_t Producer::partition_count(std::string topic) {
  return inside_->producer.async_partition_count(std::move(topic), producer_waits).get();
}

void Producer::begin() {
  inside_->producer.async_begin(producer_waits).get();
}

void Producer::send_offsets(std::vector<CommittedOffset> offsets, GroupMetadata member) {
  inside_->producer.async_send_offsets(std::move(offsets), std::move(member), producer_waits).get();
}

void Producer::commit() {
  inside_->producer.async_commit(producer_waits).get();
}

void Producer::abort() {
  inside_->producer.async_abort(producer_waits).get();
}

}  // namespace leat::blocking
