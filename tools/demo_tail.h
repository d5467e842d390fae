// A reader of a topic, as any program is one: it sees what is committed, when it is.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "leat/options.h"

namespace leat::tools {

struct TailRecord {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  std::string key;
  std::string value;
  std::chrono::steady_clock::time_point read_at;
};

/// Reads all partitions of a topic from their starts, committed records only, on a thread of its
/// own. A server that is away for a while is waited for. Thread-safe.
class TopicTail {
 public:
  /// REQUIRES: the topic is there, with that many partitions.
  TopicTail(const ClientOptions& connect, std::string topic, std::int32_t partitions);
  /// Ends the reading.
  ~TopicTail();
  TopicTail(const TopicTail&) = delete;
  TopicTail& operator=(const TopicTail&) = delete;

  /// Records from the `from`-th on that was read, in the order of reading; there may be none.
  std::vector<TailRecord> records(std::size_t from = 0) const;
  /// Waits until so many have been read. An error if nothing comes for `patience`, or reading has
  /// failed.
  Result<void> wait_for(std::size_t count, std::chrono::milliseconds patience) const;
  /// Waits until nothing has come for so long.
  Result<void> wait_for_silence(std::chrono::milliseconds silence) const;

 private:
  void read();
  Result<void> failure() const;

  const std::string topic_;
  const std::int32_t partitions_;
  std::stop_source stop_;
  ClientOptions connect_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  // Guarded by mutex_:
  std::vector<TailRecord> records_;
  std::chrono::steady_clock::time_point last_at_ = std::chrono::steady_clock::now();
  std::optional<Error> error_;
  std::thread thread_;
};

}  // namespace leat::tools
