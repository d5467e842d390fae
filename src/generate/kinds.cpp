#include "generate/kinds.h"

#include <array>

#include "generate/catalog.h"
#include "generate/clicks.h"
#include "generate/nexmark.h"
#include "generate/nexmark_source.h"
#include "generate/orders.h"
#include "generate/transactions.h"

namespace leat::generate {

namespace {

Traits order_traits() {
  Traits traits;
  traits.rate = 1;
  traits.hot = 0.2;
  traits.disorder = 0.05;
  traits.disorder_ms = 300'000;
  traits.duplicates = 0.02;
  traits.idle_partitions = 1;
  traits.idle_ms = 600'000;
  traits.idle_every_ms = 3'600'000;
  traits.drift = 0.2;
  return traits;
}

/// Customers are so many that hardly one of them pays often by chance.
Traits transaction_traits() {
  Traits traits;
  traits.keys = 10'000;
  traits.hot = 0.01;
  traits.disorder = 0.03;
  traits.duplicates = 0.005;
  traits.idle_partitions = 1;
  traits.drift = 0.2;
  return traits;
}

Traits click_traits() {
  Traits traits;
  traits.rate = 100;
  traits.keys = 20'000;
  traits.hot = 0.05;
  traits.disorder = 0.1;
  traits.disorder_ms = 10'000;
  traits.duplicates = 0.01;
  traits.duplicates_ms = 20'000;
  traits.idle_partitions = 1;
  traits.idle_ms = 10'000;
  traits.idle_every_ms = 60'000;
  traits.drift = 0.2;
  return traits;
}

/// As the benchmark is: none of what makes trouble.
Traits nexmark_traits() {
  NexmarkOptions options;
  Traits traits;
  traits.start_ms = options.base_time_ms;
  traits.rate = options.rate;
  traits.disorder_ms = options.disorder_ms;
  return traits;
}

std::int64_t ten_thousand(const Traits&) {
  return 10'000;
}

std::int64_t all_products(const Traits&) {
  return product_count;
}

}  // namespace

std::span<const Kind> kinds() {
  static const std::array all{
      Kind{"orders", false, order_traits(), ten_thousand, make_orders},
      Kind{"transactions", false, transaction_traits(), ten_thousand, make_transactions},
      Kind{"clicks", false, click_traits(), ten_thousand, make_clicks},
      Kind{"nexmark", false, nexmark_traits(), ten_thousand, make_nexmark},
      Kind{"customers", true, Traits{}, known_customers, make_customers},
      Kind{"products", true, Traits{}, all_products, make_products},
  };
  return all;
}

}  // namespace leat::generate
