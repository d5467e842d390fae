#include "operators/top.h"

#include <algorithm>
#include <span>
#include <string>
#include <variant>

#include "operators/key_table.h"
#include "operators/row_tools.h"
#include "operators/sorted_rows.h"
#include "operators/stored_output.h"

namespace leat::operators {

//   state := section "top" waiting keys:u32 (key:text orders:u32 order:text*)*
//   waiting, the rows that event time has not passed: see sorted_rows.h
//   order   := the bytes by which a row is ordered among those of its key
class Top::State : public OperatorState {
 public:
  explicit State(const Top& top) : top_(top), rows_(top.input_types_), key_(top.keys_) {}

  void snapshot(StateWriter& writer) const override {
    writer.section("top", 1);
    rows_.snapshot(writer);
    writer.write(static_cast<std::uint32_t>(keys_.size()));
    for (KeyTable::Number number = 0; number < keys_.number_end(); ++number) {
      writer.write_text(keys_.key(number));
      writer.write(static_cast<std::uint32_t>(firsts_[number].size()));
      for (const auto& order : firsts_[number]) writer.write_text(order);
    }
  }

  Result<void> restore(StateReader& reader) override {
    if (auto section = reader.section("top", 1); !section) return fail(section);
    rows_.restore(reader);
    std::uint32_t keys = reader.read_count(sizeof(std::uint32_t) + 1);
    for (std::uint32_t i = 0; i < keys && reader.ok(); ++i) {
      auto& orders = firsts_of(keys_.find_or_add(reader.read_text()));
      for (std::uint32_t count = reader.read_count(1); count > 0; --count) {
        order_bytes_ += orders.emplace_back(reader.read_text()).size();
      }
    }
    return {};
  }

  std::size_t bytes() const override {
    return rows_.bytes() + keys_.bytes() + firsts_.capacity() * sizeof(firsts_[0]) + order_bytes_;
  }

  Result<void> process(const column::Chunk& chunk, std::span<const std::uint32_t> rows,
                       Context& context) {
    if (!top_.at_once_) {
      rows_.add(chunk, rows);
      return {};
    }
    std::vector<std::uint32_t> first;
    auto ranks = std::make_shared<column::Vector>(column::Type::bigint);
    if (top_.ranked_) ranks->resize(chunk.rows);
    column::RunCursor runs(*chunk.context);
    for (std::uint32_t row : rows) {
      ChunkRow cells{&chunk, row};
      order_.clear();
      top_.order_.append(order_, cells);
      RowOrder::append_time(order_, chunk.context->event_times_ms[row],
                            chunk.context->position(row, runs.run_of(row)));
      std::size_t rank = rank_of(firsts_of(key_.find_or_add_in(keys_, cells)));
      if (rank > top_.limit_) continue;
      first.push_back(row);
      if (top_.ranked_) ranks->set_integer(row, static_cast<std::int64_t>(rank));
    }
    if (first.empty()) return {};
    column::Chunk out = select(chunk, std::move(first));
    if (top_.ranked_) out.columns.push_back(std::move(ranks));
    return context.push(out);
  }

  Result<void> advance(Watermark watermark, Context& context) {
    StoredOutput out(top_.schema_, rows_.store());
    for (RowId id : rows_.take(watermark)) {
      StoredRow row = rows_.store().row(id);
      order_.clear();
      top_.order_.append(order_, row);  // later rows are behind equal ones
      std::size_t rank = rank_of(firsts_of(key_.find_or_add_in(keys_, row)));
      out.release_later(id);
      if (rank > top_.limit_) continue;
      auto added = out.add(id, context, static_cast<std::int64_t>(rank));
      if (!added) return fail(added);
    }
    return out.finish(context);
  }

 private:
  using Orders = std::vector<std::string>;

  Orders& firsts_of(std::pair<KeyTable::Number, bool> key) {
    auto [number, is_new] = key;
    if (is_new) firsts_.emplace_back();
    return firsts_[number];
  }

  // Of the row whose ordering is order_, which then counts for others.
  std::size_t rank_of(Orders& orders) {
    if (orders.size() == top_.limit_) {
      if (orders.back() <= order_) return top_.limit_ + 1;
      order_bytes_ -= orders.back().size();
      orders.pop_back();
    }
    auto at = std::upper_bound(orders.begin(), orders.end(), order_);
    auto rank = static_cast<std::size_t>(at - orders.begin()) + 1;
    orders.insert(at, order_);
    order_bytes_ += order_.size();
    return rank;
  }

  const Top& top_;
  SortedRows rows_;
  KeyWriter key_;
  std::string order_;  // of the row that is judged
  KeyTable keys_;
  std::vector<Orders> firsts_;  // by the keys' numbers, sorted
  std::size_t order_bytes_ = 0;
};

Top::Top(const plan::BoundNode& node, const column::Schema& input)
    : input_types_(types_of(input)),
      schema_(node.schema),
      keys_(node.keys),
      order_(node.columns, std::get<plan::Top>(node.node->body).order_by) {
  const auto& top = std::get<plan::Top>(node.node->body);
  limit_ = static_cast<std::size_t>(top.limit);
  ranked_ = !top.rank.empty();
  at_once_ = top.emit == plan::Emission::at_once;
}

std::unique_ptr<OperatorState> Top::make_state() const {
  return std::make_unique<State>(*this);
}

Result<void> Top::process(OperatorState& state, std::size_t, const column::Chunk& chunk,
                          Context& context) const {
  auto rows = take_in_time(chunk, context);
  if (!rows) return fail(rows);
  return static_cast<State&>(state).process(chunk, *rows, context);
}

Result<void> Top::advance(OperatorState& state, Watermark watermark, Context& context) const {
  return static_cast<State&>(state).advance(watermark, context);
}

}  // namespace leat::operators
