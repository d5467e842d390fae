// How a data directory and each of its partitions are kept.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace leat::log {

/// When an append counts as durable, which is when it is acknowledged and may be read.
enum class Durability {
  fsync,     // after it is on disk; the high watermark is the durable offset
  interval,  // at once; what is older than `sync_interval` is on disk
  os,        // at once; the operating system writes it when it likes
};

struct StoreOptions {
  std::string directory;
  /// The lock file's text, which a second process is shown: pid and address.
  std::string owner;
  Durability durability = Durability::fsync;
  std::chrono::milliseconds sync_interval{1000};
  /// Size of each of the two journal files. Bounds what recovery has to read.
  std::uint64_t journal_bytes = std::uint64_t{32} << 20;
  /// A partition with at least this much in one commit syncs its segment instead of passing
  /// its bytes through the journal.
  std::uint64_t direct_bytes = std::uint64_t{256} << 10;
  /// Appends waiting for a commit hold at most this many bytes; beyond it they are refused with
  /// Errc::request_timed_out, which clients retry.
  std::uint64_t pending_bytes_max = std::uint64_t{256} << 20;
};

/// One partition's settings, named as Kafka's topic configs. Negative means unlimited.
struct LogOptions {
  std::int64_t segment_bytes = std::int64_t{1} << 30;
  std::int64_t segment_ms = std::int64_t{7} * 24 * 3600 * 1000;
  std::int64_t retention_bytes = -1;
  std::int64_t retention_ms = std::int64_t{7} * 24 * 3600 * 1000;
  /// An index entry is made for about every so many bytes of a segment.
  std::int64_t index_interval_bytes = 16 << 10;
};

}  // namespace leat::log
