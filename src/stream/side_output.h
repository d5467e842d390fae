// Records and rows that a pipeline passes by, with a note of where they came from and why.
//
// A record's key, value, timestamp and headers are its own. Added headers, all text:
//   leat.topic leat.partition leat.offset leat.timestamp    where it was read; timestamp in ms
//   leat.reason                                             why it is here
//   leat.pipeline                                           which pipeline wrote it
// A row that has no valid result is a JSON object of the columns that the node got, and has the
// name of that node, by which it is known:
//   leat.node                                               which node could not do with it
// Where the row is still one of a source, key, headers and leat.timestamp are those of the record
// that it was read from. A window's or join's row comes from no single record: it has no place. The
// line of a file has a place, and no key, headers or timestamp (-1), nor has a row whose record's
// bytes are not at hand any more.
//
// A record written again from such a topic gets them again: the last of each name counts.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "column/chunk.h"
#include "column/type.h"
#include "plan/plan.h"
#include "record/record.h"
#include "stream/output_batches.h"

namespace leat::stream {

/// Writes to one topic, of late rows or of dead letters.
class SideOutput {
 public:
  /// The plan outlives it.
  SideOutput(const plan::Plan& plan, Topic to) : plan_(plan), to_(std::move(to)) {}

  /// A record that a source could not make a row of, to the partition of its own number, modulo the
  /// topic's.
  void write_bad(std::int32_t source, PartitionId partition, const record::Record& record,
                 const std::string& reason, OutputBatches& out) const;
  /// The records that these late rows, in rising order, were read from, likewise and each once: a
  /// partition's rows come in its order, also in several chunks. A row of a file, or whose bytes
  /// the chunk does not hold, is written as its columns. REQUIRES: all are from one partition.
  Result<void> write_late(const column::Schema& schema, const column::Chunk& chunk,
                          std::span<const std::uint32_t> rows, OutputBatches& out);
  /// Keeps a row that has no valid result until write_rejected(). `node` is the number of the one
  /// that has none for it. The bytes that its record is in are held until then, or until many rows
  /// wait: then the records are looked for, in whichever order their rows came.
  void keep_rejected(std::size_t node, const column::Schema& schema, const column::Chunk& chunk,
                     std::uint32_t row, const std::string& reason);
  /// Those that were kept, by node, time and position, to partition 0.
  void write_rejected(OutputBatches& out);

 private:
  struct Late;
  class Headers;
  /// Of a row that was rejected.
  struct Rejected {
    std::size_t node = 0;
    std::int64_t time_ms = 0;
    std::string position;
    std::string value;
    std::string reason;
    std::optional<column::RowRun> run;  // nothing if none is known
    std::int64_t place = 0;
    // Of its record, if that is found:
    bool is_found = false;
    std::optional<std::string> key;
    std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  };
  /// Rows whose records are looked for in one buffer, by their numbers in rejected_.
  struct Asked {
    column::Buffer buffer;
    std::vector<std::pair<Offset, std::size_t>> rows;
  };
  Result<void> write_from(const column::Buffer& buffer, std::vector<Late>& late,
                          OutputBatches& out) const;
  std::string source_name(std::int32_t node) const;
  void ask_for_record(const column::Chunk& chunk, const column::RowRun& run, std::size_t number);
  void find_asked();
  void add_notes(const Rejected& rejected, const record::Record* record, Headers& headers) const;

  const plan::Plan& plan_;
  Topic to_;
  /// By source and partition, the last record that was written because of a late row.
  std::map<std::pair<std::int32_t, std::int32_t>, Offset> last_late_;
  std::vector<Rejected> rejected_;
  std::map<const std::byte*, Asked> asked_;  // by where their buffers are
  std::size_t asked_rows_ = 0;
  std::size_t asked_bytes_ = 0;  // of their buffers
};

}  // namespace leat::stream
