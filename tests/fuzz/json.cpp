// Values off a topic, one a line, decoded into columns as a pipeline does.
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "column/json_decoder.h"
#include "column/json_encoder.h"
#include "fuzz/targets.h"

namespace leat::fuzz {

void json(BytesView input) {
  using column::Type;
  static const std::vector<column::Field> fields{{"b", Type::boolean},
                                                 {"i", Type::bigint},
                                                 {"d", Type::double_precision},
                                                 {"t", Type::text},
                                                 {"at", Type::timestamp}};
  column::JsonDecoder decoder(fields);
  std::vector<column::Vector> columns;
  for (const auto& field : fields) columns.emplace_back(field.type).resize(1);
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
    std::vector<column::Vector> other;
    for (const auto& field : fields) other.emplace_back(field.type).resize(1);
    ASSERT(first.decode(line, other, 0) == decoded);
    if (!decoded) ASSERT(first.reason() == decoder.reason());
    if (!decoded) continue;
    for (std::size_t i = 0; i < fields.size(); ++i)
      ASSERT(other[i].value(0) == columns[i].value(0));
    // What was decoded, written and decoded again is the same.
    std::string written = "{";
    for (std::size_t i = 0; i < fields.size(); ++i) {
      written += (i == 0 ? "\"" : ",\"") + fields[i].name + "\":";
      column::append_json(written, columns[i], 0);
    }
    written += '}';
    std::size_t size = written.size();
    written.append(column::json_padding_bytes, ' ');
    column::JsonDecoder second(fields);
    std::vector<column::Vector> again;
    for (const auto& field : fields) again.emplace_back(field.type).resize(1);
    ASSERT(second.decode({written.data(), size}, again, 0));
    for (std::size_t i = 0; i < fields.size(); ++i)
      ASSERT(again[i].value(0) == columns[i].value(0));
  }
}

}  // namespace leat::fuzz
