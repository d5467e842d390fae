// Copies what is in a file, by the kernel where it can.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "file/file.h"

namespace leat::file {

/// Told how many bytes more were copied; false ends the copying.
using CopyProgress = std::function<bool(std::uint64_t bytes)>;

/// Copies the first `bytes` of `from` to the begin of `to`, and gives how many there were: fewer
/// where `from` ends before. Between files of one file system that can share blocks it shares
/// them. Not durable before a sync. Errc::cancelled when `progress` ended it.
Result<std::uint64_t> copy_bytes(const File& from, File& to, std::uint64_t bytes,
                                 const CopyProgress& progress);

}  // namespace leat::file
