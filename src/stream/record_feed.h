// The records of one partition, one after the other.
#pragma once

#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "column/chunk.h"
#include "record/record.h"

namespace leat::stream {

/// A partition of a topic, or a file whose lines are records. Reads forward:
///
///   feed.hold_in(block.buffers);
///   while (fill()) while (const Record* record = feed.next()) use(*record);
///   if (const Error* error = feed.error()) return fail(*error);
///
/// Not thread-safe.
class RecordFeed {
 public:
  virtual ~RecordFeed() = default;

  /// Where reading begins: the offset of the next record.
  virtual void seek(Offset next) = 0;
  /// From here on reads no record at or above `end`; if there is none, all.
  virtual void set_end(std::optional<Offset> end) = 0;

  /// Sees to it that next() has a record to give; false if there is none now, or it is on its way.
  /// Errc::offset_out_of_range when what is to be read has been deleted.
  virtual Result<bool> fill() = 0;
  /// fill() gave false, but there are records: they are on their way to this process.
  virtual bool waits_for_records() const { return false; }
  /// The next record, good until the next call, its bytes for as long as what is held lives. At
  /// least column::json_padding_bytes behind them are readable. Null when fill() has to be called,
  /// and after an error.
  virtual const record::Record* next() = 0;
  /// What is wrong with the records, once next() gave null because of it; else null.
  virtual const Error* error() const = 0;

  /// From now on what the bytes of records are in is added to `buffers`, what is at hand at once.
  /// Null: to nothing.
  virtual void hold_in(std::vector<column::Buffer>* buffers) = 0;

  /// The first offset that was not given.
  virtual Offset position() const = 0;
  /// No record will be given any more, unless the end moves.
  virtual bool finished() const = 0;
};

}  // namespace leat::stream
