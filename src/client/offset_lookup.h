// Offsets by time, of any number of partitions, from their leaders.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/caller.h"
#include "client/error.h"
#include "net/task.h"

namespace leat::client {

/// What ListOffsets may be asked for instead of a time.
inline constexpr std::int64_t at_end = -1;
inline constexpr std::int64_t at_start = -2;

struct OffsetQuery {
  std::string topic;
  std::int32_t partition = 0;
  /// at_start, at_end, or milliseconds since 1970: then the first record at or after it.
  std::int64_t at = at_end;
};

/// The answer to one query; nothing when no record is that late.
using OffsetFound = std::optional<std::int64_t>;

/// In the order of the queries. With `read_committed` the end is the last stable offset.
net::Task<Result<std::vector<OffsetFound>>> list_offsets(Caller caller,
                                                         std::vector<OffsetQuery> queries,
                                                         bool read_committed);

}  // namespace leat::client
