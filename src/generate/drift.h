// Events whose fields are not what readers were told.
#pragma once

#include <cstdint>
#include <string_view>

#include "generate/json_writer.h"
#include "generate/traits.h"

namespace leat::generate {

/// Chooses the events that drift, and how each of them does.
class DriftChoice {
 public:
  explicit DriftChoice(const Traits& traits);
  Drift of(std::uint64_t number) const;

 private:
  std::uint64_t seed_;
  double fraction_;
  Drift drift_as_;
  std::uint64_t after_;
};

/// Writes the field that a kind's drift is about, a number: under its name or the other one, as a
/// text, or not at all.
void write_drifting(JsonWriter& json, Drift drift, std::string_view name, std::string_view renamed,
                    std::string_view number);

}  // namespace leat::generate
