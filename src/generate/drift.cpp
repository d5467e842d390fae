#include "generate/drift.h"

#include <array>

#include "generate/chance.h"

namespace leat::generate {

DriftChoice::DriftChoice(const Traits& traits)
    : seed_(seed_for(Purpose::drift, traits.seed)),
      fraction_(traits.drift),
      drift_as_(traits.drift_as),
      after_(traits.drift_after) {}

Drift DriftChoice::of(std::uint64_t number) const {
  if (fraction_ == 0 || number < after_) return Drift::none;
  Random random(seed_ + number);
  if (!happens(random, fraction_)) return Drift::none;
  if (drift_as_ != Drift::any) return drift_as_;
  constexpr std::array all{Drift::added, Drift::renamed, Drift::retyped, Drift::missing};
  return all[random.below(all.size())];
}

void write_drifting(JsonWriter& json, Drift drift, std::string_view name, std::string_view renamed,
                    std::string_view number) {
  switch (drift) {
    case Drift::missing: return;
    case Drift::renamed: return json.token(renamed, number);
    case Drift::retyped: return json.text(name, number);
    case Drift::none:
    case Drift::added:
    case Drift::any: return json.token(name, number);
  }
}

}  // namespace leat::generate
