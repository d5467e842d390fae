// What bench/client compares: producers that take records for one partition after the other, ours
// and librdkafka's, with the same settings.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "leat/client.h"
#include "processes.h"
#include "rdkafka.h"

namespace leat::bench {

inline constexpr std::size_t batch_bytes = 512 << 10;
inline constexpr std::size_t buffer_bytes = 32 << 20;

/// What a client process is to do, and its command line.
struct Task {
  std::string who = {};  // "leat", "fetch alone", or the path of a librdkafka
  std::string what = {};
  std::string address = {};
  std::string topic = {};
  std::size_t value_bytes = 0;
  std::size_t partitions = 0;
  std::string codec = {};
  std::size_t records = 0;
};

inline ClientOptions options_of(const std::string& address) {
  ClientOptions options;
  options.brokers = address;
  return options;
}

class ProducingClient {
 public:
  virtual ~ProducingClient() = default;
  /// Queues them all for one partition, however long that takes. The tag of the first one; the
  /// others' follow.
  virtual void send(std::span<const std::string> values, std::size_t partition,
                    std::uint64_t tag) = 0;
  /// Until all is acknowledged.
  virtual void flush() = 0;
  /// Lets it do what is due.
  virtual void poll() = 0;
  /// From now on it polls by itself, and tells when which records are acknowledged.
  using Acknowledged = std::function<void(std::uint64_t tag, Steady::time_point)>;
  virtual void poll_on_thread(Acknowledged acknowledged) = 0;
};

/// Runs a context until an operation is over.
template <class... T, class Begin>
std::tuple<T...> wait(boost::asio::io_context& context, Begin begin) {
  bool is_done = false;
  std::tuple<T...> result;
  begin([&](boost::system::error_code code, T... value) {
    if (code) give_up(code.message());
    result = std::tuple<T...>(std::move(value)...);
    is_done = true;
  });
  while (!is_done) context.run_one();
  return result;
}

class LeatProducer : public ProducingClient {
 public:
  explicit LeatProducer(const Task& task) : topic_(task.topic) {
    ProducerOptions options;
    options.compression = task.codec == "lz4" ? Compression::lz4 : Compression::none;
    options.batch_bytes = batch_bytes;
    options.buffer_bytes = buffer_bytes;
    options.on_delivery = [this](const BatchDelivery& batch) { on_delivery(batch); };
    producer_.emplace(context_.get_executor(), options_of(task.address), options);
  }
  ~LeatProducer() override {
    producer_.reset();
    work_.reset();
    if (thread_.joinable()) thread_.join();
  }

  void send(std::span<const std::string> values, std::size_t partition,
            std::uint64_t tag) override {
    OutRecord record;
    record.topic = topic_;
    record.partition = static_cast<std::int32_t>(partition);
    for (const std::string& value : values) {
      record.value = value;
      while (!producer_->try_send(record, tag))
        wait<>(context_, [&](auto done) { producer_->async_room(std::move(done)); });
      ++tag;
    }
  }
  void flush() override {
    if (thread_.joinable()) {
      std::atomic<bool> is_done = false;
      producer_->async_flush([&](boost::system::error_code) { is_done = true; });
      while (!is_done) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return;
    }
    wait<>(context_, [&](auto done) { producer_->async_flush(std::move(done)); });
  }
  void poll() override { context_.poll(); }
  void poll_on_thread(Acknowledged acknowledged) override {
    acknowledged_ = std::move(acknowledged);
    thread_ = std::thread([this] { context_.run(); });
  }

 private:
  void on_delivery(const BatchDelivery& batch) const {
    if (batch.error) give_up(std::string(batch.text));
    if (!acknowledged_) return;
    auto now = Steady::now();
    for (std::uint64_t tag : batch.tags) acknowledged_(tag, now);
  }

  std::string topic_;
  Acknowledged acknowledged_;
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  std::optional<Producer> producer_;
  std::thread thread_;
};

/// One librdkafka client and its one topic.
class RdkafkaClient {
 public:
  using Settings = std::vector<std::pair<const char*, std::string>>;
  using OnDelivery = void(rd_kafka_t*, const rd_kafka_message_t*, void*);

