// The hash by which a journal's entry knows batches that it does not hold itself.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "file/file.h"
#include "log/journal.h"
#include "log/scan.h"

namespace leat::log {

/// The XXH3 of each batch's base offset, size and CRC. Together with the entry's leader epoch they
/// say all about a batch whose CRC holds, at a fraction of the cost of hashing its bytes.
class BatchHash {
 public:
  void add(const BatchHead& head);
  std::uint64_t digest() const;

 private:
  Bytes bytes_;
};

/// Whether `file` holds, where the entry says, exactly the batches that it names. An Error is a
/// failed read.
Result<bool> holds_batches(const file::File& file, const DataEntry& entry);

}  // namespace leat::log
