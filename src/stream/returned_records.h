// Records that a pipeline has rejected, and is given again. One that is rejected once more is a
// dead letter as the first time (side_output.h), with the notes of where it was read first, and
// with
//   leat.attempts                                           how often it was rejected: 2, 3, ...
#pragma once

#include <string_view>

#include "base/ids.h"

namespace leat::stream {

/// The producer of batches that hold such records, so that these are found without a look at each.
inline constexpr ProducerId returned_producer_id{-2};

/// What each of them has as its last header: those before it that begin with "leat." say where it
/// came from and how often it was rejected.
inline constexpr std::string_view returned_header = "leat.again";

/// How often it was rejected; a record that was rejected once has none.
inline constexpr std::string_view attempts_header = "leat.attempts";

/// The node that had no result for it: what was rejected is a row, not a record. Behind the other
/// notes of one time.
inline constexpr std::string_view node_header = "leat.node";

}  // namespace leat::stream
