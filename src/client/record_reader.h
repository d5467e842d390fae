// The records of what was fetched, one after the other.
#pragma once

#include <optional>

#include "client/aborted_batches.h"
#include "client/fetch_plan.h"
#include "record/batch.h"
#include "record/record.h"
#include "record/scratch.h"

namespace leat::client {

/// Checks each batch's CRC, decompresses it, and leaves out what is not for the reader's eyes:
/// records before the offsets wanted, control records, and those of aborted transactions. Not
/// thread-safe. Both arguments outlive it.
class RecordReader {
 public:
  RecordReader(const Fetched& fetched, record::Scratch& scratch)
      : fetched_(fetched), scratch_(scratch), rest_(fetched.batches), aborted_(fetched.aborted) {}

  /// Valid until the next call; null at the end and after an error.
  const record::Record* next();
  /// What is wrong with the batch where reading ended: it names topic, partition and offset.
  const Error* error() const { return error_ ? &*error_ : nullptr; }

 private:
  /// Goes on to the next batch whose records are to be seen; false if there is none.
  bool open_batch();
  void fail_with(const Error& error, Offset offset);

  const Fetched& fetched_;
  record::Scratch& scratch_;
  BytesView rest_;
  std::optional<record::BatchView> batch_;
  std::optional<record::RecordIterator> records_;
  AbortedBatches aborted_;
  std::optional<Error> error_;
};

}  // namespace leat::client
