// Nexmark's events as JSON, in the columns of Flink's table:
//
//   {"event_type":2,"bid":{"auction":1000,"bidder":1001,"price":30000,"channel":"Google",
//    "url":"https://…","dateTime":"2015-07-15T00:00:00.100Z","extra":"…"}}
//
// event_type 0 has `person`, 1 `auction`, 2 `bid`. The key is the person's or the auction's id. Of
// the traits those of keys and drift mean nothing here.
#pragma once

#include <memory>

#include "generate/source.h"
#include "generate/traits.h"

namespace leat::generate {

std::unique_ptr<const Source> make_nexmark(const Traits& traits);

}  // namespace leat::generate
