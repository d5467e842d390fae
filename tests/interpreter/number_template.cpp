// Numbers are written as columns that the sign is put into, and read by a regular expression.
#include "interpreter/number_template.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/assert.h"
#include "interpreter/decimal_number.h"
#include "plan/number_template.h"
#include "plan/text_place.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

using Part = NumberTemplate::Part;
using Kind = Part::Kind;

// ---- Writing -----------------------------------------------------------------------------------

/// A number as it is written, `-12.30`.
struct Written {
  bool negative = false;
  std::string whole;
  std::string fraction;
};

Written taken_apart(std::string text) {
  Written number;
  number.negative = text[0] == '-';
  if (number.negative) text.erase(0, 1);
  auto point = std::min(text.find('.'), text.size());
  number.whole = text.substr(0, point);
  if (point < text.size()) number.fraction = text.substr(point + 1);
  return number;
}

Written written_number(const Call& call, int digits) {
  const Value& value = call.arguments[0];
  if (const auto* real = std::get_if<double>(&value)) {
    auto whole = static_cast<int>(fmt::format("{:.0f}", std::fabs(*real)).size());
    return taken_apart(fmt::format("{:.{}f}", *real, std::clamp(15 - whole, 0, digits)));
  }
  Decimal number{0, 0};
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    number.units = *integer;
  else
    number = std::get<Decimal>(value);
  int scale = std::min(digits, number.scale);
  Decimal rounded = decimal_value(Big(number.units), number.scale, decimal(38, scale));
  Written written = taken_apart(column::decimal_text(rounded));
  written.fraction.resize(static_cast<std::size_t>(digits), '0');
  return written;
}

/// One for each part of a template: blanks are ' ', what is not there at all is empty.
using Columns = std::vector<std::string>;

bool is_blank_column(const std::string& column) {
  return column.empty() || column == " ";
}

// The digits, without sign and texts.
Columns digit_columns(const NumberTemplate& form, const Written& number) {
  auto wanted = static_cast<std::size_t>(form.whole_digits);
  bool overflows = number.whole.size() > wanted;
  std::string whole = overflows ? std::string(wanted, '#') : number.whole;
  std::string fraction = overflows ? std::string(number.fraction.size(), '#') : number.fraction;
  std::string zeros;  // of the template, digit by digit
  for (const auto& part : form.parts) {
    if (part.is_digit()) zeros += part.kind == Kind::zero ? '0' : '9';
  }
  std::string zeros_behind = zeros.substr(wanted);
  zeros.resize(wanted);
  if (form.is_short) {
    while (!fraction.empty() && fraction.back() == '0' &&
           zeros_behind[fraction.size() - 1] != '0' &&
           zeros_behind.find('0', fraction.size() - 1) == std::string::npos)
      fraction.pop_back();
  }
  bool has_zero = zeros.find('0') != zeros.npos;
  if (whole == "0" && !has_zero && !number.fraction.empty()) {
    whole = form.is_short && fraction.empty() ? "0" : "";  // 0.5 is .5, but 0 is 0.
  }
  std::string padded = std::string(wanted - whole.size(), ' ') + whole;
  for (auto i = zeros.find('0'); i < padded.size() && padded[i] == ' '; ++i) padded[i] = '0';
  Columns columns;
  bool began = false;
  std::string digits = padded + fraction;
  std::size_t at = 0;
  for (const auto& part : form.parts) {
    std::string column;
    if (part.is_digit()) {
      column = at < digits.size() ? digits.substr(at, 1) : "";
      ++at;
      began = began || !is_blank_column(column);
    }
    if (part.kind == Kind::comma) column = began ? "," : " ";
    if (part.kind == Kind::point && (overflows || !number.fraction.empty())) column = ".";
    columns.push_back(column);
  }
  return columns;
}

