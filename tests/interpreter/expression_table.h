// Tables of calls and what they give, as texts.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "interpreter/evaluate.h"

namespace leat::interpreter {

/// `bigint 5`, `decimal(5,2) 1.50`, `text` and one blank and any text; `bigint NULL`.
inline plan::Expression literal_of(const std::string& written) {
  auto blank = written.find(' ');
  auto type = plan::parse_type(written.substr(0, blank));
  REQUIRE_MESSAGE(type.has_value(), written);
  std::string text = written.substr(blank + 1);
  if (text == "NULL") return plan::literal(*type, {});
  return plan::literal(*type, cast(text, plan::Type{}, *type));
}

/// The value as text, `NULL`, or `! ` and why there is none.
inline std::string result_of(const plan::Expression& expression) {
  auto bound = plan::bind_expression(expression, {});
  if (!bound) return bound.error().what;
  try {
    constexpr std::int64_t now_ms = 1'700'000'000'123;
    plan::Value value = evaluate(*bound, {}, now_ms);
    if (value.is_null()) return "NULL";
    return std::get<std::string>(cast(value, bound->type, plan::Type{}));
  } catch (const BadValue& bad) {
    return "! " + bad.why;
  }
}

struct CallRow {
  const char* function;
  std::vector<std::string> arguments;
  const char* result;
};

inline void check_calls(std::initializer_list<CallRow> rows) {
  for (const auto& row : rows) {
    std::vector<plan::Expression> arguments;
    std::string call = row.function;
    for (const auto& argument : row.arguments) {
      call += " | " + argument;
      arguments.push_back(literal_of(argument));
    }
    CAPTURE(call);
    CHECK(result_of(plan::call(row.function, arguments)) == row.result);
  }
}

}  // namespace leat::interpreter
