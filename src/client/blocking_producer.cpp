#include "client/blocking_producer.h"

#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "client/sender.h"
#include "client/session.h"

namespace leat::client {

struct BlockingProducer::State {
  bool is_stopped() const { return session->cluster()->options().stop.stop_requested(); }
  /// Waits for what `begin(done)` completes. A bound on each wait, since a request to stop wakes
  /// nobody.
  template <class Begin>
  Result<void> wait_for(Begin begin, const char* interrupted) {
    auto promise = std::make_shared<std::promise<Result<void>>>();
    auto future = promise->get_future();
    begin([promise](Result<void> result) { promise->set_value(std::move(result)); });
    while (future.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready)
      if (is_stopped()) return fail(Errc::cancelled, interrupted);
    return future.get();
  }

  std::shared_ptr<Session> session;
  std::shared_ptr<Sender> sender;
};

BlockingProducer::BlockingProducer(const BlockingClient& client, const ProducerOptions& options,
                                   std::function<void(const Delivery&)> on_delivery)
    : state_(std::make_unique<State>()) {
  state_->session = client.session();
  state_->sender =
      std::make_shared<Sender>(state_->session->cluster(), options, std::move(on_delivery));
  state_->session->post([sender = state_->sender] { sender->start(); });
}

BlockingProducer::~BlockingProducer() {
  state_->sender->abandon();
  // Nothing that is posted may hold the session, which its own thread could not end.
  state_->session->post([sender = state_->sender] { sender->stop(); });
}

Result<void> BlockingProducer::send(std::string_view topic, const OutRecord& record) {
  while (true) {
    auto appended = state_->sender->try_append(topic, record);
    if (!appended) return fail(appended);
    if (*appended == Sender::Append::appended) return {};
    Result<void> waited;
    if (*appended == Sender::Append::unknown_topic) {
      waited = state_->session->run([&](const std::shared_ptr<Cluster>&) {
        return state_->sender->learn_topic(std::string(topic));
      });
    } else {
      std::size_t bytes =
          record::BatchBuilder::record_bytes_max(record.key, record.value, record.headers);
      waited = state_->wait_for(
          [&](Sender::Done done) { state_->sender->when_room(bytes, std::move(done)); },
          "interrupted");
    }
    if (!waited) return waited;
  }
}

Result<void> BlockingProducer::flush() {
  return state_->wait_for([&](Sender::Done done) { state_->sender->when_flushed(std::move(done)); },
                          "interrupted before all records were acknowledged");
}

}  // namespace leat::client
