// Destroying blocking objects at any moment that their threads can bring them to: it waits for no
// broker, and leaves nothing behind.
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/random.h"
#include "leat/blocking.h"
#include "lossy_broker.h"

namespace leat {
namespace {

using namespace std::chrono_literals;

/// One blocking consumer, what threads ask of it, its callbacks' calls among that, what becomes of
/// its broker meanwhile, and its end.
class BlockingStory {
 public:
  BlockingStory(LossyBroker& broker, std::uint64_t seed) : broker_(broker), random_(seed) {
    ClientOptions options = broker.options(seed);
    options.connect_timeout = options.request_timeout = options.operation_timeout = 30ms;
    options.stop = stop_.get_token();
    ConsumerOptions of_consumer;
    of_consumer.group = fmt::format("g-{}", seed % 3);
    of_consumer.offset_reset = OffsetReset::earliest;
    of_consumer.fetch_wait = of_consumer.heartbeat_interval = 5ms;
    of_consumer.auto_commit = random_.one_in(2);
    of_consumer.auto_commit_interval = 3ms;
    of_consumer.on_assigned = [this, alive = alive_](std::span<const Partition>) { called(); };
    of_consumer.on_revoked = [this, alive = alive_](std::span<const Partition>, bool) { called(); };
    consumer_.emplace(options, of_consumer);
    if (random_.one_in(8)) return;
    if (random_.one_in(4))
      consumer_->assign({{{"orders", 0}, 0}, {{"orders", 1}, 0}});
    else
      consumer_->subscribe({"orders"});
  }

  void run() {
    std::vector<std::thread> threads;
    for (std::uint64_t i = random_.below(3); i > 0; --i)
      threads.emplace_back([this, seed = random_.next()] { ask_until_stopped(seed); });
    for (std::uint64_t i = random_.below(15); i > 0; --i) ask(random_);
    if (random_.one_in(3)) broker_.proxy().silence();
    if (random_.one_in(3)) broker_.server().stop();
    for (std::uint64_t i = random_.below(5); i > 0; --i) ask(random_);
    // Whoever waits is to be called off first. Where nobody does, that may come at any time.
    std::thread stopper([this, stops = !threads.empty() || random_.one_in(3)] {
      if (stops) stop_.request_stop();
    });
    for (std::thread& thread : threads) thread.join();
    consumer_.reset();
    stopper.join();
    CHECK(alive_.use_count() == 1);
    // They do without it.
    for (const InRecord& record : records_) CHECK(record.value == "x");
  }

 private:
  void ask_until_stopped(std::uint64_t seed) {
    Random random(seed);
    while (!stop_.stop_requested()) {
      if (!random.one_in(3)) ask(random);
      attempt([&] {
        if (random.one_in(3))
          consumer_->group_metadata();
        else
          consumer_->poll();
      });
    }
  }

  void called() {
    // One at a time, so that this needs no lock.
    ask(random_in_callbacks_);
  }

  /// Anything that ends by itself.
  void ask(Random& random) {
    attempt([&] { ask_one(random); });
  }
  void ask_one(Random& random) {
    switch (random.below(12)) {
      case 0: return consumer_->commit();
      case 1: return consumer_->commit_offsets({{{"orders", 0}, 1}});
      case 2: consumer_->committed(); return;
      case 3: return consumer_->seek({{"orders", 0}, 0});
      case 4: return consumer_->seek({"orders", 1}, Timestamp(1ms));
      case 5:
        return random.one_in(2) ? consumer_->pause({"orders", 0})
                                : consumer_->resume({"orders", 0});
      case 6: consumer_->position({"orders", 0}); return;
      case 7: consumer_->assignment(); return;
      case 8: return random.one_in(4) ? consumer_->close() : consumer_->commit();
      default: {
        Records records = consumer_->poll(std::chrono::milliseconds(random.below(8)));
        std::lock_guard lock(mutex_);
        if (!records.empty()) records_ = std::move(records);
      }
    }
  }
  template <class Call>
  static void attempt(Call call) {
    try {
      call();
    } catch (const Exception&) {
    }
  }

  LossyBroker& broker_;
  Random random_;
  Random random_in_callbacks_{1};
  std::stop_source stop_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  std::mutex mutex_;
  Records records_;
  std::optional<blocking::Consumer> consumer_;
};

TEST_SUITE_BEGIN("client");

TEST_CASE("destroying a blocking object waits for no broker, whatever is open") {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    LossyBroker broker(false);
    std::stop_source stop;
    ClientOptions options;
    options.brokers = broker.proxy().address().to_string();
    options.stop = stop.get_token();
    ProducerOptions of_producer;
    bool is_transactional = random.one_in(2);
    if (is_transactional) of_producer.transactional_id = "till";
    of_producer.linger = std::chrono::milliseconds(random.below(50));
    blocking::Producer producer(options, of_producer);
    blocking::Admin admin(options);
    if (is_transactional) producer.begin();
    OutRecord record;
    record.topic = "orders";
    record.value = "x";
    if (random.one_in(2)) producer.send(record);
    if (random.one_in(2)) admin.describe_cluster();
    broker.proxy().silence();
    for (std::uint64_t i = random.below(100); i > 0; --i) producer.try_send(record);
    if (random.one_in(2)) continue;
    std::thread stopper([&] { stop.request_stop(); });
    CHECK_THROWS_AS(admin.list_topics(), Exception);
    CHECK_THROWS_AS(producer.send(record), Exception);
    stopper.join();
  }
}

TEST_CASE("a blocking consumer may be destroyed in any state that a program can bring it to") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    LossyBroker broker(seed % 2 == 0);
    fill(broker);
    BlockingStory(broker, seed).run();
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat
