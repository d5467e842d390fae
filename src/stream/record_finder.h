// The records that rows were read from.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "record/record.h"

namespace leat::stream {

/// Takes one of the offsets that were asked for, by its number, and its record, which is valid
/// during the call.
using TakeRecord = std::function<void(std::size_t number, const record::Record& record)>;

/// Looks for records in `batches`, whole ones one behind the other: rows do not carry theirs,
/// because hardly any is asked for. REQUIRES: the offsets rise, and may be the same. However many
/// there are, each batch that has any of them is walked over once. Errc::corrupt_message from a
/// batch that is none; what was found before it was taken.
Result<void> find_records(BytesView batches, std::span<const Offset> offsets,
                          const TakeRecord& take);

}  // namespace leat::stream
