// A kind's events with all traits, as they would arrive at a topic.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "generate/arrivals.h"
#include "generate/silence.h"
#include "generate/source.h"
#include "generate/traits.h"

namespace leat::generate {

struct Event {
  std::uint64_t number = 0;
  std::string key;
  std::string value;
  std::int64_t time_ms = 0;
  /// When it arrives, on the same clock: never before the event before.
  std::int64_t arrival_ms = 0;
  std::int32_t partition = 0;
  bool is_repeat = false;
};

/// Follows from the source and the traits alone. Memory: that of Arrivals. Not thread-safe.
class EventStream {
 public:
  /// REQUIRES: check(traits) is fine.
  EventStream(std::unique_ptr<const Source> source, const Traits& traits);

  /// Good until the next call. Null once events would happen after the year 8999.
  const Event* next();

 private:
  std::unique_ptr<const Source> source_;
  Arrivals arrivals_;
  Silence silence_;
  std::int32_t partitions_;
  Event event_;
};

}  // namespace leat::generate
