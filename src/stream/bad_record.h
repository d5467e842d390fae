// What a source could not make a row of.
#pragma once

#include <cstddef>
#include <string>

#include "record/record.h"

namespace leat::stream {

/// A record that could not become a row.
struct BadRecord {
  /// It was read before this row of its block.
  std::size_t before_row;
  record::Record record;
  std::string reason;
};

}  // namespace leat::stream
