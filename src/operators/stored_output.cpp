#include "operators/stored_output.h"

namespace leat::operators {

Result<void> StoredOutput::add(RowId id, Context& context, std::int64_t number,
                               column::RowKind kind) {
  rows_.push_back(store_.row(id));
  numbers_.push_back(number);
  maker_.add(rows_.back(), kind);
  return maker_.is_full() ? push(context) : Result<void>();
}

Result<void> StoredOutput::finish(Context& context) {
  if (!rows_.empty()) {
    if (auto pushed = push(context); !pushed) return fail(pushed);
  }
  for (RowId id : done_) store_.release(id);
  done_.clear();
  return {};
}

Result<void> StoredOutput::push(Context& context) {
  std::size_t stored = store_.types().size();
  for (std::size_t c = 0; c < stored; ++c) maker_.add_column(schema_[c].type, rows_, c);
  if (schema_.size() > stored) {
    auto column = std::make_shared<column::Vector>(column::Type::bigint);
    column->resize(numbers_.size());
    for (std::size_t i = 0; i < numbers_.size(); ++i) column->set_integer(i, numbers_[i]);
    maker_.add_column(std::move(column));
  }
  rows_.clear();
  numbers_.clear();
  return context.push(maker_.finish());
}

}  // namespace leat::operators
