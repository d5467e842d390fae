#include <algorithm>
#include <map>

#include "interpreter/evaluate.h"
#include "interpreter/nodes.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

// Intervals that are equal as keys differ in their parts: a key is the one with the largest parts.
Interval of_key(const Interval& interval) {
  constexpr Int128 day_ms = 86'400'000, month_ms = 30 * day_ms;
  Int128 length = comparable_ms(interval);
  return {static_cast<std::int64_t>(length / month_ms),
          static_cast<std::int64_t>(length % month_ms / day_ms),
          static_cast<std::int64_t>(length % day_ms)};
}

// What is taken back without a valid result was rejected when it came.
bool takes_back(const Row& row) {
  return row.kind == Kind::update_before || row.kind == Kind::remove;
}

// Of a change one row goes, and one comes.
void apart(Row& row) {
  if (row.kind == Kind::update_before) row.kind = Kind::remove;
  if (row.kind == Kind::update_after) row.kind = Kind::insert;
}

}  // namespace

Arrival Turn::arrival_at(std::int64_t time_ms) const {
  auto passed = std::upper_bound(progress.begin(), progress.end(), time_ms + delay_ms);
  return {passed - progress.begin(), number + 1};
}

bool earlier(const Row& a, const Row& b) {
  if (a.time != b.time) return a.time < b.time;
  return a.position < b.position;
}

Values key_of(const Row& row, const std::vector<std::size_t>& columns) {
  Values key;
  for (auto column : columns) {
    key.push_back(row.values[column]);
    if (auto* interval = std::get_if<Interval>(&key.back())) *interval = of_key(*interval);
  }
  return key;
}

Rows in_time(const Turn& turn, const Rows& rows) {
  Rows some;
  for (const auto& row : rows) {
    (row.time < row.watermark ? turn.result.late : some).push_back(row);
  }
  std::sort(some.begin(), some.end(), earlier);
  return some;
}

void settle(const Turn& turn, Rows rows) {
  std::sort(rows.begin(), rows.end(), earlier);
  for (auto& row : rows) {
    auto place = static_cast<std::int64_t>(turn.result.rows.size());
    row.position = {turn.number, place};
    row.arrival = turn.arrival_at(row.time);
    row.watermark = row.time;
    turn.result.rows.push_back(std::move(row));
  }
}

// A version of a table's row that does not pass takes back the one that did. Of other rows that are
// taken back there is all, so those go that came.
void run_filter(const Turn& turn, const Rows& rows) {
  for (auto row : rows) {
    bool passes = false;
    try {
      if (row.kind != Kind::remove || !turn.node.table) {
        Value value = evaluate(turn.node.expressions[0], row.values, turn.now_ms);
        passes = !value.is_null() && std::get<bool>(value);
      }
    } catch (const BadValue& bad) {
      if (!takes_back(row)) turn.reject(row, bad.why);
      continue;
    }
    if (!passes && !turn.node.table) continue;
    // Of a row that changes one version may pass and the other not.
    apart(row);
    if (!passes) row.kind = Kind::remove;
    turn.result.rows.push_back(std::move(row));
  }
}

// Where one version of a row that changes has no valid result, the other one goes or comes alone.
void run_project(const Turn& turn, const Rows& rows) {
  struct Before {
    bool is_good;
    std::size_t place;  // in the result, if it is good
  };
  std::map<Position, Before> changing;
  Rows& given = turn.result.rows;
  for (const auto& row : rows) {
    Row projected = row;
    projected.values.clear();
    bool good = true;
    try {
      for (std::size_t i = 0; i < turn.node.expressions.size(); ++i) {
        const auto& expression = turn.node.expressions[i];
        // Of a table's row that is to go there is its key.
        bool there = row.kind != Kind::remove || !turn.node.table ||
                     expression.kind == Expression::Kind::column;
        projected.values.push_back(there ? evaluate(expression, row.values, turn.now_ms) : Value());
      }
    } catch (const BadValue& bad) {
      if (!takes_back(row)) turn.reject(row, bad.why);
      good = false;
    }
    auto before = changing.find(row.position);
    if (row.kind == Kind::update_after && before != changing.end()) {
      if (!good && before->second.is_good) given[before->second.place].kind = Kind::remove;
      if (!before->second.is_good) projected.kind = Kind::insert;
      changing.erase(before);
    }
    if (row.kind == Kind::update_before) changing[row.position] = {good, given.size()};
    if (good) given.push_back(std::move(projected));
  }
}

// One row may come by several ways: then the first of them is the first in order.
void run_union(const Turn& turn, const std::vector<const Rows*>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (auto row : *inputs[i]) {
      row.position.push_back(static_cast<std::int64_t>(i));
      turn.result.rows.push_back(std::move(row));
    }
  }
}

void run_unnest(const Turn& turn, const Rows& rows) {
  bool counted = !std::get<Unnest>(turn.node.node->body).ordinality.empty();
  for (const auto& row : rows) {
    const Value& array = row.values[turn.node.columns[0]];
    if (array.is_null()) continue;
    std::int64_t number = 0;
    for (const auto& item : std::get<Array>(array).items) {
      Row one = row;
      // The other version may have fewer items.
      apart(one);
      one.values.push_back(item);
      one.position.push_back(++number);
      if (counted) one.values.emplace_back(number);
      turn.result.rows.push_back(std::move(one));
    }
  }
}

}  // namespace leat::interpreter
