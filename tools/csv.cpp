#include "tools/csv.h"

#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "tools/record_json.h"

namespace leat::tools {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Steps over digits; false if there are none.
bool skip_digits(std::string_view& text) {
  auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  bool any = end != text.begin();
  text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
  return any;
}

/// A number in JSON's grammar, which has no leading zeros: "007" is a text.
bool is_json_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  bool leading_zero = text.starts_with('0');
  std::size_t size_before = text.size();
  if (!skip_digits(text)) return false;
  if (leading_zero && size_before - text.size() > 1) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!skip_digits(text)) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (!skip_digits(text)) return false;
  }
  return text.empty();
}

}  // namespace

bool CsvToJson::is_whole_row(std::string_view text) {
  return std::count(text.begin(), text.end(), '"') % 2 == 0;
}

Result<std::vector<CsvToJson::Field>> CsvToJson::split(std::string_view row) {
  if (row.ends_with('\r')) row.remove_suffix(1);
  std::vector<Field> fields(1);
  bool in_quotes = false;
  for (std::size_t at = 0; at < row.size(); ++at) {
    Field& field = fields.back();
    char c = row[at];
    if (in_quotes && c == '"' && at + 1 < row.size() && row[at + 1] == '"') {
      field.text += row[++at];
    } else if (c == '"' && (in_quotes || field.text.empty())) {
      if (!in_quotes && field.quoted) return fail(Errc::bad_record, "a quote within a field");
      in_quotes = !in_quotes;
      field.quoted = true;
    } else if (c == ',' && !in_quotes) {
      fields.emplace_back();
    } else if (field.quoted && !in_quotes) {
      return fail(Errc::bad_record, "text behind a closing quote");
    } else {
      field.text += c;
    }
  }
  if (in_quotes) return fail(Errc::bad_record, "a quote is not closed");
  return fields;
}

Result<void> CsvToJson::read_names(std::string_view row) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (row.starts_with(byte_order_mark)) row.remove_prefix(byte_order_mark.size());
  Result<std::vector<Field>> fields = split(row);
  if (!fields) return fail(fields);
  std::set<std::string> seen;
  names_.clear();
  for (Field& field : *fields) {
    if (field.text.empty()) return fail(Errc::bad_record, "a column has no name");
    if (!seen.insert(field.text).second)
      return fail(Errc::bad_record, fmt::format("two columns are called '{}'", field.text));
    names_.push_back(std::move(field.text));
  }
  return {};
}

Result<void> CsvToJson::append_json(std::string_view row, std::string& out) {
  Result<std::vector<Field>> fields = split(row);
  if (!fields) return fail(fields);
  if (fields->size() != names_.size())
    return fail(Errc::bad_record, fmt::format("{} fields, and the first row names {} columns",
                                              fields->size(), names_.size()));
  out += '{';
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (i > 0) out += ',';
    append_json_text(out, names_[i]);
    out += ':';
    const Field& field = (*fields)[i];
    bool bare = is_json_number(field.text) || field.text == "true" || field.text == "false";
    if (field.quoted || (!bare && !field.text.empty()))
      append_json_text(out, field.text);
    else
      out += bare ? field.text : "null";
  }
  out += '}';
  return {};
}

}  // namespace leat::tools
