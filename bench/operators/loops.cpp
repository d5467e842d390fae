#include "operators/loops.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

namespace leat::operator_bench {

namespace {

using N = std::int64_t;
template <class Value>
using ByKey = boost::unordered_flat_map<N, Value>;

struct Totals {
  N count = 0;
  N sum = 0;
};

struct Row {
  N value;
  N time;
};

/// Rows of two streams, in the order of time.
template <class Left, class Right>
void merge(const Data& left, const Data& right, const Left& take_left, const Right& take_right) {
  std::size_t chunk = 0, row = 0;
  auto take_until = [&](N time) {
    for (; chunk < right.chunks.size(); ++chunk, row = 0) {
      const auto& from = right.chunks[chunk];
      const auto& times = from.context->event_times_ms;
      for (; row < from.rows; ++row) {
        if (times[row] > time) return;
        take_right(from.columns[0]->integer(row), from.columns[1]->integer(row), times[row]);
      }
    }
  };
  left.for_rows([&](N key, N value, N time) {
    take_until(time);
    take_left(key, value, time);
  });
  take_until(std::numeric_limits<N>::max());
}

}  // namespace

Sum filter_loop(const Data& data) {
  Sum sum;
  data.for_rows([&](N key, N value, N) {
    if (value < 500) sum.add(key + value);
  });
  return sum;
}

Sum project_loop(const Data& data) {
  Sum sum;
  data.for_rows([&](N key, N value, N) { sum.add(key + (value * 3 + 1)); });
  return sum;
}

Sum unnest_loop(const Data& data) {
  Sum sum;
  for (const auto& chunk : data.chunks) {
    const auto& keys = *chunk.columns[0];
    const auto& values = *chunk.columns[1];
    const auto& lists = *chunk.columns[2];
    for (std::size_t row = 0; row < chunk.rows; ++row) {
      auto [begin, count] = lists.list(row);
      for (std::uint32_t i = begin; i < begin + count; ++i) {
        sum.add(keys.integer(row) + values.integer(row) + lists.items().integer(i));
      }
    }
  }
  return sum;
}

Sum tumbling_loop(const Data& data, N size_ms) {
  Sum sum;
  ByKey<Totals> map;
  N end = size_ms;
  auto close = [&] {
    for (const auto& [key, totals] : map)
      sum.add(end - size_ms + end + key + totals.count + totals.sum);
    map.clear();
    end += size_ms;
  };
  data.for_rows([&](N key, N value, N time) {
    if (time >= end) close();
    Totals& totals = map[key];
    ++totals.count;
    totals.sum += value;
  });
  close();
  return sum;
}

Sum tumbling_texts_loop(const Data& data, N size_ms) {
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  Sum sum;
  boost::unordered_flat_map<std::string, Totals, Hash, std::equal_to<>> map;
  N end = size_ms;
  auto close = [&] {
    for (const auto& [key, totals] : map) sum.add(end - size_ms + end + totals.count + totals.sum);
    map.clear();
    end += size_ms;
  };
  for (const auto& chunk : data.chunks) {
    for (std::size_t row = 0; row < chunk.rows; ++row) {
      if (chunk.context->event_times_ms[row] >= end) close();
      std::string_view key = chunk.columns[0]->text(row);
      auto at = map.find(key);
      if (at == map.end()) at = map.emplace(std::string(key), Totals()).first;
      ++at->second.count;
      at->second.sum += chunk.columns[1]->integer(row);
    }
  }
  close();
  return sum;
}

// A map of the window, and one for each slide: what leaves is taken off.
Sum hopping_loop(const Data& data, N size_ms, N slide_ms) {
  Sum sum;
  std::deque<ByKey<Totals>> slides(1);
  ByKey<Totals> window;
  N end = slide_ms;
  auto close = [&] {
    for (const auto& [key, totals] : window)
      sum.add(end - size_ms + end + key + totals.count + totals.sum);
    if (slides.size() == static_cast<std::size_t>(size_ms / slide_ms)) {
      for (const auto& [key, totals] : slides.front()) {
        auto at = window.find(key);
        at->second.count -= totals.count;
        at->second.sum -= totals.sum;
        if (at->second.count == 0) window.erase(at);
      }
      slides.pop_front();
    }
    slides.emplace_back();
    end += slide_ms;
  };
  data.for_rows([&](N key, N value, N time) {
    if (time >= end) close();
    for (Totals* totals : {&slides.back()[key], &window[key]}) {
      ++totals->count;
      totals->sum += value;
    }
  });
  while (!window.empty()) close();
  return sum;
}

Sum session_loop(const Data& data, N gap_ms) {
  struct Session : Totals {
    N first = 0, last = 0;
  };
  Sum sum;
  ByKey<Session> map;
  auto give = [&](N key, const Session& session) {
    sum.add(session.first + session.last + gap_ms + key + session.count + session.sum);
  };
  data.for_rows([&](N key, N value, N time) {
    Session& session = map[key];
    if (session.count > 0 && time - session.last >= gap_ms) {
      give(key, session);
      session = {};
    }
    if (session.count++ == 0) session.first = time;
    session.sum += value;
    session.last = time;
  });
  for (const auto& [key, session] : map) give(key, session);
  return sum;
}

Sum top_loop(const Data& data, std::size_t limit) {
  Sum sum;
  ByKey<std::vector<N>> map;
  data.for_rows([&](N key, N value, N) {
    auto& values = map[key];
    auto place = std::upper_bound(values.begin(), values.end(), value, std::greater<>());
    if (values.size() == limit && place == values.end()) return;
    values.insert(place, value);
    if (values.size() > limit) values.pop_back();
  });
  for (const auto& [key, values] : map) {
    for (N value : values) sum.add(key + value);
  }
  return sum;
}

Sum dedup_loop(const Data& data, N horizon_ms) {
  Sum sum;
  ByKey<N> firsts;
  data.for_rows([&](N key, N value, N time) {
    auto [at, is_new] = firsts.try_emplace(key, time);
    if (!is_new && time < at->second + horizon_ms) return;
    at->second = time;
    sum.add(key + value);
  });
  return sum;
}

Sum over_rows_loop(const Data& data, std::size_t before) {
  struct Last {
    std::deque<N> values;
    N sum = 0;
  };
  Sum sum;
  ByKey<Last> map;
  data.for_rows([&](N key, N value, N) {
    Last& last = map[key];
    last.values.push_back(value);
    last.sum += value;
    if (last.values.size() > before + 1) {
      last.sum -= last.values.front();
      last.values.pop_front();
    }
    sum.add(key + value + last.sum);
  });
  return sum;
}

Sum over_range_loop(const Data& data, N range_ms) {
  struct Last {
    std::deque<Row> rows;
    N sum = 0;
  };
  Sum sum;
  ByKey<Last> map;
  data.for_rows([&](N key, N value, N time) {
    Last& last = map[key];
    last.rows.push_back({value, time});
    last.sum += value;
    while (last.rows.front().time < time - range_ms) {
      last.sum -= last.rows.front().value;
      last.rows.pop_front();
    }
    sum.add(key + value + last.sum);
  });
  return sum;
}

Sum interval_join_loop(const Data& left, const Data& right, N span_ms) {
  struct Waiting {
    std::deque<Row> left, right;
  };
  Sum sum;
  ByKey<Waiting> map;
  auto drop = [&](std::deque<Row>& rows, N time) {
    while (!rows.empty() && rows.front().time < time - span_ms) rows.pop_front();
  };
  auto take = [&](N key, std::deque<Row>& own, std::deque<Row>& others, const Row& row) {
    drop(own, row.time);
    drop(others, row.time);
    for (const Row& other : others) sum.add(key + row.value + other.value);
    own.push_back(row);
  };
  merge(
      left, right,
      [&](N key, N value, N time) {
        Waiting& waiting = map[key];
        take(key, waiting.left, waiting.right, {value, time});
      },
      [&](N key, N value, N time) {
        Waiting& waiting = map[key];
        take(key, waiting.right, waiting.left, {value, time});
      });
  return sum;
}

Sum table_join_loop(const Data& left, const Data& table) {
  Sum sum;
  ByKey<N> map;
  table.for_rows([&](N key, N value, N) { map[key] = value; });
  left.for_rows([&](N key, N value, N) {
    auto at = map.find(key);
    if (at != map.end()) sum.add(key + value + at->second);
  });
  return sum;
}

Sum as_of_join_loop(const Data& left, const Data& right) {
  Sum sum;
  ByKey<N> map;
  merge(
      left, right,
      [&](N key, N value, N) {
        auto at = map.find(key);
        if (at != map.end()) sum.add(key + value + at->second);
      },
      [&](N key, N value, N) { map[key] = value; });
  return sum;
}

}  // namespace leat::operator_bench
