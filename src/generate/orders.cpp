#include "generate/orders.h"

#include <array>
#include <string>

#include <fmt/format.h>

#include "generate/amount.h"
#include "generate/catalog.h"
#include "generate/chance.h"
#include "generate/drift.h"
#include "generate/json_writer.h"
#include "generate/keys.h"

namespace leat::generate {

namespace {

std::string_view random_status(Random& random) {
  constexpr std::array<std::string_view, 20> statuses{
      "placed", "placed", "placed",  "placed",  "placed",  "placed",   "placed",
      "placed", "paid",   "paid",    "paid",    "paid",    "paid",     "paid",
      "paid",   "paid",   "shipped", "shipped", "shipped", "cancelled"};
  return statuses[random.below(statuses.size())];
}

class Orders final : public Source {
 public:
  explicit Orders(const Traits& traits)
      : seed_(seed_for(Purpose::orders, traits.seed)), keys_(traits), drift_(traits) {}

  void write(std::uint64_t number, std::int64_t time_ms, std::string& key,
             std::string& value) const override {
    Random random(seed_ + number);
    Drift drift = drift_.of(number);
    std::string customer = customer_id(keys_.choose(random));
    std::uint64_t product = random.below(product_count);
    // Mostly one or two.
    auto quantity = static_cast<std::int64_t>(1 + random.below(1 + random.below(8)));
    std::int64_t cents = product_cents(product) * quantity;
    if (random.one_in(100)) cents = random.one_in(2) ? 0 : -cents;
    key += customer;
    JsonWriter json(value);
    json.open();
    json.text("order_id", fmt::format("o{}", number));
    json.text("customer_id", customer);
    json.text("product_id", product_id(product));
    write_drifting(json, drift, "amount", "total", amount_text(cents));
    json.number("quantity", quantity);
    json.text("status", random_status(random));
    json.date("order_date", time_ms);
    json.time("timestamp", time_ms);
    if (drift == Drift::added) json.text("coupon", random.one_in(3) ? "SPRING" : "WELCOME");
    json.close();
  }

 private:
  std::uint64_t seed_;
  Keys keys_;
  DriftChoice drift_;
};

}  // namespace

std::unique_ptr<const Source> make_orders(const Traits& traits) {
  return std::make_unique<Orders>(traits);
}

}  // namespace leat::generate
