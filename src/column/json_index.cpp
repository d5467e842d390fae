#include "column/json_index.h"

#include <algorithm>

#include <simdjson.h>

#include "base/assert.h"

namespace leat::column {

static_assert(json_padding_bytes >= simdjson::SIMDJSON_PADDING);

JsonIndex::JsonIndex() {
  constexpr std::size_t capacity = 4096;
  constexpr std::size_t depth = 1;  // nothing here descends
  auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
      capacity, depth, parser_);
  ASSERT(!error);
}
JsonIndex::~JsonIndex() = default;
JsonIndex::JsonIndex(JsonIndex&&) noexcept = default;
JsonIndex& JsonIndex::operator=(JsonIndex&&) noexcept = default;

const char* JsonIndex::build(std::string_view json) {
  if (json.size() > parser_->capacity()) {
    std::size_t capacity = std::max(json.size(), parser_->capacity() * 2);
    if (auto error = parser_->set_capacity(capacity)) return simdjson::error_message(error);
  }
  count_ = 0;
  auto error = parser_->stage1(reinterpret_cast<const std::uint8_t*>(json.data()), json.size(),
                               simdjson::stage1_mode::regular);
  if (error) return simdjson::error_message(error);
  tokens_ = parser_->structural_indexes.get();
  count_ = parser_->n_structural_indexes;
  return nullptr;
}

}  // namespace leat::column
