#include "operators/join_output.h"

#include <algorithm>
#include <variant>

#include "operators/row_tools.h"

namespace leat::operators {

using How = plan::Join::How;

JoinColumns::JoinColumns(const plan::BoundPlan& plan, std::size_t number)
    : node(static_cast<std::int32_t>(number)) {
  const plan::BoundNode& bound = plan.nodes[number];
  const auto& join = std::get<plan::Join>(bound.node->body);
  schema = bound.schema;
  how = join.how;
  windowed = join.kind == plan::Join::Kind::window;
  left = types_of(plan.nodes[bound.inputs[0]].schema);
  left_keys = bound.keys;
  const column::Schema& right_schema = plan.nodes[bound.inputs[1]].schema;
  for (std::size_t i = 0; i < right_schema.size(); ++i) {
    auto key = std::find(bound.right_keys.begin(), bound.right_keys.end(), i);
    bool is_key = key != bound.right_keys.end();
    bool shared = false;  // stands in the left row already
    for (std::size_t k = 0; k < join.keys.size(); ++k) {
      shared = shared || (bound.right_keys[k] == i && join.keys[k].left == join.keys[k].right);
    }
    bool given = gives_pairs() && !shared;
    if (!given && !is_key) continue;
    if (given) right_given.push_back(right.size());
    right_stored.push_back(i);
    right.push_back(right_schema[i].type);
  }
  for (std::size_t key : bound.right_keys) {
    auto at = std::find(right_stored.begin(), right_stored.end(), key);
    right_keys.push_back(static_cast<std::size_t>(at - right_stored.begin()));
  }
}

column::Chunk JoinColumns::stored_of(const column::Chunk& right_chunk) const {
  column::Chunk chunk = right_chunk;
  chunk.columns.clear();
  for (std::size_t i : right_stored) chunk.columns.push_back(right_chunk.columns[i]);
  return chunk;
}

void JoinOutput::add(std::int64_t time_ms, const StoredRow& left, const StoredRow& right,
                     const Span& window) {
  rest_.clear();
  if (columns_.windowed) column::append_word(rest_, window.start_ms);
  column::append_position(rest_, left.position());
  if (right.block != nullptr) column::append_position(rest_, right.position());
  maker_.add(time_ms, columns_.node, rest_);
  left_.push_back(left);
  right_.push_back(right);
  if (columns_.windowed) windows_.push_back(window);
}

std::optional<column::Chunk> JoinOutput::take() {
  if (left_.empty()) return {};
  if (columns_.windowed) add_windows();
  for (std::size_t c = 0; c < columns_.left.size(); ++c) {
    maker_.add_column(columns_.left[c], left_, c);
  }
  for (std::size_t c : columns_.right_given) maker_.add_column(columns_.right[c], right_, c);
  left_.clear();
  right_.clear();
  windows_.clear();
  return maker_.finish();
}

void JoinOutput::add_windows() {
  auto starts = std::make_shared<column::Vector>(column::Type::timestamp);
  auto ends = std::make_shared<column::Vector>(column::Type::timestamp);
  starts->resize(windows_.size());
  ends->resize(windows_.size());
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    starts->set_integer(i, windows_[i].start_ms);
    ends->set_integer(i, windows_[i].end_ms);
  }
  maker_.add_column(std::move(starts));
  maker_.add_column(std::move(ends));
}

}  // namespace leat::operators
