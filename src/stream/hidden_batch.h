// Batches of aborted transactions, as those who read batches are given them.
#pragma once

#include "base/bytes.h"
#include "record/batch.h"

namespace leat::stream {

/// Makes the first of these batches a control batch, whose records nobody reads. It keeps its
/// offsets, so nothing else has to know; its CRC does not count any more.
inline void hide_batch(MutableBytes batches) {
  std::byte* at = batches.data() + record::batch_field::attributes;
  auto attributes = load_big_endian<std::int16_t>(at);
  store_big_endian(at, static_cast<std::int16_t>(attributes | record::batch_attribute::control));
}

}  // namespace leat::stream
