// Destroying public objects at any moment, in any state: nothing blocks, nothing is left behind,
// and whatever was begun ends once.
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/random.h"
#include "leat/client.h"
#include "lossy_broker.h"

namespace leat {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr std::uint64_t seeds = 150;

/// Where the object is destroyed.
enum class Where {
  outside,      // between two steps of its context
  in_handler,   // by what an operation of it calls when it ends
  in_callback,  // by one of its options' callbacks
  stopped,      // when its context has been stopped, which is destroyed next
  too_late,     // when its context is no more
  elsewhere,    // on another thread than the one that runs its context
};

/// One object, what is asked of it, and its end.
class Story {
 public:
  Story(LossyBroker& broker, std::uint64_t seed)
      : random_(seed),
        where_(static_cast<Where>(random_.below(6))),
        moments_(static_cast<int>(random_.below(12))),
        context_(std::make_unique<asio::io_context>()) {
    make(broker.options(seed), seed);
  }

  void run() {
    if (where_ == Where::elsewhere) return run_elsewhere();
    for (std::uint64_t i = random_.below(25); i > 0 && object_.index() != 0; --i) {
      begin_something();
      if (!random_.one_in(3)) context_->run_one_for(std::chrono::milliseconds(random_.below(4)));
      context_->restart();
    }
    if (where_ == Where::stopped || where_ == Where::too_late) {
      context_->stop();
      if (where_ == Where::stopped) destroy();
      context_.reset();
      destroy();
      CHECK(alive_.use_count() == 1);
      return;
    }
    destroy();
    // Nothing keeps it running.
    context_->restart();
    context_->run();
    CHECK(ended_ == begun_);
    CHECK(alive_.use_count() == 1);
  }

 private:
  struct Handler {
    Story* story;
    std::shared_ptr<int> alive;
    template <class... T>
    void operator()(error_code, T&&...) const {
      ++story->ended_;
      if (story->where_ == Where::in_handler) story->moment();
    }
  };

  void run_elsewhere() {
    auto work = asio::make_work_guard(*context_);
    std::thread thread([this] { context_->run(); });
    for (std::uint64_t i = random_.below(25); i > 0; --i) {
      begin_something();
      if (random_.one_in(3)) std::this_thread::sleep_for(1ms);
    }
    destroy();
    work.reset();
    thread.join();
    CHECK(ended_ == begun_);
    CHECK(alive_.use_count() == 1);
  }

  void make(ClientOptions options, std::uint64_t seed) {
    asio::any_io_executor executor = context_->get_executor();
    if (random_.one_in(3)) executor = asio::make_strand(*context_);
    if (random_.one_in(5)) {
      object_.emplace<Admin>(executor, options);
    } else if (random_.one_in(2)) {
      ProducerOptions of_producer;
      is_transactional_ = random_.one_in(2);
      if (is_transactional_) of_producer.transactional_id = fmt::format("till-{}", seed % 7);
      of_producer.linger = std::chrono::milliseconds(random_.below(3));
      of_producer.on_delivery = [this](const BatchDelivery&) { called(); };
      object_.emplace<Producer>(executor, options, of_producer);
    } else {
      make_consumer(executor, options, seed);
    }
  }

  void make_consumer(const asio::any_io_executor& executor, const ClientOptions& options,
                     std::uint64_t seed) {
    ConsumerOptions of_consumer;
    of_consumer.offset_reset = OffsetReset::earliest;
    of_consumer.fetch_wait = 5ms;
    of_consumer.heartbeat_interval = 5ms;
    of_consumer.auto_commit = random_.one_in(2);
    of_consumer.auto_commit_interval = 3ms;
    of_consumer.on_assigned = [this](std::span<const Partition>) { called(); };
    of_consumer.on_revoked = [this](std::span<const Partition>, bool) { called(); };
    bool is_member = !random_.one_in(4);
    if (is_member) of_consumer.group = fmt::format("g-{}", seed % 3);
    auto& consumer = object_.emplace<Consumer>(executor, options, of_consumer);
    if (is_member)
      consumer.subscribe({"orders"});
    else
      consumer.assign({{{"orders", 0}, 0}, {{"orders", 1}, 0}});
  }

