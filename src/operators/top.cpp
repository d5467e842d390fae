#include "operators/top.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "operators/hashed_keys.h"
#include "operators/key_table.h"
#include "operators/row_tools.h"
#include "operators/sorted_rows.h"
#include "operators/stored_output.h"

namespace leat::operators {

//   state := section "top" sorted keys:u32 (key:text orders:u32 order:text*)*
//   sorted, the rows that event time has not passed: see sorted_rows.h
//   order   := the bytes by which a row is ordered among those of its key
class Top::State : public OperatorState {
 public:
  explicit State(const Top& top) : top_(top), rows_(top.input_types_), hashed_(top.keys_) {}

  void snapshot(StateWriter& writer) const override {
    writer.section("top", 2);
    rows_.snapshot(writer);
    writer.write(static_cast<std::uint32_t>(keys_.size()));
    for (KeyTable::Number number = 0; number < keys_.number_end(); ++number) {
      writer.write_text(keys_.key(number));
      writer.write(static_cast<std::uint32_t>(firsts_[number].size()));
      for (const auto& first : firsts_[number]) writer.write_text(first.order);
    }
  }

  Result<void> restore(StateReader& reader) override {
    if (auto section = reader.section("top", 2); !section) return fail(section);
    rows_.restore(reader);
    std::uint32_t keys = reader.read_count(sizeof(std::uint32_t) + 1);
    for (std::uint32_t i = 0; i < keys && reader.ok(); ++i) {
      Firsts& firsts = firsts_of(keys_.find_or_add(reader.read_text()));
      for (std::uint32_t count = reader.read_count(1); count > 0; --count) {
        firsts.push_back({std::string(reader.read_text()), rough_max});
        order_bytes_ += bytes_of(firsts.back());
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
    auto cells_of = [&](std::size_t i) { return ChunkRow{&chunk, rows[i]}; };
    hashed_.for_each(keys_, rows.size(), cells_of, [&](std::size_t i, const auto& key) {
      ChunkRow cells = cells_of(i);
      std::uint32_t row = cells.row;
      Firsts& firsts = firsts_of(keys_.find_or_add(key));
      std::uint64_t rough = top_.order_.rough(cells);
      if (is_behind(firsts, rough)) return;
      order_.clear();
      top_.order_.append(order_, cells);
      if (!top_.ties_) {
        RowOrder::append_time(order_, chunk.context->event_times_ms[row],
                              chunk.context->position(row, runs.run_of(row)));
      }
      std::size_t rank = rank_of(firsts, rough);
      if (rank > top_.limit_) return;
      first.push_back(row);
      if (top_.ranked_) ranks->set_integer(row, static_cast<std::int64_t>(rank));
    });
    if (first.empty()) return {};
    column::Chunk out = select(chunk, std::move(first));
    if (top_.ranked_) out.columns.push_back(std::move(ranks));
    return context.push(out);
  }

  Result<void> advance(Watermark watermark, Context& context) {
    StoredOutput out(top_.schema_, rows_.store());
    std::vector<RowId> passed = rows_.take(watermark);
    auto cells_of = [&](std::size_t i) { return rows_.store().row(passed[i]); };
    Result<void> added;
    hashed_.for_each(keys_, passed.size(), cells_of, [&](std::size_t i, const auto& key) {
      out.release_later(passed[i]);
      StoredRow row = cells_of(i);
      Firsts& firsts = firsts_of(keys_.find_or_add(key));
      std::uint64_t rough = top_.order_.rough(row);
      if (is_behind(firsts, rough)) return;
      order_.clear();
      top_.order_.append(order_, row);  // later rows are behind equal ones
      std::size_t rank = rank_of(firsts, rough);
      if (rank > top_.limit_ || !added) return;
      added = out.add(passed[i], context, static_cast<std::int64_t>(rank));
    });
    if (!added) return fail(added);
    return out.finish(context);
  }

 private:
  struct First {
    std::string order;
    std::uint64_t rough;
  };
  using Firsts = std::vector<First>;
  // Of a row that was read from a snapshot: not known, and behind no other.
  static constexpr std::uint64_t rough_max = std::numeric_limits<std::uint64_t>::max();

  Firsts& firsts_of(std::pair<KeyTable::Number, bool> key) {
    auto [number, is_new] = key;
    if (is_new) firsts_.emplace_back();
    return firsts_[number];
  }

  bool is_behind(const Firsts& firsts, std::uint64_t rough) const {
    return firsts.size() == top_.limit_ && rough > firsts.back().rough;
  }

  // Of the row whose ordering is order_, which then counts for others.
  std::size_t rank_of(Firsts& firsts, std::uint64_t rough) {
    if (firsts.size() == top_.limit_) {
      int order = firsts.back().order.compare(order_);
      if (order < 0 || (order == 0 && !top_.ties_)) return top_.limit_ + 1;
      order_bytes_ -= bytes_of(firsts.back());
      firsts.pop_back();
    }
    // As one that comes after its equals, which have its rank if ties count.
    First first{order_, rough};
    auto [equals, behind] = std::equal_range(firsts.begin(), firsts.end(), first, is_before);
    auto ahead = (top_.ties_ ? equals : behind) - firsts.begin();
    order_bytes_ += bytes_of(first);
    firsts.insert(behind, std::move(first));
    return static_cast<std::size_t>(ahead) + 1;
  }
  static bool is_before(const First& a, const First& b) { return a.order < b.order; }
  static std::size_t bytes_of(const First& first) { return sizeof first + first.order.size(); }

  const Top& top_;
  SortedRows rows_;
  HashedKeys hashed_;
  std::string order_;  // of the row that is judged
  KeyTable keys_;
  std::vector<Firsts> firsts_;  // by the keys' numbers, sorted
  std::size_t order_bytes_ = 0;
};

Top::Top(const plan::BoundNode& node, const column::Schema& input)
    : input_types_(types_of(input)),
      schema_(node.schema),
      keys_(node.keys),
      order_(node.columns, std::get<plan::Top>(node.node->body).order_by) {
  const auto& top = std::get<plan::Top>(node.node->body);
  limit_ = static_cast<std::size_t>(top.limit);
  ties_ = top.ties;
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
