// Texts as decimals by a template, as PostgreSQL has to_number(), but that what it passes by is an
// error.
#include "expression/optimize.h"

#include <optional>

#include <fmt/format.h>

#include "expression/decimal_math.h"
#include "expression/kernel.h"
#include "plan/number_template.h"
#include "plan/text_place.h"

namespace leat::expression {

using column::Int128;
using std::string_view;
using Part = plan::NumberTemplate::Part;

namespace {

bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// What is left of a text.
class NumberText {
 public:
  NumberText(string_view text, const plan::NumberTemplate& form, bool has_commas)
      : left_(text), form_(form), has_commas_(has_commas) {}

  /// Units of the template's last digit; nothing if the text is no such number.
  std::optional<Int128> read() {
    bool good = pass(0, form_.digits_begin);
    take_sign();
    skip_blanks();
    good = good && read_digits() && pass(form_.digits_end, form_.parts.size());
    skip_blanks();
    if (!good || !left_.empty()) return {};
    return sign_ == '-' ? -units_ : units_;
  }

 private:
  char next() const { return left_.empty() ? '\0' : left_.front(); }
  void skip_blanks() {
    while (!left_.empty() && is_blank(left_.front())) left_.remove_prefix(1);
  }
  void take_sign() {
    skip_blanks();
    if (sign_ != '\0' || (next() != '+' && next() != '-')) return;
    sign_ = next();
    left_.remove_prefix(1);
  }

  // What stands before the digits or behind them.
  bool pass(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const Part& part = form_.parts[i];
      if (part.kind != Part::Kind::text) {
        take_sign();
        continue;
      }
      skip_blanks();
      for (char c : part.text) {
        if (is_blank(c)) {
          skip_blanks();
          continue;
        }
        if (left_.empty() || left_.front() != c) return false;
        left_.remove_prefix(1);
      }
    }
    return true;
  }

  // As many as the template has at most, and one at least.
  bool read_digits() {
    int whole = 0, fraction = 0;
    for (;; ++whole) {
      bool is_comma = has_commas_ && whole > 0 && next() == ',' && left_.size() > 1;
      if (is_comma && is_digit(left_[1])) left_.remove_prefix(1);
      if (!take_digit()) break;
    }
    if (form_.fraction_digits > 0 && next() == '.') {
      left_.remove_prefix(1);
      while (fraction <= form_.fraction_digits && take_digit()) ++fraction;
    }
    if (whole + fraction == 0) return false;
    if (whole > form_.whole_digits || fraction > form_.fraction_digits) return false;
    units_ *= column::power_of_ten(form_.fraction_digits - fraction);
    return true;
  }
  bool take_digit() {
    if (!is_digit(next())) return false;
    // Of more digits than decimals have the number does not matter, as there are too many.
    if (units_ < column::power_of_ten(column::precision_max - 1)) {
      units_ = units_ * 10 + (next() - '0');
    }
    left_.remove_prefix(1);
    return true;
  }

  string_view left_;
  const plan::NumberTemplate& form_;
  bool has_commas_;
  char sign_ = '\0';
  Int128 units_ = 0;
};

}  // namespace

Kernel read_number_kernel(const plan::BoundExpression& call) {
  if (call.function != "to_number") return {};
  const auto& text = std::get<std::string>(call.arguments[1].literal);
  auto form = plan::parse_number_reading(text);
  bool has_commas = false;
  for (const auto& part : form->parts) has_commas |= part.kind == Part::Kind::comma;
  return [text, has_commas, form = std::move(*form)](const Call& each) {
    Cells<string_view> texts(each.arguments[0]);
    for_known_rows(each, [&](std::uint32_t row) {
      auto units = NumberText(texts[row], form, has_commas).read();
      if (units) return each.out().set_decimal(row, *units);
      each.errors.add(row, fmt::format("'{}' does not fit the template '{}'",
                                       plan::shortened(texts[row], 80), text));
    });
  };
}

}  // namespace leat::expression