std::string to_char(const Call& call) {
  auto form = *parse_number_template(call.text(1));
  Written number = written_number(call, form.fraction_digits);
  Columns columns = digit_columns(form, number);
  auto has = [&](Kind kind) { return form.has_before(kind) || form.has_behind(kind); };
  std::string sign = number.negative ? "-" : "+";
  if (form.has_behind(Kind::sign)) {
    columns[form.digits_end - 1] += sign;
  } else if (!has(Kind::minus) && !has(Kind::any_sign)) {
    std::string shown = number.negative || has(Kind::sign) ? sign : " ";
    auto first = std::find_if_not(columns.begin(), columns.end(), is_blank_column);
    ASSERT(first != columns.end());
    if (!form.is_short || shown != " ") *first = shown + *first;
  }
  std::string text;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Part& part = form.parts[i];
    if (part.kind == Kind::text) text += part.text;
    if (part.kind == Kind::any_sign) columns[i] = sign;
    if (part.kind == Kind::minus) columns[i] = number.negative ? "-" : " ";
    if (part.kind == Kind::plus) columns[i] = number.negative ? " " : "+";
    if (!form.is_short || columns[i] != " ") text += columns[i];
  }
  return text;
}

// ---- Reading -----------------------------------------------------------------------------------

const std::string blanks = "[ \\t-\\r]*";

// What is before the digits, or behind them.
std::string pattern_of(const NumberTemplate& form, std::size_t begin, std::size_t end) {
  std::string pattern;
  for (std::size_t i = begin; i < end; ++i) {
    pattern += blanks;
    if (form.parts[i].kind != Kind::text) pattern += "([+-]?)";
    for (char c : form.parts[i].text) {
      bool is_blank = c == ' ' || (c >= '\t' && c <= '\r');
      pattern += is_blank ? blanks : RE2::QuoteMeta(std::string(1, c));
    }
  }
  return pattern;
}

Decimal to_number(const Call& call) {
  BadValue refusal{fmt::format("'{}' does not fit the template '{}'", shortened(call.text(0), 80),
                               call.text(1))};
  auto form = *parse_number_reading(call.text(1));
  auto is_comma = [](const Part& part) { return part.kind == Kind::comma; };
  bool has_commas = std::any_of(form.parts.begin(), form.parts.end(), is_comma);
  std::string number = has_commas ? "((?:[0-9](?:,?[0-9])*)?)" : "([0-9]*)";
  number += form.fraction_digits > 0 ? "(?:\\.([0-9]*))?" : "()";
  std::string pattern = pattern_of(form, 0, form.digits_begin) + blanks + "([+-]?)" + blanks;
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  RE2 before(pattern, options);
  int signs_before = before.NumberOfCapturingGroups();
  RE2 regex(pattern + number + pattern_of(form, form.digits_end, form.parts.size()) + blanks,
            options);
  ASSERT(regex.ok());
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(regex.NumberOfCapturingGroups()) +
                                       1);
  const std::string& text = call.text(0);
  if (!regex.Match(text, 0, text.size(), RE2::ANCHOR_BOTH, groups.data(),
                   static_cast<int>(groups.size())))
    throw refusal;
  std::string signs, whole, fraction;
  for (std::size_t i = 1; i < groups.size(); ++i) {
    auto number_at = static_cast<std::size_t>(signs_before) + 1;
    auto& to = i == number_at ? whole : i == number_at + 1 ? fraction : signs;
    to += std::string(groups[i]);
  }
  std::erase(whole, ',');
  if (signs.size() > 1 || (whole + fraction).empty()) throw refusal;
  auto is_longer = [](const std::string& digits, int than) {
    return digits.size() > static_cast<std::size_t>(than);
  };
  if (is_longer(whole, form.whole_digits) || is_longer(fraction, form.fraction_digits)) {
    throw refusal;
  }
  fraction.resize(static_cast<std::size_t>(form.fraction_digits), '0');
  Big units(0);
  for (char digit : whole + fraction) units = units * Big(10) + Big(digit - '0');
  return {*(signs == "-" ? units.negated() : units).to_int128(), form.fraction_digits};
}

}  // namespace

std::optional<Value> number_template_function(const Call& call) {
  const std::string& name = call.expression.function;
  if (name == "to_number") return to_number(call);
  bool of_time = name == "to_char" && std::holds_alternative<Timestamp>(call.arguments[0]);
  if (name == "to_char" && !of_time) return to_char(call);
  return {};
}

}  // namespace leat::interpreter
