#include "generate/arrivals.h"

#include <algorithm>
#include <tuple>

#include "generate/chance.h"

namespace leat::generate {

namespace {

/// Two arrivals of one event differ in time, so that the order is the same with every library.
bool is_later(const Arrival& a, const Arrival& b) {
  return std::tie(a.arrival_ms, a.number) > std::tie(b.arrival_ms, b.number);
}

}  // namespace

Arrivals::Arrivals(const Traits& traits)
    : timeline_(traits.start_ms, traits.rate),
      is_plain_(traits.disorder == 0 && traits.duplicates == 0 && traits.group == 1),
      group_(static_cast<std::uint64_t>(traits.group)),
      disorder_(traits.disorder),
      disorder_ms_(traits.disorder_ms),
      duplicates_(traits.duplicates),
      duplicates_ms_(traits.duplicates_ms),
      seed_(seed_for(Purpose::arrivals, traits.seed)),
      next_(traits.first_event) {}

Arrival Arrivals::next_of_many() {
  for (;;) {
    std::int64_t now_ms = timeline_.time_ms(next_);
    if (!held_.empty() && held_.front().arrival_ms <= now_ms) return release();
    std::uint64_t number = in_group(next_++);
    std::int64_t time_ms = timeline_.time_ms(number);
    Random random(seed_ + number);
    bool is_late = happens(random, disorder_);
    std::int64_t first_ms = is_late ? now_ms + random.between(1, disorder_ms_) : now_ms;
    if (happens(random, duplicates_))
      hold({number, time_ms, first_ms, first_ms + random.between(1, duplicates_ms_)});
    if (!is_late) return {number, time_ms, first_ms, first_ms};
    hold({number, time_ms, first_ms, first_ms});
  }
}

std::uint64_t Arrivals::in_group(std::uint64_t number) const {
  std::uint64_t place = number % group_;
  return number - place + number * group_prime % group_;
}

void Arrivals::hold(const Arrival& arrival) {
  held_.push_back(arrival);
  std::push_heap(held_.begin(), held_.end(), is_later);
}

Arrival Arrivals::release() {
  std::pop_heap(held_.begin(), held_.end(), is_later);
  Arrival arrival = held_.back();
  held_.pop_back();
  return arrival;
}

}  // namespace leat::generate
