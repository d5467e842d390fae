// Payments by card, of which some are fraud.
//
//   {"transaction_id":"t17","customer_id":"c233","amount":59.70,
//    "timestamp":"2026-03-02T00:00:01.700Z"}
//
// The key is the customer. In every other minute somebody's card is used 8 times, more or less,
// beside what everybody does. One amount in 500 is near 10,000 or above, some of them exactly that.
// Drift is about `amount`, which is renamed to `total`; the added field is `currency`.
#pragma once

#include <memory>

#include "generate/source.h"
#include "generate/traits.h"

namespace leat::generate {

std::unique_ptr<const Source> make_transactions(const Traits& traits);

}  // namespace leat::generate
