// How a data directory and each of its partitions are kept.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>

#include "base/uuid.h"

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
  /// The partitions of such topics live on the store's own executor, whatever shards there are.
  std::function<bool(const Uuid& topic)> lives_at_home{};
  Durability durability = Durability::fsync;
  std::chrono::milliseconds sync_interval{1000};
  /// Size of each of the two journal files. Bounds what recovery has to read.
  std::uint64_t journal_bytes = std::uint64_t{64} << 20;
  /// Called during recovery, on the thread that opens the store, with the part of it that is done:
  /// false gives up with Errc::cancelled, and the next open begins again.
  std::function<bool(double done)> recovering = {};
  /// A partition with at least this much in one commit syncs its segment instead of passing
  /// its bytes through the journal.
  std::uint64_t direct_bytes = std::uint64_t{64} << 10;
  /// A commit that is synced takes no more appends once it has so many bytes: while it is on its
  /// way to the disk, those of the next one are written.
  std::uint64_t commit_bytes_max = std::uint64_t{2} << 20;
  /// Appends waiting for a commit hold at most this many bytes; beyond it they are refused with
  /// Errc::request_timed_out, which clients retry.
  std::uint64_t pending_bytes_max = std::uint64_t{256} << 20;
  /// Appends are refused with Errc::no_space while the disk has less than this left, so that it
  /// never fills: deletes, checkpoints and the catalog need some. 0 turns it off.
  std::uint64_t free_bytes_min = std::uint64_t{512} << 20;
  /// Sealed segments are read and checked again at this rate, once a day. 0 turns it off.
  std::uint64_t scrub_bytes_per_second = std::uint64_t{8} << 20;
  /// So many producers are remembered for each partition; those not heard of for longest go first.
  std::size_t producers_max = 10'000;
  /// A producer is forgotten when it was not heard of for so long.
  std::chrono::milliseconds producer_expiration{std::chrono::hours(24)};
  /// Closed segments of compacted logs are read for compaction at this rate. 0 turns it off.
  std::uint64_t compaction_bytes_per_second = std::uint64_t{64} << 20;
  /// Memory for the keys of a compaction, 24 bytes each; with more keys it takes several.
  std::uint64_t compaction_map_bytes = std::uint64_t{128} << 20;
  /// So many segments hold a descriptor at most; 0 is half of what the process may have.
  std::size_t open_segments_max = 0;
};

/// One partition's settings, named as Kafka's topic configs. Negative means unlimited.
struct LogOptions {
  std::int64_t segment_bytes = std::int64_t{1} << 30;
  std::int64_t segment_ms = std::int64_t{7} * 24 * 3600 * 1000;
  std::int64_t retention_bytes = -1;
  std::int64_t retention_ms = std::int64_t{7} * 24 * 3600 * 1000;
  /// An index entry is made for about every so many bytes of a segment.
  std::int64_t index_interval_bytes = 16 << 10;
  /// Takes appends however little room the disk has left: what the server itself must remember,
  /// such as which topics were deleted to make room.
  bool is_essential = false;
  /// Of records with the same key, all but the newest may go.
  bool is_compacted = false;
  /// A record stays for so long at least after its segment's last append,
  std::int64_t min_compaction_lag_ms = 0;
  /// and a compaction begins when one is in a closed segment for longer than that,
  std::int64_t max_compaction_lag_ms = std::numeric_limits<std::int64_t>::max();
  /// or when so much of the closed segments was not compacted yet.
  double min_cleanable_dirty_ratio = 0.5;
  /// A tombstone stays for so long after the first compaction that meets it.
  std::int64_t delete_retention_ms = std::int64_t{24} * 3600 * 1000;
};

}  // namespace leat::log
