// The codes of the coordinator, as clients of each version know them.
#pragma once

#include "base/result.h"
#include "server/wire_error.h"
#include "wire/versions.h"

namespace leat::server {

/// Of AddPartitionsToTxn, AddOffsetsToTxn and EndTxn: up to version 1 clients know of fenced
/// producers by the code of partitions only.
inline wire::ErrorCode transaction_error(const Error& error, wire::Version version) {
  constexpr wire::Version first_version_with_fenced = 2;
  bool is_old = version < first_version_with_fenced;
  if (is_old && error.code == Errc::producer_fenced) return wire::ErrorCode::invalid_producer_epoch;
  return to_wire(error.code);
}

}  // namespace leat::server
