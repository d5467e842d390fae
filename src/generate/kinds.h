// The kinds of events there are.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "generate/source.h"
#include "generate/traits.h"

namespace leat::generate {

struct Kind {
  const char* name;
  /// Its events are the rows of a table, as they change: for compacted topics.
  bool is_table;
  /// Traits that make it interesting.
  Traits defaults;
  /// How many events are a fair sample. Of a table, all rows once.
  std::int64_t (*count)(const Traits& traits);
  std::unique_ptr<const Source> (*make)(const Traits& traits);
};

std::span<const Kind> kinds();

}  // namespace leat::generate
