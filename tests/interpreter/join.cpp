#include <algorithm>
#include <map>

#include "interpreter/nodes.h"
#include "interpreter/windows.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

using Partners = std::vector<const Row*>;

// Rows of the right side by key. A row with a NULL in its key has no partner.
class RightSide {
 public:
  RightSide(const Turn& turn, const Rows& rows) {
    for (const auto& row : rows) {
      keyed_[key_of(row, turn.node.right_keys)].push_back(&row);
    }
  }
  const Partners& find(const Turn& turn, const Row& left) const {
    static const Partners none;
    Values key = key_of(left, turn.node.keys);
    auto is_null = [](const Value& value) { return value.is_null(); };
    if (std::any_of(key.begin(), key.end(), is_null)) return none;
    auto found = keyed_.find(key);
    return found == keyed_.end() ? none : found->second;
  }

 private:
  std::map<Values, Partners, ValuesLess> keyed_;
};

// Makes the rows of a join.
class Joiner {
 public:
  Joiner(const Turn& turn, const Join& join, std::size_t right_columns) : turn_(turn), join_(join) {
    for (std::size_t i = 0; i < right_columns; ++i) {
      bool shared = false;
      for (std::size_t key = 0; key < join.keys.size(); ++key) {
        shared = shared ||
                 (turn.node.right_keys[key] == i && join.keys[key].left == join.keys[key].right);
      }
      if (!shared) kept_.push_back(i);
    }
  }

  /// What `left` gives with these partners, within `window` if there is one.
  void add(const Row& left, const Partners& partners, const Span* window) {
    switch (join_.how) {
      case Join::How::semi:
        if (!partners.empty()) give(left, nullptr, window);
        return;
      case Join::How::anti:
        if (partners.empty()) give(left, nullptr, window);
        return;
      case Join::How::left:
        if (partners.empty()) give(left, nullptr, window);
        break;
      case Join::How::inner: break;
    }
    for (const auto* right : partners) give(left, right, window);
  }

  Rows take() { return std::move(rows_); }

 private:
  void give(const Row& left, const Row* right, const Span* window) {
    Row row;
    if (window != nullptr) row.values = {Timestamp{window->start}, Timestamp{window->end}};
    row.values.insert(row.values.end(), left.values.begin(), left.values.end());
    bool one_sided = join_.how == Join::How::semi || join_.how == Join::How::anti;
    for (auto column : kept_) {
      if (!one_sided) row.values.push_back(right != nullptr ? right->values[column] : Value());
    }
    row.time = left.time;
    row.watermark = left.watermark;
    row.position = left.position;
    row.arrival = left.arrival;
    if (right != nullptr && join_.kind == Join::Kind::interval) {
      row.time = std::max(left.time, right->time);
    }
    if (right != nullptr && join_.kind != Join::Kind::table) {
      row.position.insert(row.position.end(), right->position.begin(), right->position.end());
    }
    if (window != nullptr) {
      row.time = window->end - 1;
      row.position.insert(row.position.begin(), window->start);
    }
    rows_.push_back(std::move(row));
  }

  const Turn& turn_;
  const Join& join_;
  std::vector<std::size_t> kept_;  // columns of the right side
  Rows rows_;
};

void join_interval(const Turn& turn, const Join& join, const Rows& left, const Rows& right,
                   Joiner& joiner) {
  Rows left_rows = in_time(turn, left), right_rows = in_time(turn, right);
  RightSide side(turn, right_rows);
  for (const auto& row : left_rows) {
    Partners partners;
    for (const auto* other : side.find(turn, row)) {
      std::int64_t ahead = other->time - row.time;
      if (ahead >= *join.lower_ms && ahead <= *join.upper_ms) partners.push_back(other);
    }
    joiner.add(row, partners, nullptr);
  }
}

// The windows that a row counts in; a row with none is late.
std::vector<Span> open_windows(const Turn& turn, const Join& join, const Row& row) {
  std::vector<Span> open;
  for (const auto& span : windows_of(*join.window, row.time)) {
    if (span.end > row.watermark) open.push_back(span);
  }
  if (open.empty()) turn.result.late.push_back(row);
  return open;
}

void join_window(const Turn& turn, const Join& join, const Rows& left, const Rows& right,
                 Joiner& joiner) {
  std::map<Span, std::pair<Rows, Rows>> windows;
  for (const auto& row : left) {
    for (const auto& span : open_windows(turn, join, row)) windows[span].first.push_back(row);
  }
  for (const auto& row : right) {
    for (const auto& span : open_windows(turn, join, row)) windows[span].second.push_back(row);
  }
  for (auto& [span, rows] : windows) {
    RightSide side(turn, rows.second);
    for (const auto& row : rows.first) joiner.add(row, side.find(turn, row), &span);
  }
}

// The last of `versions` that is there at the end; none if that takes the row back.
Partners last_of(const Partners& versions) {
  if (versions.empty() || versions.back()->kind == Kind::remove) return {};
  return {versions.back()};
}

// A row meets what came before it: of sources all there is, since that is read first.
void join_table(const Turn& turn, const Rows& left, const Rows& right, Joiner& joiner) {
  Rows versions = right;
  auto read_before = [](const Row& a, const Row& b) { return a.position < b.position; };
  std::sort(versions.begin(), versions.end(), read_before);
  RightSide side(turn, versions);
  for (const auto& row : left) {
    Partners known = side.find(turn, row);
    std::erase_if(known, [&](const Row* version) { return version->arrival > row.arrival; });
    joiner.add(row, last_of(known), nullptr);
  }
}

void join_as_of(const Turn& turn, const Rows& left, const Rows& right, Joiner& joiner) {
  Rows left_rows = in_time(turn, left), versions = in_time(turn, right);
  RightSide side(turn, versions);
  for (const auto& row : left_rows) {
    Partners past;
    for (const auto* version : side.find(turn, row)) {
      if (version->time <= row.time) past.push_back(version);
    }
    joiner.add(row, last_of(past), nullptr);
  }
}

}  // namespace

void run_join(const Turn& turn, const Join& join, const Rows& left, const Rows& right,
              std::size_t right_columns) {
  Joiner joiner(turn, join, right_columns);
  switch (join.kind) {
    case Join::Kind::interval: join_interval(turn, join, left, right, joiner); break;
    case Join::Kind::window: join_window(turn, join, left, right, joiner); break;
    case Join::Kind::table: join_table(turn, left, right, joiner); break;
    case Join::Kind::as_of: join_as_of(turn, left, right, joiner); break;
  }
  // A lookup keeps nothing of the row, which goes on as it was: late or not.
  if (join.kind == Join::Kind::table)
    turn.result.rows = joiner.take();
  else
    settle(turn, joiner.take());
}

}  // namespace leat::interpreter
