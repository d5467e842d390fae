// How old what is not read yet is.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "pipeline/run_inputs.h"

namespace leat::pipeline {

/// The age of the oldest record that is not consumed, in milliseconds by its timestamp and the
/// wall's clock: 0 where there is none, nothing where it has no timestamp, or cannot be read now.
/// Reads a batch a partition that is behind.
std::vector<std::optional<std::int64_t>> ages_of_unread(RunInputs& inputs,
                                                        const std::vector<Offset>& positions,
                                                        std::int64_t now_ms);

}  // namespace leat::pipeline
