// Records into rows.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "column/csv_decoder.h"
#include "column/json_decoder.h"
#include "column/chunk.h"
#include "plan/bound_plan.h"
#include "record/record.h"

namespace leat::stream {

/// Which columns of a source have to be decoded when `used` are looked at (all of them if it is
/// empty): its event time and a table's keys are, too.
std::vector<bool> decoded_columns(const plan::BoundNode& source, std::vector<bool> used);

/// Sets the columns that a source has: of the value by its format, of the key, headers, and of
/// where the record is from. Not thread-safe; the plan outlives it and the rows.
class RecordDecoder {
 public:
  /// Columns that are not in `decoded` are left alone: of a value they are not looked at.
  RecordDecoder(const plan::BoundNode& source, const std::vector<bool>& decoded,
                PartitionId partition);

  /// Says which column is where in lines of CSV.
  void read_names(std::string_view line);

  /// Sets cell `row` of the columns; those of the value are NULL if a table's record has none.
  /// False if that cannot be done: reason() says why. Texts point into the record, into the plan,
  /// or into bytes of this decoder.
  bool decode(const record::Record& record, std::span<column::Vector> columns, std::size_t row);
  const std::string& reason() const { return reason_; }

  /// Appends the texts made so far to what a chunk keeps; new ones are started.
  void give_texts(std::vector<column::Buffer>& buffers);

 private:
  bool wrong(std::string why) {
    reason_ = std::move(why);
    return false;
  }
  void make_value_decoder(const std::vector<bool>& decoded);
  bool decode_value(BytesView value, std::span<column::Vector> columns, std::size_t row);
  bool explain_json(std::string_view value);
  bool decode_meta(std::size_t number, const record::Record& record, column::Vector& out,
                   std::size_t row);
  bool decode_bytes(BytesView bytes, column::Vector& out, std::size_t row);

  const plan::Source& source_;
  const PartitionId partition_;
  std::optional<column::JsonDecoder> json_;
  std::optional<column::CsvDecoder> csv_;
  std::vector<std::size_t> of_value_;  // decoded columns, those of the value
  std::vector<std::size_t> of_meta_;   // and all others
  column::TimestampReader times_;
  std::string reason_;
};

}  // namespace leat::stream
