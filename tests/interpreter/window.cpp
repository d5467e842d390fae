#include "interpreter/windows.h"

#include <algorithm>
#include <limits>
#include <map>

#include "interpreter/aggregate.h"
#include "interpreter/evaluate.h"
#include "interpreter/nodes.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

using Group = std::vector<GroupedRow>;
using Keyed = std::map<Values, Group, ValuesLess>;

// A window of one key: sorted as windows close, then by key.
struct Pane {
  std::int64_t end;
  std::int64_t start;
  Values key;

  bool operator<(const Pane& other) const {
    if (end != other.end) return end < other.end;
    if (start != other.start) return start < other.start;
    return ValuesLess()(key, other.key);
  }
};
using Panes = std::map<Pane, Group>;

// Puts rows of all keys, in the order of time, into all their windows that end after the watermark
// minus the lateness.
Panes fixed_panes(const Turn& turn, const WindowShape& shape, const Group& rows,
                  std::int64_t lateness_ms) {
  Panes panes;
  for (const auto& grouped : rows) {
    for (const auto& span : windows_of(shape, grouped.row->time)) {
      if (span.end + lateness_ms <= grouped.row->watermark) continue;
      panes[{span.end, span.start, key_of(*grouped.row, turn.node.keys)}].push_back(grouped);
    }
  }
  return panes;
}

// Cuts each key's rows that are in time wherever the next one is a gap or more behind.
Panes session_panes(const Turn& turn, std::int64_t gap_ms, const Group& rows,
                    std::int64_t lateness_ms) {
  Keyed keyed;
  for (const auto& grouped : rows) {
    if (grouped.row->time + gap_ms + lateness_ms <= grouped.row->watermark) continue;
    keyed[key_of(*grouped.row, turn.node.keys)].push_back(grouped);
  }
  Panes panes;
  for (const auto& [key, group] : keyed) {
    Group session;
    for (std::size_t i = 0; i < group.size(); ++i) {
      session.push_back(group[i]);
      bool last = i + 1 == group.size();
      if (!last && group[i + 1].row->time - group[i].row->time < gap_ms) continue;
      std::int64_t start = session.front().row->time, end = group[i].row->time + gap_ms;
      panes[{end, start, key}] = std::exchange(session, {});
    }
  }
  return panes;
}

Panes panes_of(const Turn& turn, const Window& window, const Group& rows, std::int64_t lateness) {
  if (window.window.kind == WindowShape::Kind::session) {
    return session_panes(turn, window.window.gap_ms, rows, lateness);
  }
  return fixed_panes(turn, window.window, rows, lateness);
}

bool is_late(const Window& window, const Row& row) {
  std::int64_t last = std::numeric_limits<std::int64_t>::min();
  if (window.window.kind == WindowShape::Kind::session) {
    last = row.time + window.window.gap_ms;
  } else {
    for (const auto& span : windows_of(window.window, row.time)) last = std::max(last, span.end);
  }
  return last + window.lateness_ms <= row.watermark;
}

struct Results {
  std::map<Pane, Row> rows;
  std::map<Pane, std::pair<Row, std::string>> bad;  // without a valid result, and why
};

// One row for each pane.
Results results_of(const Turn& turn, const Panes& panes) {
  Results results;
  for (const auto& [pane, group] : panes) {
    Row row;
    row.time = pane.end - 1;
    row.watermark = row.time;
    row.values = {Timestamp{pane.start}, Timestamp{pane.end}};
    row.values.insert(row.values.end(), pane.key.begin(), pane.key.end());
    try {
      Values aggregates = aggregate(turn.node, group);
      row.values.insert(row.values.end(), aggregates.begin(), aggregates.end());
      results.rows.emplace(pane, std::move(row));
    } catch (const BadValue& bad) {
      results.bad.emplace(pane, std::pair(std::move(row), bad.why));
    }
  }
  return results;
}

bool same(const Row& a, const Row& b) {
  auto equal = [](const Value& x, const Value& y) {
    const auto* left = std::get_if<Array>(&x);
    const auto* right = std::get_if<Array>(&y);
    if (left == nullptr || right == nullptr) return x.index() == y.index() && compare(x, y) == 0;
    return std::equal(left->items.begin(), left->items.end(), right->items.begin(),
                      right->items.end(),
                      [](const Value& i, const Value& j) { return compare(i, j) == 0; });
  };
  return std::equal(a.values.begin(), a.values.end(), b.values.begin(), b.values.end(), equal);
}

