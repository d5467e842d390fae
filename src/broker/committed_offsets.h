// What one group has committed, by topic and partition.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "broker/group_records.h"

namespace leat::broker {

/// What is known of one partition's commits.
struct CommittedOffset {
  /// The last one that is durable.
  std::optional<OffsetRecord> value;
  /// Where in the log that stands: of two commits the later one counts, whenever it is decided.
  Offset log_offset;
  /// Records of it on their way to the disk.
  std::uint32_t writes = 0;
  /// Commits of transactions that are open.
  std::uint32_t undecided = 0;

  bool is_needed() const { return value || writes > 0 || undecided > 0; }
};

/// Keeps an account of its memory. No more than that: whoever writes and decides is Groups.
class CommittedOffsets {
 public:
  using Partitions = std::map<std::int32_t, CommittedOffset>;
  using Topics = std::map<std::string, Partitions, std::less<>>;

  const Topics& topics() const { return topics_; }
  bool empty() const { return topics_.empty(); }
  std::uint64_t memory_bytes() const { return memory_bytes_; }

  /// nullptr if there is none.
  CommittedOffset* find(std::string_view topic, std::int32_t partition);
  const CommittedOffset* find(std::string_view topic, std::int32_t partition) const;
  /// Made if missing. Whoever leaves it without need has to call drop_unneeded().
  CommittedOffset& at(std::string_view topic, std::int32_t partition);
  /// Sets what is durable, unless what is there stands later in the log.
  void set(std::string_view topic, std::int32_t partition, OffsetRecord value, Offset log_offset);
  /// There is none any more.
  void reset(std::string_view topic, std::int32_t partition);
  void drop_unneeded(std::string_view topic, std::int32_t partition);

 private:
  Topics topics_;
  std::uint64_t memory_bytes_ = 0;
};

}  // namespace leat::broker
