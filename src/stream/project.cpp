#include "stream/project.h"

namespace leat::stream {

Result<void> Project::process(OperatorState&, const column::Chunk& chunk, Output& output) const {
  column::Chunk projected = chunk;
  projected.columns.clear();
  for (const auto& column : columns_) projected.columns.push_back(column.evaluate(chunk));
  return output.push(projected);
}

}  // namespace leat::stream
