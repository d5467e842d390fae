// Reads what /metrics says.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace leat::tools {

/// The value of the first sample that begins with `name`, which may go on with labels:
/// `leat_durability_mode{mode="fsync"}`.
std::optional<double> find_metric(std::string_view text, std::string_view name);
/// The value of `label` of the first sample called `name`.
std::optional<std::string> find_label(std::string_view text, std::string_view name,
                                      std::string_view label);

}  // namespace leat::tools
