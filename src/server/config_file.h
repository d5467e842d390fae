// The server's settings as a TOML file. The command line wins over it, it wins over the defaults.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "server/options.h"

namespace leat::server {

/// Sets in `options` what `text` says. Errc::invalid_argument, with `name`, line and column, for
/// what is not TOML, a value that a setting does not take, or a setting that does not exist; then
/// with the one that was probably meant.
Result<void> apply_config(std::string_view text, const std::string& name, ServerOptions& options);

/// "fsync", "interval" or "os".
Result<log::Durability> parse_durability(std::string_view text);
std::string_view name(log::Durability durability);

}  // namespace leat::server
