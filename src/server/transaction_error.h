// The codes of the coordinator, as clients of each version know them.
#pragma once

#include "base/result.h"
#include "server/wire_error.h"
#include "wire/versions.h"

namespace leat::server {

/// Of AddPartitionsToTxn, AddOffsetsToTxn and EndTxn: up to version 1 clients know of fenced
/// producers by the code of partitions only. From version 5 of EndTxn on what cannot be committed
/// can be aborted, whatever it is: `is_commit` is of that only.
inline wire::ErrorCode transaction_error(const Error& error, wire::Version version,
                                         bool is_commit = false) {
  constexpr wire::Version first_version_with_fenced = 2;
  bool is_old = version < first_version_with_fenced;
  if (is_old && error.code == Errc::producer_fenced) return wire::ErrorCode::invalid_producer_epoch;
  constexpr wire::Version first_version_that_raises = 5;
  return to_wire(error.code, is_commit && version >= first_version_that_raises);
}

}  // namespace leat::server