  void called() {
    if (where_ == Where::in_callback) moment();
  }
  /// One of those at which it may be destroyed.
  void moment() {
    if (moments_-- == 0) destroy();
  }
  void destroy() {
    // It is none any more while its end has others end.
    auto object = std::exchange(object_, std::monostate());
  }

  Handler next() {
    ++begun_;
    return {this, alive_};
  }

  void begin_something() {
    if (auto* producer = std::get_if<Producer>(&object_)) begin_something(*producer);
    if (auto* consumer = std::get_if<Consumer>(&object_)) begin_something(*consumer);
    if (auto* admin = std::get_if<Admin>(&object_)) begin_something(*admin);
  }

  void begin_something(Producer& producer) {
    OutRecord record;
    record.topic = random_.one_in(20) ? "nothing" : "orders";
    record.value = "x";
    switch (random_.below(is_transactional_ ? 11 : 7)) {
      case 0:
      case 1: return producer.async_send(record, next());
      case 2: return producer.async_enqueue(record, 1, next());
      case 3: try { producer.try_send(record);
        } catch (const Exception&) {
        }
        return;
      case 4: return producer.async_room(next());
      case 5: return producer.async_flush(next());
      case 6: return random_.one_in(8) ? producer.close() : producer.async_send(record, next());
      case 7:
      case 8: return producer.async_begin(next());
      case 9:
        return random_.one_in(2) ? producer.async_commit(next()) : producer.async_abort(next());
      default: {
        std::vector<CommittedOffset> offsets{{{"orders", 0}, 1}};
        producer.async_send_offsets(offsets, {"h", -1, "", std::nullopt}, next());
      }
    }
  }

  void begin_something(Consumer& consumer) {
    switch (random_.below(12)) {
      case 0: return consumer.async_commit(next());
      case 1: return consumer.async_commit_offsets({{{"orders", 0}, 1}}, next());
      case 2: return consumer.async_committed(next());
      case 3: return consumer.seek({{"orders", 0}, 0});
      case 4: return consumer.seek({"orders", 1}, Timestamp(1ms));
      case 5:
        return random_.one_in(2) ? consumer.pause({"orders", 0}) : consumer.resume({"orders", 0});
      case 6: return consumer.async_group_metadata(next());
      case 7:
        return random_.one_in(4) ? consumer.async_close(next()) : consumer.async_assignment(next());
      default: return consumer.async_poll(next());
    }
  }

  void begin_something(Admin& admin) {
    switch (random_.below(6)) {
      case 0: return admin.async_list_topics(next());
      case 1: return admin.async_describe_topic("orders", next());
      case 2: return admin.async_list_offsets({{{"orders", 0}}}, next());
      case 3: return admin.async_describe_group("g-1", next());
      case 4: return random_.one_in(8) ? admin.close() : admin.async_describe_cluster(next());
      default: return admin.async_create_topic({"orders", 3}, next());
    }
  }

  Random random_;
  Where where_;
  int moments_;
  bool is_transactional_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  int begun_ = 0;
  std::atomic<int> ended_{0};
  std::unique_ptr<asio::io_context> context_;
  std::variant<std::monostate, Producer, Consumer, Admin> object_;
};

void run_stories(LossyBroker& broker) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Story(broker, seed).run();
  }
}

TEST_SUITE_BEGIN("client");

TEST_CASE("an object may be destroyed in any state") {
  LossyBroker broker(false);
  fill(broker);
  run_stories(broker);
}

TEST_CASE("an object may be destroyed in any state, also where answers get lost") {
  LossyBroker broker(true);
  run_stories(broker);
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat
