// Which version of leat wrote a data directory.
#pragma once

#include <string>

#include "base/result.h"
#include "file/file.h"
#include "log/layout.h"

namespace leat::log {

/// Refuses what another version has written with Errc::unsupported_format, and what is no data
/// directory with not_found.
Result<void> check_format(file::FileSystem& files, const Layout& layout);
/// The same, but marks a new directory as ours.
Result<void> prepare_format(file::FileSystem& files, const Layout& layout);

std::string parent_of(const std::string& path);

}  // namespace leat::log
