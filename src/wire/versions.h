// Ranges of message versions, as Kafka's message descriptions write them.
#pragma once

#include <cstdint>

namespace leat::wire {

using Version = std::int16_t;

/// The versions [first, last], both included, as Kafka writes and negotiates them.
struct Versions {
  Version first = 0;
  Version last = 0;
  constexpr bool contains(Version version) const { return first <= version && version <= last; }
  friend constexpr bool operator==(Versions, Versions) = default;
};

constexpr Versions since(Version first) {
  return {first, INT16_MAX};
}
constexpr Versions until(Version last) {
  return {0, last};
}
constexpr Versions only(Version version) {
  return {version, version};
}

constexpr Versions always = since(0);

}  // namespace leat::wire
