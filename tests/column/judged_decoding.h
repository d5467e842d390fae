// Decoders beside the judge's: what a source's columns are for single values of records.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "column/vector.h"
#include "interpreter/decode.h"
#include "interpreter/evaluate.h"

namespace leat::column {

/// What a decoder said of one value: the row, or why there is none.
struct Decoded {
  std::vector<Value> row;
  std::string reason;
  bool operator==(const Decoded&) const = default;
};

inline Decoded judge_decoding(const plan::Source& source, const std::string& value,
                              const std::string* header = nullptr) {
  interpreter::Log log{"in", {{{{}, value, 0, {}}}}, {}};
  try {
    return {interpreter::decode(source, log, 0, 0, header), {}};
  } catch (const interpreter::BadValue& bad) {
    return {{}, bad.why};
  }
}

/// The cells of one row of what `decoder` made of `value`, which has garbage behind it.
template <class Decoder>
Decoded decode_into(Decoder& decoder, std::vector<Vector>& columns, const std::string& value,
                    std::size_t padding_bytes) {
  std::string padded = value + std::string(padding_bytes, '"');
  padded.shrink_to_fit();
  if (!decoder.decode({padded.data(), value.size()}, columns, 0)) return {{}, decoder.reason()};
  Decoded decoded;
  for (const auto& column : columns) decoded.row.push_back(column.value(0));
  return decoded;
}

inline std::vector<Vector> columns_of(const plan::Source& source) {
  std::vector<Vector> columns;
  for (const auto& column : source.columns) columns.emplace_back(column.type).resize(1);
  return columns;
}

}  // namespace leat::column
