// What visitors of a shop's pages do.
//
//   {"click_id":"k17","user_id":"u233","session_id":"s4","page":"/products/p5","referrer":null,
//    "shown":["p5","p17"],"duration_ms":5300,"device":{"type":"mobile","os":"android"},
//    "geo":{"country":"DE","city":"Berlin"},"timestamp":"2026-03-02T00:00:01.700Z"}
//
// The key is the user. Users come for sessions of some 12 clicks, one in 10 seconds; hot ones click
// all the time, in one session. `shown` has up to four products. Drift is about `duration_ms`,
// which is renamed to `durationMs`; the added field is `campaign`.
#pragma once

#include <memory>

#include "generate/source.h"
#include "generate/traits.h"

namespace leat::generate {

std::unique_ptr<const Source> make_clicks(const Traits& traits);

}  // namespace leat::generate
