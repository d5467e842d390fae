#include "client/blocking_consumer.h"

#include <utility>

#include "client/fetcher.h"
#include "client/session.h"

namespace leat::client {

struct BlockingConsumer::State {
  std::shared_ptr<Session> session;
  std::shared_ptr<Inbox> inbox;
  std::shared_ptr<Fetcher> fetcher;
  std::size_t prefetch_bytes = 0;
};

BlockingConsumer::BlockingConsumer(const BlockingClient& client,
                                   std::vector<Assignment> assignments,
                                   const ConsumerOptions& options)
    : state_(std::make_unique<State>()) {
  state_->session = client.session();
  state_->inbox = std::make_shared<Inbox>();
  state_->prefetch_bytes = options.prefetch_bytes;
  FetchPlan plan(std::move(assignments), options);
  state_->fetcher = std::make_shared<Fetcher>(state_->session->cluster(), std::move(plan), options,
                                              state_->inbox);
  state_->session->post([fetcher = state_->fetcher] { fetcher->start(); });
}

BlockingConsumer::~BlockingConsumer() {
  state_->session->post([fetcher = state_->fetcher] { fetcher->stop(); });
}

Result<std::optional<Fetched>> BlockingConsumer::poll(std::chrono::milliseconds timeout) {
  Inbox& inbox = *state_->inbox;
  std::unique_lock lock(inbox.mutex);
  inbox.changed.wait_for(lock, timeout, [&] { return !inbox.fetched.empty() || inbox.finished; });
  // What came before an error is still good.
  if (inbox.fetched.empty()) {
    if (inbox.error) return tl::unexpected(*inbox.error);
    return std::optional<Fetched>();
  }
  std::optional<Fetched> next = std::move(inbox.fetched.front());
  inbox.fetched.pop_front();
  bool was_full = inbox.bytes >= state_->prefetch_bytes;
  inbox.bytes -= next->batches.size();
  bool has_room = was_full && inbox.bytes < state_->prefetch_bytes;
  lock.unlock();
  if (has_room) state_->session->post([fetcher = state_->fetcher] { fetcher->wake(); });
  return next;
}

bool BlockingConsumer::finished() const {
  std::lock_guard lock(state_->inbox->mutex);
  return state_->inbox->finished && state_->inbox->fetched.empty() && !state_->inbox->error;
}

}  // namespace leat::client
