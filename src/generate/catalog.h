// Who buys, and what there is to buy: the tables that orders are joined with.
//
//   {"customer_id":"c233","customer_name":"Nora Berg","customer_segment":"business"}
//   {"product_id":"p5","product_name":"blue lamp","category":"home"}
//
// The key is the id. Both are changelogs, for compacted topics: once all have come, they come again
// in the same order, and a fifth of the customers is in another segment then, a fifth of the
// products in another category. Of 50 customers one is in no table.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "generate/source.h"
#include "generate/traits.h"

namespace leat::generate {

inline constexpr std::uint64_t product_count = 200;

std::string customer_id(std::uint64_t customer);
std::string product_id(std::uint64_t product);
/// What one of it costs.
std::int64_t product_cents(std::uint64_t product);
/// How many of the customers are in the table.
std::int64_t known_customers(const Traits& traits);

std::unique_ptr<const Source> make_customers(const Traits& traits);
std::unique_ptr<const Source> make_products(const Traits& traits);

}  // namespace leat::generate
