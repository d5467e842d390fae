// The public names of codecs, and what they are called inside.
#pragma once

#include "leat/record.h"
#include "record/compression.h"

namespace leat::client {

static_assert(static_cast<int>(Compression::none) == static_cast<int>(record::Compression::none) &&
              static_cast<int>(Compression::zstd) == static_cast<int>(record::Compression::zstd));

constexpr record::Compression to_record(Compression codec) {
  return static_cast<record::Compression>(codec);
}

}  // namespace leat::client
