// What two versions gave, compared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plan/json.h"

namespace leat::pipeline {

/// Of the records of one key and one time: of a window, say.
struct DifferentGroup {
  std::string topic;  // the live version's
  std::string key;
  std::int64_t timestamp_ms = 0;
  std::uint64_t live_records = 0;
  std::uint64_t other_records = 0;
  /// The last of each, cut short; empty where there is none.
  std::string live_value;
  std::string other_value;
};

struct Difference {
  /// All partitions hold the same sequence of keys, values, headers and timestamps.
  bool is_identical = true;
  std::uint64_t live_records = 0;
  std::uint64_t other_records = 0;
  /// Keys and times: those that have the same records, or the same last one where only that counts,
  /// those that have others, and those that one of both has alone.
  std::uint64_t same_groups = 0;
  std::uint64_t changed_groups = 0;
  std::uint64_t live_only_groups = 0;
  std::uint64_t other_only_groups = 0;
  /// By time and key, of each topic.
  std::vector<DifferentGroup> first;

  bool is_same() const { return changed_groups + live_only_groups + other_only_groups == 0; }
};

plan::Json to_json(const Difference& difference);

}  // namespace leat::pipeline