// Versions of a pane's row have the place that it has among all panes.
using Places = std::map<Pane, std::int64_t>;

Places places_of(const Panes& closed, const Panes& last) {
  Places places;
  for (const auto* panes : {&closed, &last}) {
    for (const auto& [pane, group] : *panes) places[pane] = 0;
  }
  std::int64_t place = 0;
  for (auto& [pane, number] : places) number = place++;
  return places;
}

void give(const Turn& turn, const Places& places, const Pane& pane, Row row, Kind kind) {
  row.kind = kind;
  row.position = {turn.number, places.at(pane)};
  row.arrival = turn.arrival_at(row.time);
  turn.result.rows.push_back(std::move(row));
}

// What is left of rows when all their changes are made.
Rows what_stands(const Rows& rows) {
  std::map<Position, Row> standing;
  for (const auto& row : rows) {
    bool goes = row.kind == Kind::remove || row.kind == Kind::update_before;
    standing.erase(row.position);
    if (goes) continue;
    Row& stands = standing[row.position] = row;
    stands.kind = Kind::insert;
  }
  Rows left;
  for (auto& [position, row] : standing) left.push_back(std::move(row));
  return left;
}

void reject_all(const Turn& turn, const Results& results) {
  for (const auto& [pane, bad] : results.bad) turn.reject(bad.first, bad.second);
}

// What was given when windows closed has become something else. Whose rows were all on time is not
// looked at again. What has no valid result in the end is bad, whatever it had in between.
void revise(const Turn& turn, const Places& places, const Panes& closed, Results on_time,
            const Panes& last) {
  const auto& given = on_time.rows;
  Panes changed = last;
  std::erase_if(changed, [&](const auto& pane) {
    auto before = closed.find(pane.first);
    return before != closed.end() && before->second.size() == pane.second.size();
  });
  Results revised = results_of(turn, changed);
  const auto& results = revised.rows;
  std::erase_if(on_time.bad, [&](const auto& bad) {
    return !last.contains(bad.first) || changed.contains(bad.first);
  });
  revised.bad.merge(on_time.bad);
  reject_all(turn, revised);
  for (const auto& [pane, row] : given) {
    bool stays = last.contains(pane) && (!changed.contains(pane) || results.contains(pane));
    if (!stays) give(turn, places, pane, row, Kind::remove);
  }
  for (const auto& [pane, row] : results) {
    auto before = given.find(pane);
    if (before == given.end()) {
      give(turn, places, pane, row, Kind::insert);
    } else if (!same(before->second, row)) {
      give(turn, places, pane, before->second, Kind::update_before);
      give(turn, places, pane, row, Kind::update_after);
    }
  }
}

}  // namespace

void run_window(const Turn& turn, const Window& window, const Rows& rows) {
  Rows sorted = what_stands(rows);
  std::sort(sorted.begin(), sorted.end(), earlier);
  Group group;
  for (const auto& row : sorted) {
    if (is_late(window, row)) {
      turn.result.late.push_back(row);
      continue;
    }
    try {
      group.push_back(group_row(turn.node, row, turn.now_ms));
    } catch (const BadValue& bad) {
      turn.reject(row, bad.why);
    }
  }
  Panes last = panes_of(turn, window, group, window.lateness_ms);
  bool once = window.emit != Window::Emit::close || window.lateness_ms == 0;
  if (once) {
    Places places = places_of(last, last);
    Results results = results_of(turn, last);
    reject_all(turn, results);
    for (const auto& [pane, row] : results.rows) give(turn, places, pane, row, Kind::insert);
    return;
  }
  Panes closed = panes_of(turn, window, group, 0);
  Results on_time = results_of(turn, closed);
  Places places = places_of(closed, last);
  for (const auto& [pane, row] : on_time.rows) give(turn, places, pane, row, Kind::insert);
  revise(turn, places, closed, std::move(on_time), last);
}

}  // namespace leat::interpreter
