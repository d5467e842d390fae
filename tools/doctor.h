// The two halves of `leat doctor`.
#pragma once

#include <optional>
#include <string>

#include "tools/connect.h"
#include "tools/findings.h"

namespace leat::tools {

struct DoctorOptions {
  std::string brokers = default_brokers;
  std::optional<std::string> http;
  std::optional<std::string> data;
  std::string format = "text";
};

/// Connects as a client would, and asks the server how it is.
void check_server(const DoctorOptions& options, Findings& findings);

/// Looks at a directory and at the disk under it. Changes nothing; to time syncs it makes a file
/// beside the directory's others and removes it.
void check_directory(const std::string& directory, Findings& findings);

}  // namespace leat::tools
