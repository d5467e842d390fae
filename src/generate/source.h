// One kind of events.
#pragma once

#include <cstdint>
#include <string>

namespace leat::generate {

/// Makes the events of a kind. What it writes follows from the options that it was made with, and
/// the arguments. Not thread-safe.
class Source {
 public:
  virtual ~Source() = default;
  /// Appends key and value of event `number`, which happens at `time_ms`.
  virtual void write(std::uint64_t number, std::int64_t time_ms, std::string& key,
                     std::string& value) const = 0;
};

}  // namespace leat::generate
