// How far a group is behind, partition by partition.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "leat/blocking.h"

namespace leat::tools {

struct PartitionLag {
  std::string topic;
  std::int32_t partition = 0;
  /// nullopt: the group has committed nothing.
  std::optional<std::int64_t> committed = {};
  /// nullopt: there is no such topic any more.
  std::optional<std::int64_t> end = {};
  /// Milliseconds since the time of the first record that the group has not read; nullopt where
  /// there is none, or it could not be read.
  std::optional<std::int64_t> behind_ms = {};
  /// Of the member that reads it; empty if none does.
  std::string member_id = {};

  std::optional<std::int64_t> records() const {
    if (!committed || !end) return std::nullopt;
    return *end > *committed ? *end - *committed : 0;
  }
};

/// Every partition that the group has committed or that one of its members has, by topic and
/// number. `connect` is how to reach the cluster that `admin` asks.
std::vector<PartitionLag> find_lag(blocking::Admin& admin, const ClientOptions& connect,
                                   const GroupDescription& group, std::int64_t now_ms);

/// "3.2 s", "5 min", "2 d": short, and never more exact than it matters.
std::string describe_duration(std::int64_t ms);

}  // namespace leat::tools
