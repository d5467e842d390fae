// Values off a topic, one a line, decoded into columns as a pipeline does.
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "column/json_decoder.h"
#include "column/json_encoder.h"
#include "fuzz/targets.h"

namespace leat::fuzz {

namespace {

using column::Type;

/// Members, and what lies deeper in them.
std::vector<column::JsonField> wanted_fields() {
  std::vector<std::pair<Type, column::JsonPath>> wanted{
      {Type::boolean, {"b"}},
      {Type::bigint, {"i"}},
      {Type::double_precision, {"d"}},
      {Type::text, {"t"}},
      {Type::timestamp, {"at"}},
      {column::decimal(9, 2), {"n"}},
      {Type::date, {"day"}},
      {column::array_of(Type::text), {"l"}},
      {Type::text, {"o", "t"}},
      {Type::bigint, {"o", "p", "i"}},
      {Type::bigint, {"l2", std::size_t{1}, "i"}},
  };
  std::vector<column::JsonField> fields;
  for (auto& [type, path] : wanted) {
    fields.push_back({"c" + std::to_string(fields.size()), type, path, fields.size()});
  }
  return fields;
}

std::vector<column::Vector> make_columns(const std::vector<column::JsonField>& fields) {
  std::vector<column::Vector> columns;
  for (const auto& field : fields) columns.emplace_back(field.type).resize(1);
  return columns;
}

void check_same(const std::vector<column::Vector>& a, const std::vector<column::Vector>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT(a[i].value(0) == b[i].value(0));
}

// What was decoded, written and decoded again is the same.
void check_written(const std::vector<column::JsonField>& fields,
                   const std::vector<column::Vector>& columns) {
  std::string written = "{";
  std::vector<column::JsonField> members;
  for (const auto& field : fields) {
    if (written.size() > 1) written += ',';
    written += "\"" + field.name + "\":";
    column::append_json(written, columns[members.size()], 0);
    members.push_back({field.name, field.type, {field.name}, members.size()});
  }
  written += '}';
  std::size_t size = written.size();
  written.append(column::json_padding_bytes, ' ');
  column::JsonDecoder decoder(members);
  auto again = make_columns(fields);
  ASSERT(decoder.decode({written.data(), size}, again, 0));
  check_same(columns, again);
}

}  // namespace

void json(BytesView input) {
  static const auto fields = wanted_fields();
  column::JsonDecoder decoder(fields);
  auto columns = make_columns(fields);
  std::string text(as_text(input));
  text.append(column::json_padding_bytes, '"');
  std::string_view rest(text.data(), input.size());
  // Several objects to one decoder: it guesses that one looks like the one before.
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    bool decoded = decoder.decode(line, columns, 0);
    // A decoder that has seen nothing has nothing to guess, and must agree.
    column::JsonDecoder first(fields);
    auto other = make_columns(fields);
    ASSERT(first.decode(line, other, 0) == decoded);
    if (!decoded) ASSERT(first.reason() == decoder.reason());
    if (!decoded) continue;
    check_same(columns, other);
    check_written(fields, columns);
    for (auto& column : columns) column.reset();
  }
}

}  // namespace leat::fuzz
