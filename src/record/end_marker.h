// The record that ends a transaction in a partition. It stands alone in a control batch and takes
// one offset. Numbers are big-endian:
//
//   key    := version:i16 type:i16            type 0: aborted, 1: committed
//   value  := version:i16 coordinator_epoch:i32
//
// Clients look at the type only.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ids.h"
#include "record/batch.h"

namespace leat::record {

struct EndMarker {
  bool is_commit = false;
  std::int32_t coordinator_epoch = 0;
  friend bool operator==(const EndMarker&, const EndMarker&) = default;
};

/// The control batch that ends the producer's transaction.
Bytes build_end_marker(ProducerId producer, std::int16_t epoch, const EndMarker& marker,
                       std::int64_t timestamp_ms);
/// What the batch says; nullopt for control batches of other kinds, and for all that are none.
std::optional<EndMarker> parse_end_marker(const BatchView& batch);

}  // namespace leat::record
