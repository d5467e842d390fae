#include "client/blocking_producer.h"

#include <chrono>
#include <mutex>
#include <utility>

#include "client/codec.h"
#include "client/sender.h"
#include "client/session.h"

namespace leat::client {

struct BlockingProducer::State {
  /// Lets the sender look into the queue, unless it is about to anyway.
  void wake_sender() {
    if (queue->wake_posted.exchange(true)) return;
    session->post([sender = sender, queue = queue] {
      queue->wake_posted = false;
      sender->wake();
    });
  }
  bool is_stopped() const { return session->cluster()->options().stop.stop_requested(); }

  std::shared_ptr<Session> session;
  std::shared_ptr<Sender::Queue> queue;
  std::shared_ptr<Sender> sender;
};

BlockingProducer::BlockingProducer(const BlockingClient& client, const ProducerOptions& options,
                                   std::function<void(const Delivery&)> on_delivery)
    : state_(std::make_unique<State>()) {
  state_->session = client.session();
  const ClientOptions& client_options = state_->session->cluster()->options();
  state_->queue = std::make_shared<Sender::Queue>(
      ProduceQueue(options, client_options.retry_backoff, client_options.retry_backoff_max,
                   Random::from_entropy()));
  state_->sender = std::make_shared<Sender>(state_->session->cluster(), state_->queue,
                                            to_record(options.compression), std::move(on_delivery));
  state_->session->post([sender = state_->sender] { sender->start(); });
}

BlockingProducer::~BlockingProducer() {
  {
    std::lock_guard lock(state_->queue->report_mutex);
    state_->queue->abandoned = true;
  }
  // Nothing that is posted may hold the session, which its own thread could not end.
  state_->session->post([sender = state_->sender] { sender->stop(); });
}

Result<void> BlockingProducer::send(std::string_view topic, const OutRecord& record) {
  Sender::Queue& shared = *state_->queue;
  std::unique_lock lock(shared.mutex);
  if (!shared.queue.has_topic(topic)) {
    lock.unlock();
    auto described = state_->session->run([&](const std::shared_ptr<Cluster>& cluster) {
      return describe_topic(cluster, std::string(topic), /*create=*/true);
    });
    if (!described) return fail(described);
    lock.lock();
    shared.queue.set_topic(topic, static_cast<std::int32_t>(described->partitions.size()));
  }
  std::size_t bytes =
      record::BatchBuilder::record_bytes_max(record.key, record.value, record.headers);
  while (!shared.queue.has_room(bytes)) {
    if (state_->is_stopped()) return fail(Errc::cancelled, "interrupted");
    // What fills the queue may be lingering.
    shared.queue.flush();
    state_->wake_sender();
    // A bound on the wait, since a request to stop does not notify.
    shared.delivered.wait_for(lock, std::chrono::milliseconds(100));
  }
  Result<bool> wake =
      shared.queue.append(topic, record, std::chrono::steady_clock::now().time_since_epoch());
  lock.unlock();
  if (!wake) return fail(wake);
  if (*wake) state_->wake_sender();
  return {};
}

Result<void> BlockingProducer::flush() {
  Sender::Queue& shared = *state_->queue;
  std::unique_lock lock(shared.mutex);
  shared.queue.flush();
  state_->wake_sender();
  while (shared.queue.pending_records() > 0) {
    if (state_->is_stopped())
      return fail(Errc::cancelled, "interrupted before all records were acknowledged");
    shared.delivered.wait_for(lock, std::chrono::milliseconds(100));
  }
  return {};
}

}  // namespace leat::client
