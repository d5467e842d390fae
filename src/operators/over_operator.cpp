#include "operators/over_operator.h"

#include <utility>

#include "operators/row_tools.h"

namespace leat::operators {

Result<void> OverOperator::process(OperatorState& state, std::size_t, const column::Chunk& chunk,
                                   Context& context) const {
  auto rows = take_in_time(chunk, context);
  if (!rows) return fail(rows);
  auto extended = parts_.inputs.evaluate(chunk, *rows, context);
  if (!extended) return fail(extended);
  return take(state, *extended, std::move(*rows), context);
}

}  // namespace leat::operators
