// 128-bit ids of topics and data directories.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace leat {

class Random;

/// 16 bytes as they stand on the wire. All zero means "none".
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  /// A random (version 4) id.
  static Uuid random(Random& random);
  /// 32 hexadecimal digits, as used in directory names; nullopt for anything else.
  static std::optional<Uuid> from_hex(std::string_view text);
  std::string to_hex() const;
  bool is_zero() const { return *this == Uuid{}; }
  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

/// Names a partition for good: a topic made again under the same name has another id.
struct TopicPartition {
  Uuid topic_id;
  PartitionId partition;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

}  // namespace leat

template <>
struct std::hash<leat::Uuid> {
  std::size_t operator()(const leat::Uuid& id) const noexcept;
};

template <>
struct std::hash<leat::TopicPartition> {
  std::size_t operator()(const leat::TopicPartition& id) const noexcept {
    return std::hash<leat::Uuid>{}(id.topic_id) ^
           (static_cast<std::size_t>(id.partition.value()) * 0x9e3779b97f4a7c15ULL);
  }
};
