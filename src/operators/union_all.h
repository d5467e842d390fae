// The rows of several inputs.
#pragma once

#include "operators/operator.h"

namespace leat::operators {

/// plan::Union. A row's position tells by which input it came, since one row may come by several.
class UnionAll : public Operator {
 public:
  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;
};

}  // namespace leat::operators
