// Records, for tests that print or read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/records.h"

namespace leat::tools {

struct TestRecord {
  std::int64_t timestamp_ms = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
};

/// Calls `use` with `record` as a consumer gives it, at `offset` of orders/3.
template <class Use>
void with_record(const TestRecord& record, std::int64_t offset, Use use) {
  std::vector<Header> headers;
  for (const auto& [name, value] : record.headers) headers.push_back({name, value});
  use(InRecord{"orders", 3, offset, Timestamp(std::chrono::milliseconds(record.timestamp_ms)),
               record.key, record.value, headers});
}

}  // namespace leat::tools