  RdkafkaClient(const Task& task, rd_kafka_type_t type, Settings settings,
                OnDelivery* on_delivery = nullptr)
      : api(task.who) {
    rd_kafka_conf_t* conf = api.conf_new();
    settings.push_back({"bootstrap.servers", task.address});
    settings.push_back({"log.connection.close", "false"});
    settings.push_back({"socket.nagle.disable", "true"});
    std::array<char, 512> error{};
    for (const auto& [name, value] : settings) {
      if (api.conf_set(conf, name, value.c_str(), error.data(), error.size()) != RD_KAFKA_CONF_OK)
        give_up(error.data());
    }
    if (on_delivery != nullptr) api.conf_set_dr_msg_cb(conf, on_delivery);
    client = api.create(type, conf, error.data(), error.size());
    if (client == nullptr) give_up(error.data());
    topic = api.topic_new(client, task.topic.c_str(), nullptr);
    ASSERT(topic != nullptr);
  }
  ~RdkafkaClient() {
    api.topic_destroy(topic);
    api.destroy(client);
  }
  RdkafkaClient(const RdkafkaClient&) = delete;
  RdkafkaClient& operator=(const RdkafkaClient&) = delete;

  Rdkafka api;
  rd_kafka_t* client = nullptr;
  rd_kafka_topic_t* topic = nullptr;
};

class RdkafkaProducer : public ProducingClient {
 public:
  explicit RdkafkaProducer(const Task& task)
      : client_(task, RD_KAFKA_PRODUCER, settings(task), &on_delivery) {}
  ~RdkafkaProducer() override {
    is_over_ = true;
    if (thread_.joinable()) thread_.join();
  }

  void send(std::span<const std::string> values, std::size_t partition,
            std::uint64_t tag) override {
    messages_.assign(values.size(), rd_kafka_message_t{});
    for (std::size_t i = 0; i < values.size(); ++i) {
      messages_[i].payload = const_cast<char*>(values[i].data());
      messages_[i].len = values[i].size();
      messages_[i]._private = reinterpret_cast<void*>(acknowledged_ ? tag + i : 0);
    }
    while (!messages_.empty()) {
      client_.api.produce_batch(client_.topic, static_cast<std::int32_t>(partition),
                                RD_KAFKA_MSG_F_COPY, messages_.data(),
                                static_cast<int>(messages_.size()));
      // What was not taken stays, and is tried again.
      std::erase_if(messages_, [&](const rd_kafka_message_t& message) {
        if (message.err != 0 && message.err != RD_KAFKA_RESP_ERR__QUEUE_FULL)
          give_up(client_.api.err2str(message.err));
        return message.err == 0;
      });
      if (!messages_.empty()) client_.api.poll(client_.client, 5);
    }
  }
  void flush() override {
    if (client_.api.flush(client_.client, 60'000) != 0)
      give_up("a minute passed and not all is answered");
  }
  void poll() override { client_.api.poll(client_.client, 0); }
  void poll_on_thread(Acknowledged acknowledged) override {
    acknowledged_ = std::move(acknowledged);
    thread_ = std::thread([this] {
      while (!is_over_) client_.api.poll(client_.client, 100);
    });
  }

 private:
  static RdkafkaClient::Settings settings(const Task& task) {
    return {{"enable.idempotence", "true"},
            {"linger.ms", "5"},
            {"batch.size", std::to_string(batch_bytes)},
            {"batch.num.messages", "1000000"},
            {"queue.buffering.max.kbytes", std::to_string(buffer_bytes >> 10)},
            {"queue.buffering.max.messages", "10000000"},
            {"compression.type", task.codec},
            {"delivery.report.only.error", task.what == "pace" ? "false" : "true"}};
  }
  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
    if (message->err != 0) give_up("librdkafka did not deliver a record");
    if (acknowledged_)
      acknowledged_(reinterpret_cast<std::uint64_t>(message->_private), Steady::now());
  }

  static inline Acknowledged acknowledged_;
  RdkafkaClient client_;
  std::vector<rd_kafka_message_t> messages_;
  std::atomic<bool> is_over_ = false;
  std::thread thread_;
};

}  // namespace leat::bench
