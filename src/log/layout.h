// Names of files and directories below a data directory.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/uuid.h"

namespace leat::log {

/// Paths within one data directory.
class Layout {
 public:
  explicit Layout(std::string directory) : directory_(std::move(directory)) {}

  const std::string& root() const { return directory_; }
  std::string format() const { return directory_ + "/format"; }
  std::string checkpoint() const { return directory_ + "/checkpoint"; }
  std::string journal_directory() const { return directory_ + "/journal"; }
  std::string journal(int file) const { return journal_directory() + "/" + std::to_string(file); }
  std::string partitions() const { return directory_ + "/partitions"; }
  std::string topic(const Uuid& id) const { return partitions() + "/" + id.to_hex(); }
  std::string partition(const TopicPartition& id) const {
    return topic(id.topic_id) + "/" + std::to_string(id.partition.value());
  }
  /// `<base>.log`, and from version 1 on, which compaction wrote, `<base>.<version>.log`.
  std::string segment(const TopicPartition& id, Offset base, std::uint32_t version) const;
  /// What is known of the partition's producers as of some offset.
  std::string producers(const TopicPartition& id) const { return partition(id) + "/producers"; }
  std::string quarantine() const { return directory_ + "/quarantine"; }
  /// Where bytes of `id` found at `position` of the segment at `base` are put.
  std::string quarantine(const TopicPartition& id, Offset base, std::uint64_t position,
                         std::int64_t now_ms) const;
  /// `path` as an operator should see it: relative to the data directory.
  std::string relative(const std::string& path) const;

 private:
  std::string directory_;
};

/// Beside `<name>.log` stand `<name>.index` and `<name>.seal`.
std::string with_suffix(const std::string& segment_path, std::string_view suffix);
/// What a segment's file is named after.
struct SegmentName {
  Offset base;
  std::uint32_t version = 0;
  friend auto operator<=>(const SegmentName&, const SegmentName&) = default;
};
/// That of "00000000000000000042.log" or "00000000000000000042.7.log"; nullopt for any other name.
std::optional<SegmentName> parse_segment_name(std::string_view name, std::string_view suffix);
std::optional<PartitionId> parse_partition_name(std::string_view name);

}  // namespace leat::log
