// OVER, top and dedup: rows judged among those of the same key.
#include <algorithm>
#include <map>

#include "interpreter/aggregate.h"
#include "interpreter/evaluate.h"
#include "interpreter/nodes.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

bool came_before(const Row& a, const Row& b) {
  return a.arrival != b.arrival ? a.arrival < b.arrival : earlier(a, b);
}

// The rows that are in time, by key. `at_once` they are in the order in which they came, else in
// that of time.
std::map<Values, Rows, ValuesLess> by_key(const Turn& turn, const Rows& rows, Emission emit) {
  std::map<Values, Rows, ValuesLess> keyed;
  Rows some = in_time(turn, rows);
  if (emit == Emission::at_once) std::sort(some.begin(), some.end(), came_before);
  for (const auto& row : some) keyed[key_of(row, turn.node.keys)].push_back(row);
  return keyed;
}

// The rows of `judged`, which are in the order of time, that count for the one at `at`.
std::vector<GroupedRow> frame_of(const Frame& frame, const std::vector<GroupedRow>& judged,
                                 std::size_t at) {
  std::vector<GroupedRow> counted;
  for (std::size_t i = 0; i < judged.size(); ++i) {
    std::int64_t age = judged[at].row->time - judged[i].row->time;
    bool counts = i <= at;
    if (frame.range_ms) counts = age >= 0 && age <= *frame.range_ms;
    if (frame.rows && i <= at) counts = at - i <= static_cast<std::size_t>(*frame.rows);
    if (counts) counted.push_back(judged[i]);
  }
  return counted;
}

bool earlier_grouped(const GroupedRow& a, const GroupedRow& b) {
  return earlier(*a.row, *b.row);
}

// The row with its aggregates, judged by `known`, of which it is one.
void give_over(const Turn& turn, const Frame& frame, std::vector<GroupedRow> known, const Row& row,
               Rows& out) {
  std::sort(known.begin(), known.end(), earlier_grouped);
  auto is_row = [&](const GroupedRow& grouped) { return grouped.row == &row; };
  auto at = std::find_if(known.begin(), known.end(), is_row) - known.begin();
  try {
    Values aggregates = aggregate(turn.node, frame_of(frame, known, static_cast<std::size_t>(at)));
    out.push_back(row);
    out.back().values.insert(out.back().values.end(), aggregates.begin(), aggregates.end());
  } catch (const BadValue& bad) {
    turn.reject(row, bad.why);
  }
}

// Rows of all keys in the order in which they were judged. Those that waited for event time come
// in its order from here on.
void give_in_order(const Turn& turn, Rows rows, Emission emit) {
  std::stable_sort(rows.begin(), rows.end(), emit == Emission::at_once ? came_before : earlier);
  for (auto& row : rows) {
    row.watermark = row.time;
    if (emit != Emission::at_once) row.arrival = turn.arrival_at(row.time);
    turn.result.rows.push_back(std::move(row));
  }
}

}  // namespace

void run_over(const Turn& turn, const Over& over, const Rows& rows) {
  Rows out;
  for (const auto& [key, group] : by_key(turn, rows, over.emit)) {
    std::vector<GroupedRow> known;
    for (const auto& row : group) {
      try {
        known.push_back(group_row(turn.node, row, turn.now_ms));
      } catch (const BadValue& bad) {
        turn.reject(row, bad.why);
        continue;
      }
      if (over.emit == Emission::at_once) give_over(turn, over.frame, known, row, out);
    }
    if (over.emit == Emission::at_once) continue;
    for (const auto& grouped : known) give_over(turn, over.frame, known, *grouped.row, out);
  }
  give_in_order(turn, std::move(out), over.emit);
}

void run_top(const Turn& turn, const Top& top, const Rows& rows) {
  auto before = [&](const Row& a, const Row& b) {
    for (std::size_t i = 0; i < top.order_by.size(); ++i) {
      int order = compare(a.values[turn.node.columns[i]], b.values[turn.node.columns[i]]);
      if (order != 0) return top.order_by[i].descending ? order > 0 : order < 0;
    }
    return !top.ties && earlier(a, b);
  };
  auto rank_in = [&](const Rows& known, const Row& row) {
    auto ahead = std::count_if(known.begin(), known.end(),
                               [&](const Row& other) { return before(other, row); });
    return static_cast<std::size_t>(ahead) + 1;
  };
  auto ranked = [&](Row row, std::size_t rank) {
    if (!top.rank.empty()) row.values.push_back(static_cast<std::int64_t>(rank));
    return row;
  };
  auto limit = static_cast<std::size_t>(top.limit);
  Rows out;
  for (auto& [key, group] : by_key(turn, rows, top.emit)) {
    Rows known;
    for (const auto& row : group) {
      known.push_back(row);
      if (top.emit == Emission::update) continue;
      std::size_t rank = rank_in(known, row);
      if (rank <= limit) out.push_back(ranked(row, rank));
    }
    if (top.emit != Emission::update) continue;
    std::stable_sort(known.begin(), known.end(), before);
    for (const auto& row : known) {
      std::size_t rank = rank_in(known, row);
      if (rank > limit) continue;
      turn.result.rows.push_back(ranked(row, rank));
      turn.result.rows.back().watermark = row.time;
    }
  }
  give_in_order(turn, std::move(out), top.emit);
}

void run_dedup(const Turn& turn, const Dedup& dedup, const Rows& rows) {
  Rows out;
  for (const auto& [key, group] : by_key(turn, rows, dedup.emit)) {
    const Row* first = nullptr;  // of those that count as the same
    for (const auto& row : group) {
      bool again =
          first != nullptr && (!dedup.horizon_ms || row.time < first->time + *dedup.horizon_ms);
      if (!again) {
        first = &row;
        out.push_back(row);
      } else if (dedup.keep == Dedup::Keep::last) {
        out.back() = row;
      }
    }
  }
  give_in_order(turn, std::move(out), dedup.emit);
}

}  // namespace leat::interpreter
