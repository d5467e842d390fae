// A record batch and its records, for tests that print or read records.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "record/batch.h"
#include "record/builder.h"
#include "record/record.h"

namespace leat::tools {

struct TestRecord {
  std::int64_t timestamp_ms = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
};

inline std::optional<BytesView> view(const std::optional<std::string>& text) {
  return text ? std::optional(as_bytes(*text)) : std::nullopt;
}

/// Calls `use` with `record` as it is read back from a batch at offset `base`.
template <class Use>
void with_record(const TestRecord& record, std::int64_t base, Use use) {
  record::BatchBuilder builder;
  std::vector<record::Header> headers;
  for (const auto& [key, value] : record.headers) headers.push_back({key, view(value)});
  builder.append(record.timestamp_ms, view(record.key), view(record.value), headers);
  Bytes bytes = builder.build({.base_offset = Offset{base}});
  auto batch = record::BatchView::parse(bytes);
  ASSERT(batch);
  record::RecordIterator records(*batch);
  const record::Record* read = records.next();
  ASSERT(read);
  use(*read);
}

}  // namespace leat::tools
