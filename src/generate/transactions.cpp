#include "generate/transactions.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "generate/amount.h"
#include "generate/catalog.h"
#include "generate/chance.h"
#include "generate/drift.h"
#include "generate/json_writer.h"
#include "generate/keys.h"
#include "generate/log_uniform.h"

namespace leat::generate {

namespace {

class Transactions final : public Source {
 public:
  explicit Transactions(const Traits& traits)
      : seed_(seed_for(Purpose::transactions, traits.seed)),
        burst_seed_(seed_for(Purpose::bursts, traits.seed)),
        minute_(std::max<std::uint64_t>(minute_min, std::llround(traits.rate * 60))),
        keys_(traits),
        drift_(traits) {}

  void write(std::uint64_t number, std::int64_t time_ms, std::string& key,
             std::string& value) const override {
    Random random(seed_ + number);
    Drift drift = drift_.of(number);
    std::string customer = customer_id(choose_customer(number, random));
    key += customer;
    JsonWriter json(value);
    json.open();
    json.text("transaction_id", fmt::format("t{}", number));
    json.text("customer_id", customer);
    write_drifting(json, drift, "amount", "total", amount_text(random_cents(random)));
    json.time("timestamp", time_ms);
    if (drift == Drift::added) json.text("currency", random.one_in(3) ? "USD" : "EUR");
    json.close();
  }

 private:
  static constexpr std::uint64_t minute_min = 20;  // events, however slow they come

  std::uint64_t choose_customer(std::uint64_t number, Random& random) const {
    Random minute(burst_seed_ + number / minute_);
    if (minute.one_in(2)) {
      std::uint64_t victim = keys_.any_key(minute);
      if (random.below(minute_) < 4 + minute.below(9)) return victim;
    }
    return keys_.choose(random);
  }

  std::int64_t random_cents(Random& random) const {
    constexpr std::int64_t ten_thousand = 1'000'000;
    if (random.one_in(500)) {
      switch (random.below(3)) {
        case 0: return ten_thousand;
        case 1: return ten_thousand + 1;
        default: return random.between(ten_thousand * 9 / 10, ten_thousand * 3);
      }
    }
    // 1.00 to some 2,000.00.
    constexpr std::uint64_t range = LogUniform::steps / 20 * 11;
    return amounts_.at(static_cast<std::uint32_t>(random.below(range)));
  }

  std::uint64_t seed_;
  std::uint64_t burst_seed_;
  std::uint64_t minute_;  // in events
  Keys keys_;
  DriftChoice drift_;
  LogUniform amounts_;
};

}  // namespace

std::unique_ptr<const Source> make_transactions(const Traits& traits) {
  return std::make_unique<Transactions>(traits);
}

}  // namespace leat::generate
