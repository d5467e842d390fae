// The records that rows were read from.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "column/chunk.h"
#include "record/batch.h"
#include "record/record.h"

namespace leat::stream {

/// Finds records in the bytes of chunks, which rows do not carry because hardly any is asked for.
/// Asked for in rising order they cost one pass over the batches that have them. Keeps the last
/// bytes alive until reset(). Not thread-safe.
class RecordFinder {
 public:
  /// Null if the bytes do not have that offset. Valid until the next call.
  const record::Record* find(const column::Buffer& buffer, std::int64_t offset);
  void reset();

 private:
  bool open(BytesView batches, std::int64_t offset);

  std::shared_ptr<const void> owner_;
  BytesView bytes_;                         // of the buffer that was looked at last
  std::optional<record::BatchView> batch_;  // of it, the one that records_ walks over
  record::Scratch scratch_;
  std::optional<record::RecordIterator> records_;
  const record::Record* record_ = nullptr;  // that it gave last
};

}  // namespace leat::stream
