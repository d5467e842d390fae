// What programs over a data directory of their own share: an end where something is wrong, and
// appends of which so many are under way at a time.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/result.h"
#include "record/builder.h"
#include "record/partitioner.h"
#include "stream/topic_store.h"

namespace leat::bench {

[[noreturn]] inline void quit(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(1);
}

template <class T>
T take(Result<T> result) {
  if (!result) quit(result.error().what);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// A topic's appends. For one thread.
class Appends {
 public:
  struct Options {
    std::int32_t batch_records = 1'000;
    /// Batches that are not durable yet.
    std::size_t waiting_max = 64;
  };
  Appends(stream::TopicStore& topics, stream::Topic topic) : Appends(topics, topic, Options()) {}
  Appends(stream::TopicStore& topics, stream::Topic topic, const Options& options)
      : topics_(topics), topic_(std::move(topic)), options_(options), builders_(partitions()) {}

  std::size_t partitions() const { return static_cast<std::size_t>(topic_.partitions); }
  /// To the partition of the key.
  void add(std::int64_t time_ms, std::string_view key, std::string_view value) {
    auto partition = record::partition_of_key(as_bytes(key), topic_.partitions).value();
    add_to(static_cast<std::size_t>(partition), time_ms, key, value);
  }
  void add_to(std::size_t partition, std::int64_t time_ms, std::optional<std::string_view> key,
              std::string_view value) {
    record::BatchBuilder& builder = builders_[partition];
    builder.append(time_ms, key ? std::optional(as_bytes(*key)) : std::nullopt, as_bytes(value));
    if (builder.record_count() == options_.batch_records) send(partition);
  }
  void send_all() {
    for (std::size_t i = 0; i < builders_.size(); ++i) {
      if (!builders_[i].empty()) send(i);
    }
  }
  /// Until all that was sent is durable.
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ == 0; });
  }

 private:
  void send(std::size_t partition) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return waiting_ < options_.waiting_max; });
      ++waiting_;
    }
    TopicPartition to{topic_.id, PartitionId{static_cast<std::int32_t>(partition)}};
    topics_.append(to, builders_[partition].build(), [this](Result<Offset> appended) {
      take(std::move(appended));
      std::lock_guard lock(mutex_);
      // Whoever waits is not woken for each.
      if (--waiting_ % (options_.waiting_max / 4) == 0) changed_.notify_all();
    });
  }

  stream::TopicStore& topics_;
  const stream::Topic topic_;
  const Options options_;
  std::vector<record::BatchBuilder> builders_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t waiting_ = 0;
};

}  // namespace leat::bench
