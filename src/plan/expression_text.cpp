#include "plan/expression_text.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "plan/literal_json.h"
#include "plan/text_place.h"

namespace leat::plan {

namespace {

// From those that bind least; an operand that binds less than its operator is in parentheses.
enum Binding { alternative, conjunction, negation, comparison, joining, sum, product, sign, whole };

struct Operator {
  std::string_view function;
  std::string_view sign;
  Binding binding;
};

constexpr Operator operators[] = {{"or", "or", alternative},
                                  {"and", "and", conjunction},
                                  {"=", "=", comparison},
                                  {"<>", "<>", comparison},
                                  {"<", "<", comparison},
                                  {"<=", "<=", comparison},
                                  {">", ">", comparison},
                                  {">=", ">=", comparison},
                                  {"like", "like", comparison},
                                  {"ilike", "ilike", comparison},
                                  {"||", "||", joining},
                                  {"+", "+", sum},
                                  {"-", "-", sum},
                                  {"*", "*", product},
                                  {"/", "/", product},
                                  {"%", "%", product},
                                  {"is_distinct_from", "is distinct from", comparison}};

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += c;
    out += c;
  }
  return out + "'";
}

std::string interval_text(const Interval& interval) {
  std::string text;
  auto add = [&](std::int64_t count, std::string_view unit) {
    if (count != 0) text += fmt::format("{}{} {}", text.empty() ? "" : " ", count, unit);
  };
  add(interval.months, "months");
  add(interval.days, "days");
  add(interval.ms, "ms");
  return text.empty() ? "0 ms" : text;
}

std::string literal_text(const Expression& literal) {
  if (literal.literal.is_null()) return "null";
  if (const auto* interval = std::get_if<Interval>(&literal.literal)) {
    return "interval " + quoted(interval_text(*interval));
  }
  const auto* digits = std::get_if<Decimal>(&literal.literal);
  if (digits != nullptr) return decimal_text(*digits);
  Json json = literal_json(literal.type, literal.literal);
  if (const auto* text = std::get_if<std::string>(&json)) {
    bool is_text = literal.type == Type{Type::Kind::text};
    return (is_text ? "" : name(literal.type) + " ") + quoted(*text);
  }
  std::string text;
  append_json(text, json);
  return text;
}

/// Writes until there is more than is wanted: an expression may have thousands of parts.
class ExpressionWriter {
 public:
  explicit ExpressionWriter(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void write(const Expression& expression, Binding least = alternative) {
    if (out_.size() > bytes_max_) return;
    bool parenthesised = binding_of(expression) < least;
    if (parenthesised) out_ += '(';
    write_bare(expression);
    if (parenthesised) out_ += ')';
  }
  std::string take() { return shortened(out_, bytes_max_); }

 private:
  using Arguments = std::vector<Expression>;

  static const Operator* operator_of(const Expression& call) {
    if (call.kind != Expression::Kind::call || call.arguments.size() < 2) return nullptr;
    auto found = std::find_if(std::begin(operators), std::end(operators),
                              [&](const auto& each) { return each.function == call.name; });
    return found == std::end(operators) ? nullptr : found;
  }
  static bool is_call(const Expression& expression, std::string_view name, std::size_t count) {
    return expression.kind == Expression::Kind::call && expression.name == name &&
           expression.arguments.size() == count;
  }
  static Binding binding_of(const Expression& expression) {
    if (const auto* found = operator_of(expression)) return found->binding;
    if (is_call(expression, "not", 1)) {
      return is_call(expression.arguments[0], "is_null", 1) ? comparison : negation;
    }
    bool compares = is_call(expression, "is_null", 1) || is_call(expression, "between", 3) ||
                    (expression.name == "in" && expression.arguments.size() > 1);
    if (compares) return comparison;
    return is_call(expression, "negate", 1) ? sign : whole;
  }

  void write_bare(const Expression& expression) {
    switch (expression.kind) {
      case Expression::Kind::column: out_ += expression.name; return;
      case Expression::Kind::literal: out_ += literal_text(expression); return;
      case Expression::Kind::call: return write_call(expression);
      case Expression::Kind::cast: break;
    }
    out_ += "cast(";
    write(expression.arguments.at(0));
    out_ += " as " + name(expression.type) + ")";
  }

  void write_call(const Expression& call) {
    const Arguments& arguments = call.arguments;
    if (const auto* found = operator_of(call)) return write_infix(*found, arguments);
    if (is_call(call, "not", 1)) return write_not(arguments[0]);
    if (is_call(call, "is_null", 1)) return write_behind(arguments[0], " is null");
    if (is_call(call, "negate", 1)) {
      out_ += '-';
      return write(arguments[0], whole);
    }
    if (is_call(call, "between", 3)) {
      write_behind(arguments[0], " between ");
      write_behind(arguments[1], " and ");
      return write(arguments[2], joining);
    }
    if (call.name == "in" && arguments.size() > 1) {
      write_behind(arguments[0], " in (");
      write_list(arguments, 1);
      out_ += ')';
      return;
    }
    if (call.name == "case" && arguments.size() > 1) return write_case(arguments);
    out_ += call.name + "(";
    write_list(arguments, 0);
    out_ += ')';
  }

  void write_infix(const Operator& found, const Arguments& arguments) {
    // What is in a row is taken from the left; comparisons stand in no row.
    auto least = static_cast<Binding>(found.binding + (found.binding == comparison ? 1 : 0));
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (i > 0) out_ += fmt::format(" {} ", found.sign);
      write(arguments[i], i == 0 ? least : static_cast<Binding>(found.binding + 1));
    }
  }
  void write_not(const Expression& operand) {
    if (is_call(operand, "is_null", 1)) return write_behind(operand.arguments[0], " is not null");
    out_ += "not ";
    write(operand, negation);
  }
  void write_behind(const Expression& operand, std::string_view words) {
    write(operand, joining);
    out_ += words;
  }
  void write_list(const Arguments& arguments, std::size_t first) {
    for (std::size_t i = first; i < arguments.size(); ++i) {
      if (i > first) out_ += ", ";
      write(arguments[i]);
    }
  }
  void write_case(const Arguments& arguments) {
    out_ += "case";
    for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
      out_ += " when ";
      write(arguments[i]);
      out_ += " then ";
      write(arguments[i + 1]);
    }
    if (arguments.size() % 2 == 1) {
      out_ += " else ";
      write(arguments.back());
    }
    out_ += " end";
  }

  std::string out_;
  std::size_t bytes_max_;
};

}  // namespace

std::string expression_text(const Expression& expression, std::size_t bytes_max) {
  ExpressionWriter writer(bytes_max);
  writer.write(expression);
  return writer.take();
}

}  // namespace leat::plan
