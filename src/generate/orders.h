// Orders of a shop.
//
//   {"order_id":"o17","customer_id":"c233","product_id":"p5","amount":59.70,"quantity":3,
//    "status":"paid","order_date":"2026-03-02","timestamp":"2026-03-02T00:00:01.700Z"}
//
// The key is the customer. A status is placed, paid, shipped, or, of one order in 20, cancelled. An
// order in a hundred has an amount of 0 or below. Drift is about `amount`, which is renamed to
// `total`; the added field is `coupon`.
#pragma once

#include <memory>

#include "generate/source.h"
#include "generate/traits.h"

namespace leat::generate {

std::unique_ptr<const Source> make_orders(const Traits& traits);

}  // namespace leat::generate
