// How client commands reach a cluster.
#pragma once

#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/options.h"

namespace leat::tools {

inline constexpr const char* default_brokers = "127.0.0.1:9092";

/// Options for the cluster that `-b` names.
Result<ClientOptions> client_options(const std::string& brokers, std::stop_token stop = {});

/// The names of topics (kind TOPIC) or groups (GROUP) of that cluster, or of the one that the
/// environment or the default names when `brokers` is empty. Made for a shell that waits: soon, and
/// none where anything is wrong.
std::vector<std::string> list_names(const std::string& kind, const std::string& brokers);

/// "KEY=VALUE" of `-c`.
Result<std::pair<std::string, std::string>> parse_config(const std::string& text);

/// Tells what went wrong, and gives the exit code for it: wrong usage, or an error.
int fail_command(const Error& error);

}  // namespace leat::tools
