// Rows as changes of a view.
#pragma once

#include <memory>
#include <string>

#include "column/chunk.h"
#include "column/row_text.h"
#include "plan/bound_plan.h"
#include "stream/view.h"

namespace leat::stream {

/// Each row replaces the one of its key: the text of a single key column, as a record's key would
/// be, else an object of the key columns. Of rows that change later each version does, and one that
/// is gone leaves none. Rows whose only key column is NULL have the key "". Not thread-safe.
class ViewSink {
 public:
  explicit ViewSink(const plan::BoundNode& sink);

  void write(const column::Chunk& chunk);
  const std::shared_ptr<View>& view() const { return view_; }

 private:
  std::string key_of(const column::Chunk& chunk, std::uint32_t row);

  const std::vector<std::size_t> keys_;
  column::JsonRows objects_;
  column::JsonRows key_objects_;
  std::shared_ptr<View> view_;
};

}  // namespace leat::stream
