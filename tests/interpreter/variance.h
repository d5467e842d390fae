// How far numbers are spread, worked out with whole numbers of any size.
#pragma once

#include <optional>
#include <string_view>

#include "interpreter/order.h"

namespace leat::interpreter {

struct VarianceKind {
  bool of_sample = false;
  bool root = false;
};

/// Nothing for other aggregates.
std::optional<VarianceKind> variance_kind(std::string_view function);

/// Of doubles. Throws BadValue if it is beyond all doubles.
plan::Value variance(const Values& values, VarianceKind kind);

}  // namespace leat::interpreter
