// Strong ids: numbers that cannot be taken for one another.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace leat {

/// A number with a meaning. Explicit in and out: `Offset{5}`, `offset.value()`.
template <class Tag, class Rep>
class StrongId {
 public:
  using rep = Rep;
  constexpr StrongId() = default;
  explicit constexpr StrongId(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  friend constexpr auto operator<=>(StrongId, StrongId) = default;

 private:
  Rep value_{};
};

/// A record's place in its partition, from 0; also "the next one to be given" at a log's end.
using Offset = StrongId<struct OffsetTag, std::int64_t>;
using PartitionId = StrongId<struct PartitionIdTag, std::int32_t>;
using ProducerId = StrongId<struct ProducerIdTag, std::int64_t>;
/// Counts the leaderships of a partition; rises when recovery had to cut the log.
using LeaderEpoch = StrongId<struct LeaderEpochTag, std::int32_t>;

constexpr Offset operator+(Offset offset, std::int64_t records) {
  return Offset{offset.value() + records};
}
constexpr Offset operator-(Offset offset, std::int64_t records) {
  return Offset{offset.value() - records};
}
constexpr std::int64_t operator-(Offset a, Offset b) {
  return a.value() - b.value();
}
constexpr Offset& operator+=(Offset& offset, std::int64_t records) {
  return offset = offset + records;
}

}  // namespace leat

template <class Tag, class Rep>
struct std::hash<leat::StrongId<Tag, Rep>> {
  std::size_t operator()(leat::StrongId<Tag, Rep> id) const noexcept {
    return std::hash<Rep>{}(id.value());
  }
};
