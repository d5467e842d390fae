#include <boost/asio/use_future.hpp>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "client/background.h"
#include "client/consumer_handle.h"
#include "client/error.h"
#include "leat/blocking.h"
#include "leat/client.h"

namespace leat::blocking {

namespace {

const auto consumer_waits = with_diagnostics(boost::asio::use_future);

/// Callbacks that wait for the thread that polls. Thread-safe.
class Callbacks {
 public:
  void add(std::function<void()> callback) {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(callback));
    changed_.notify_all();
  }
  /// The end of what serve() serves.
  void end(bool& has_ended) {
    std::lock_guard lock(mutex_);
    has_ended = true;
    changed_.notify_all();
  }
  /// Calls them, on this thread, until the end.
  void serve(const bool& has_ended) {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return has_ended || !waiting_.empty(); });
      if (waiting_.empty()) return;
      std::function<void()> next = std::move(waiting_.front());
      waiting_.pop_front();
      caller_ = std::this_thread::get_id();
      lock.unlock();
      next();
      lock.lock();
      caller_ = {};
    }
  }
  /// Whether this thread is in one of them.
  bool are_calling() {
    std::lock_guard lock(mutex_);
    return caller_ == std::this_thread::get_id();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  std::thread::id caller_;
};

}  // namespace

struct Consumer::Inside {
  /// Waits for what `begin(token)` begins, and calls callbacks meanwhile.
  template <class... T, class Begin>
  void serve(Begin begin, T&... result) {
    if (callbacks->are_calling()) {
      client::Error error{Errc::invalid_txn_state, "callbacks can neither poll nor close"};
      throw Exception(client::to_error_code(error), error.what);
    }
    bool has_ended = false;
    std::exception_ptr thrown;
    begin(with_diagnostics([&](std::exception_ptr exception, T... given) {
      thrown = std::move(exception);
      ((result = std::move(given)), ...);
      callbacks->end(has_ended);
    }));
    callbacks->serve(has_ended);
    if (thrown) std::rethrow_exception(thrown);
  }

  client::Background background;
  std::shared_ptr<Callbacks> callbacks = std::make_shared<Callbacks>();
  std::optional<leat::Consumer> consumer;
};

Consumer::Consumer(ClientOptions options, ConsumerOptions consumer_options)
    : inside_(std::make_unique<Inside>()) {
  client::ConsumerDriverOptions driver_options;
  driver_options.consumer = std::move(consumer_options);
  driver_options.call = [callbacks = inside_->callbacks](std::function<void()> callback) {
    callbacks->add(std::move(callback));
  };
  inside_->consumer = leat::Consumer(std::make_shared<client::ConsumerHandle>(
      inside_->background.context().get_executor(), std::move(options), std::move(driver_options)));
}
Consumer::~Consumer() = default;
Consumer::Consumer(Consumer&&) noexcept = default;
Consumer& Consumer::operator=(Consumer&&) noexcept = default;

void Consumer::subscribe(std::vector<std::string> topics) {
  inside_->consumer->subscribe(std::move(topics));
}

void Consumer::assign(std::vector<PartitionOffset> positions) {
  inside_->consumer->assign(std::move(positions));
}

Records Consumer::poll() {
  Records records;
  inside_->serve([&](auto token) { inside_->consumer->async_poll(std::move(token)); }, records);
  return records;
}

Records Consumer::poll(std::chrono::milliseconds timeout) {
  Records records;
  auto begin = [&](auto token) { inside_->consumer->async_poll_for(timeout, std::move(token)); };
  inside_->serve(begin, records);
  return records;
}

void Consumer::commit() {
  inside_->consumer->async_commit(consumer_waits).get();
}

void Consumer::commit_offsets(std::vector<CommittedOffset> offsets) {
  inside_->consumer->async_commit_offsets(std::move(offsets), consumer_waits).get();
}

std::vector<CommittedOffset> Consumer::committed() {
  return inside_->consumer->async_committed(consumer_waits).get();
}

void Consumer::seek(const PartitionOffset& position) {
  inside_->consumer->seek(position);
}

void Consumer::seek(const Partition& partition, Timestamp time) {
  inside_->consumer->seek(partition, time);
}

void Consumer::pause(const Partition& partition) {
  inside_->consumer->pause(partition);
}

void Consumer::resume(const Partition& partition) {
  inside_->consumer->resume(partition);
}

std::optional<std::int64_t> Consumer::position(const Partition& partition) {
  return inside_->consumer->async_position(partition, consumer_waits).get();
}

std::vector<Partition> Consumer::assignment() {
  return inside_->consumer->async_assignment(consumer_waits).get();
}

GroupMetadata Consumer::group_metadata() {
  return inside_->consumer->async_group_metadata(consumer_waits).get();
}

void Consumer::close() {
  inside_->serve([&](auto token) { inside_->consumer->async_close(std::move(token)); });
}

}  // namespace leat::blocking
