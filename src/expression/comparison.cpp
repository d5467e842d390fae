// How cells of one type compare: =, <, between, in, greatest, nullif.
#include "expression/optimize.h"

#include <functional>
#include <tuple>

#include "expression/comparison.h"
#include "expression/kernel.h"

namespace leat::expression {

using column::Physical;

namespace {

// Three-valued results, and the cells that a kernel compares, are looked at one row at a time.
template <class T>
std::vector<Cells<T>> all_cells(const Call& call) {
  std::vector<Cells<T>> cells;
  for (const auto& argument : call.arguments) cells.emplace_back(argument);
  return cells;
}

template <class T, class Holds>
void compare(const Call& call, Holds holds) {
  map<std::int64_t, T, T>(call, [holds](const T& a, const T& b) -> std::int64_t {
    return holds(comparable(a), comparable(b)) ? 1 : 0;
  });
}

template <class T>
void is_distinct(const Call& call) {
  auto cells = all_cells<T>(call);
  call.rows.each([&](std::uint32_t row) {
    bool no_a = call.arguments[0].is_null(row), no_b = call.arguments[1].is_null(row);
    bool distinct =
        no_a || no_b ? no_a != no_b : comparable(cells[0][row]) != comparable(cells[1][row]);
    call.out().set_integer(row, distinct ? 1 : 0);
  });
}

// x >= low and x <= high
template <class T>
void is_between(const Call& call) {
  auto cells = all_cells<T>(call);
  Nulls nulls(call.arguments);
  call.rows.each([&](std::uint32_t row) {
    auto known = [&](std::size_t i) { return !nulls.any() || !call.arguments[i].is_null(row); };
    bool outside = false;
    if (known(0)) {
      auto x = comparable(cells[0][row]);
      outside = (known(1) && x < comparable(cells[1][row])) ||
                (known(2) && comparable(cells[2][row]) < x);
    }
    if (!outside && nulls.any() && nulls.at(row))
      call.out().set_null(row);
    else
      call.out().set_integer(row, outside ? 0 : 1);
  });
}

// x = a or x = b or ...
template <class T>
void is_in(const Call& call) {
  auto cells = all_cells<T>(call);
  bool any_null = false;
  for (const auto& argument : call.arguments) any_null |= argument.vector->has_nulls();
  call.rows.each([&](std::uint32_t row) {
    bool no_value = any_null && call.arguments[0].is_null(row);
    bool found = false, unknown = no_value && cells.size() > 1;
    auto x = comparable(cells[0][row]);
    for (std::size_t i = 1; i < cells.size() && !found && !no_value; ++i) {
      if (any_null && call.arguments[i].is_null(row))
        unknown = true;
      else
        found = x == comparable(cells[i][row]);
    }
    if (!found && unknown)
      call.out().set_null(row);
    else
      call.out().set_integer(row, found ? 1 : 0);
  });
}

// Writes those of the first `count` rows for which `is_true`, where no branch for a single one is
// worth it: of some that follow each other mostly all are wanted, or none.
template <class IsTrue>
std::size_t collect_blocks(std::size_t count, std::uint32_t* out, IsTrue is_true) {
  constexpr std::size_t block = column::block_rows;
  std::size_t kept = 0, begin = 0;
  auto one = [&](std::size_t row) {
    bool wanted = is_true(static_cast<std::uint32_t>(row));
    out[kept] = static_cast<std::uint32_t>(row);
    kept += wanted ? 1 : 0;
  };
  for (; begin + block <= count; begin += block) {
    std::uint64_t wanted = 0;
    for (std::size_t i = 0; i < block; ++i) {
      wanted += is_true(static_cast<std::uint32_t>(begin + i)) ? 1 : 0;
    }
    if (wanted == block) {
      for (std::size_t i = 0; i < block; ++i) out[kept + i] = static_cast<std::uint32_t>(begin + i);
      kept += block;
    } else if (wanted > 0) {
      for (std::size_t i = 0; i < block; ++i) one(begin + i);
    }
  }
  for (; begin < count; ++begin) one(begin);
  return kept;
}

// The rows for which both are there and compare.
template <class T, class Holds>
Selector choose_rows(Holds holds) {
  return [holds](const Choice& choice) {
    const Operand &left = choice.arguments[0], &right = choice.arguments[1];
    Nulls nulls(choice.arguments);
    bool any_null = nulls.any() && nulls.any_in(choice.rows);
    return with_cells<T>(left, [&](auto a) {
      return with_cells<T>(right, [&](auto b) {
        if constexpr (std::is_arithmetic_v<T>) {
          if (!any_null && choice.rows.is_all()) {
            auto is_true = [=](std::uint32_t row) { return holds(a(row), b(row)); };
            std::uint32_t* out = choice.out;
            std::size_t count = choice.rows.count;
            return vectorized([=] { return collect_blocks(count, out, is_true); });
          }
        }
        if (!any_null) {
          return collect(choice.rows, choice.out,
                         [=](std::uint32_t row) { return holds(a(row), b(row)); });
        }
        return collect(choice.rows, choice.out,
                       [&](std::uint32_t row) { return !nulls.at(row) && holds(a(row), b(row)); });
      });
    });
  };
}

template <class T>
Selector selector_of(std::string_view name) {
  if (name == "=") return choose_rows<T>(std::equal_to<T>());
  if (name == "<>") return choose_rows<T>(std::not_equal_to<T>());
  if (name == "<") return choose_rows<T>(std::less<T>());
  if (name == "<=") return choose_rows<T>(std::less_equal<T>());
  if (name == ">") return choose_rows<T>(std::greater<T>());
  if (name == ">=") return choose_rows<T>(std::greater_equal<T>());
  return {};
}

// That of the arguments that is before all others by `before`, NULLs left out.
template <class T, class Before>
void choose(const Call& call, Before before) {
  auto cells = all_cells<T>(call);
  call.rows.each([&](std::uint32_t row) {
    std::size_t best = cells.size();
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (call.arguments[i].is_null(row)) continue;
      bool first = best == cells.size();
      if (first || before(comparable(cells[i][row]), comparable(cells[best][row]))) best = i;
    }
    if (best == cells.size()) return call.out().set_null(row);
    call.out().set_from(row, *call.arguments[best].vector, call.arguments[best].at(row));
  });
}

template <class T>
void null_if_equal(const Call& call) {
  auto cells = all_cells<T>(call);
  const auto &value = call.arguments[0], &other = call.arguments[1];
  call.rows.each([&](std::uint32_t row) {
    bool equal = !value.is_null(row) && !other.is_null(row) &&
                 comparable(cells[0][row]) == comparable(cells[1][row]);
    if (equal)
      call.out().set_null(row);
    else
      call.out().set_from(row, *value.vector, value.at(row));
  });
}

template <class T>
Kernel kernel_of(std::string_view name) {
  if (name == "=") return [](const Call& call) { compare<T>(call, std::equal_to<>()); };
  if (name == "<>") return [](const Call& call) { compare<T>(call, std::not_equal_to<>()); };
  if (name == "<") return [](const Call& call) { compare<T>(call, std::less<>()); };
  if (name == "<=") return [](const Call& call) { compare<T>(call, std::less_equal<>()); };
  if (name == ">") return [](const Call& call) { compare<T>(call, std::greater<>()); };
  if (name == ">=") return [](const Call& call) { compare<T>(call, std::greater_equal<>()); };
  if (name == "is_distinct_from") return is_distinct<T>;
  if (name == "between") return is_between<T>;
  if (name == "in") return is_in<T>;
  if (name == "greatest") return [](const Call& call) { choose<T>(call, std::greater<>()); };
  if (name == "least") return [](const Call& call) { choose<T>(call, std::less<>()); };
  if (name == "nullif") return null_if_equal<T>;
  return {};
}

}  // namespace

Kernel comparison_kernel(const plan::BoundExpression& call) {
  if (call.arguments.empty()) return {};
  switch (physical(call.arguments[0].type)) {
    case Physical::integer: return kernel_of<std::int64_t>(call.function);
    case Physical::real: return kernel_of<double>(call.function);
    case Physical::decimal: return kernel_of<column::Int128>(call.function);
    case Physical::text: return kernel_of<std::string_view>(call.function);
    case Physical::interval: return kernel_of<column::Interval>(call.function);
    case Physical::list: return {};
  }
  return {};
}

Selector comparison_selector(const plan::BoundExpression& call) {
  if (call.arguments.size() != 2) return {};
  switch (physical(call.arguments[0].type)) {
    case Physical::integer: return selector_of<std::int64_t>(call.function);
    case Physical::real: return selector_of<double>(call.function);
    case Physical::decimal: return selector_of<column::Int128>(call.function);
    case Physical::text: return selector_of<std::string_view>(call.function);
    case Physical::interval:
    case Physical::list: return {};
  }
  return {};
}

}  // namespace leat::expression
