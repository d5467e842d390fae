#include "operators/join_output.h"

#include <algorithm>
#include <variant>

#include "operators/chunk_row_bytes.h"
#include "operators/row_tools.h"
#include "plan/used_columns.h"

namespace leat::operators {

using How = plan::Join::How;

namespace {

// As long as a chunk may be.
std::shared_ptr<const column::Vector> nulls_of(const column::Type& type) {
  auto nulls = std::make_shared<column::Vector>(type);
  nulls->resize(column::chunk_rows);
  for (std::size_t row = 0; row < column::chunk_rows; ++row) nulls->set_null(row);
  return nulls;
}

}  // namespace

JoinColumns::JoinColumns(const plan::BoundPlan& plan, std::size_t number)
    : node(static_cast<std::int32_t>(number)) {
  const plan::BoundNode& bound = plan.nodes[number];
  const auto& join = std::get<plan::Join>(bound.node->body);
  schema = bound.schema;
  how = join.how;
  windowed = join.kind == plan::Join::Kind::window;
  left_keys = bound.keys;
  right_keys = bound.right_keys;
  std::vector<bool> used = plan::used_columns(plan)[number];
  // Rows that are looked up may turn out to be late behind it, and are then written whole.
  if (join.kind == plan::Join::Kind::table) used.assign(used.size(), true);
  const column::Schema& left_schema = plan.nodes[bound.inputs[0]].schema;
  const column::Schema& right_schema = plan.nodes[bound.inputs[1]].schema;
  std::vector<std::size_t> left_columns, right_columns;  // that come out
  for (std::size_t i = 0; i < left_schema.size(); ++i) left_columns.push_back(i);
  for (std::size_t i = 0; i < right_schema.size() && gives_pairs(); ++i) {
    if (!is_shared(i, join)) right_columns.push_back(i);
  }
  std::vector<bool> wanted(used.begin() + (windowed ? 2 : 0), used.end());
  add(left_schema, left_columns, left_keys, wanted, left, left_given);
  wanted.erase(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(left_columns.size()));
  add(right_schema, right_columns, right_keys, wanted, right, right_given);
  left.chunk_row_bytes = chunk_row_bytes(plan, bound.inputs[0]);
  right.chunk_row_bytes = chunk_row_bytes(plan, bound.inputs[1]);
}

// `wanted` says of each of `columns` whether it is read behind the join.
void JoinColumns::add(const column::Schema& input, const std::vector<std::size_t>& columns,
                      const std::vector<std::size_t>& keys, const std::vector<bool>& wanted,
                      Kept& kept, std::vector<Given>& given) {
  std::vector<bool> is_kept(input.size());
  for (std::size_t key : keys) is_kept[key] = true;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (wanted[i]) is_kept[columns[i]] = true;
    drops_some = drops_some || !is_kept[columns[i]];
  }
  std::vector<std::size_t> places(input.size());
  for (std::size_t i = 0; i < input.size(); ++i) {
    places[i] = kept.columns.size();
    if (!is_kept[i]) continue;
    kept.columns.push_back(i);
    kept.types.push_back(input[i].type);
  }
  for (std::size_t key : keys) kept.keys.push_back(places[key]);
  for (std::size_t i : columns) {
    const column::Type& type = input[i].type;
    given.push_back({type, places[i], is_kept[i] ? nullptr : nulls_of(type)});
  }
}

// Stands in the left row already.
bool JoinColumns::is_shared(std::size_t right_column, const plan::Join& join) const {
  for (std::size_t k = 0; k < join.keys.size(); ++k) {
    if (right_keys[k] == right_column && join.keys[k].left == join.keys[k].right) return true;
  }
  return false;
}

column::Chunk JoinColumns::Kept::of(const column::Chunk& input) const {
  column::Chunk chunk = input;
  chunk.columns.clear();
  for (std::size_t i : columns) chunk.columns.push_back(input.columns[i]);
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
  add_columns(columns_.left_given, left_);
  add_columns(columns_.right_given, right_);
  left_.clear();
  right_.clear();
  windows_.clear();
  return maker_.finish();
}

void JoinOutput::add_columns(const std::vector<JoinColumns::Given>& columns,
                             const std::vector<StoredRow>& rows) {
  for (const auto& column : columns) {
    if (column.nulls)
      maker_.add_column(column.nulls);
    else
      maker_.add_column(column.type, rows, column.kept);
  }
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
