#include "column/json_decoder.h"

#include <algorithm>
#include <array>
#include <utility>

#include "column/json_scanner.h"
#include "column/json_value.h"
#include "column/json_walker.h"

namespace leat::column {

namespace {

std::vector<JsonPath> paths_of(const std::vector<JsonField>& fields) {
  std::vector<JsonPath> paths;
  for (const auto& field : fields) paths.push_back(field.path);
  return paths;
}

std::vector<JsonField> members_of(const std::vector<Field>& fields) {
  std::vector<JsonField> members;
  for (const auto& field : fields) {
    members.push_back({field.name, field.type, {field.name}, members.size()});
  }
  return members;
}

}  // namespace

struct JsonDecoder::State {
  explicit State(std::vector<JsonField> wanted);

  bool decode(std::string_view json, std::span<Vector> columns, std::size_t row);
  bool decode_as_last(std::string_view json, std::span<Vector> columns, std::size_t row);
  bool decode_value(const JsonScanner::Value& value, std::span<Vector> columns, std::size_t row);
  bool decode_by_tokens(std::string_view json, std::span<Vector> columns, std::size_t row);
  bool learn();
  bool wrong(std::string why) {
    reason = std::move(why);
    return false;
  }

  std::vector<JsonField> fields;
  JsonTree tree;
  // Of each node the column of the one field that ends there, if no others do or go on.
  std::vector<std::uint32_t> single_columns;
  JsonWalker walker;
  JsonValueReader values;
  // Objects are first tried by the layouts of earlier ones. Of one that differs the layout is
  // learnt while there is room for it; later one is let pass, and at the second in a row another
  // layout is learnt. Then ever more are not tried, so that where hardly two objects are alike this
  // costs nothing.
  static constexpr std::uint32_t misses_max = 8;
  JsonScanner scanner;
  std::uint32_t misses = 0;  // in a row
  std::uint32_t untried = 0;
  // Of each layout the fields that are nowhere in it.
  std::array<std::vector<std::uint32_t>, JsonScanner::layouts_max> absent;
  std::string reason;
};

JsonDecoder::State::State(std::vector<JsonField> wanted)
    : fields(std::move(wanted)), tree(paths_of(fields)), walker(tree) {
  for (std::uint32_t i = 0; i < tree.size(); ++i) {
    const auto& node = tree.node(i);
    bool single = node.paths.size() == 1 && !node.descends();
    single_columns.push_back(single ? static_cast<std::uint32_t>(fields[node.paths[0]].column)
                                    : JsonTree::none);
  }
}

bool JsonDecoder::State::decode_by_tokens(std::string_view json, std::span<Vector> columns,
                                          std::size_t row) {
  walker.begin();
  if (!walker.walk(json)) return wrong(walker.reason());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    Vector& out = columns[fields[i].column];
    std::string_view value = tree.end_of(i) == 0 ? json : walker.value(tree.end_of(i));
    if (value.data() == nullptr) {
      out.set_null(row);
    } else if (!values.set(value, true, fields[i].name, out, row)) {
      return wrong(values.reason());
    }
  }
  return true;
}

// The fields that come from one value of the layout.
bool JsonDecoder::State::decode_value(const JsonScanner::Value& value, std::span<Vector> columns,
                                      std::size_t row) {
  std::uint32_t column = single_columns[value.field];
  if (column != JsonTree::none) {
    Vector& out = columns[column];
    return values.set_plain(value.text, value.has_escapes, out, row) ||
           values.set(value.text, value.has_escapes, {}, out, row);
  }
  const auto& node = tree.node(value.field);
  for (std::uint32_t field : node.paths) {
    if (!values.set(value.text, true, {}, columns[fields[field].column], row)) return false;
  }
  if (!node.descends()) return true;
  walker.begin();
  if (!walker.walk(value.text, value.field)) return false;
  for (std::uint32_t field : node.behind) {
    Vector& out = columns[fields[field].column];
    std::string_view found = walker.value(tree.end_of(field));
    if (found.data() == nullptr) {
      out.set_null(row);
    } else if (!values.set(found, true, {}, out, row)) {
      return false;
    }
  }
  return true;
}

// False also where decode_by_tokens() would do it, or finds out what is wrong.
bool JsonDecoder::State::decode_as_last(std::string_view json, std::span<Vector> columns,
                                        std::size_t row) {
  if (!scanner.scan(json)) return false;
  for (const auto& value : scanner.values()) {
    if (!decode_value(value, columns, row)) return false;
  }
  for (std::uint32_t field : absent[scanner.layout()]) columns[fields[field].column].set_null(row);
  return true;
}

bool JsonDecoder::State::learn() {
  if (!walker.learn(scanner)) return false;
  std::vector<bool> present(fields.size(), false);
  for (const auto& value : scanner.values()) {
    for (std::uint32_t field : tree.node(value.field).paths) present[field] = true;
    for (std::uint32_t field : tree.node(value.field).behind) present[field] = true;
  }
  auto& missing = absent[scanner.layout()];
  missing.clear();
  for (std::uint32_t i = 0; i < fields.size(); ++i) {
    if (!present[i]) missing.push_back(i);
  }
  return true;
}

bool JsonDecoder::State::decode(std::string_view json, std::span<Vector> columns, std::size_t row) {
  if (untried > 0) {
    --untried;
    return decode_by_tokens(json, columns, row);
  }
  if (decode_as_last(json, columns, row)) {
    misses = 0;
    return true;
  }
  misses = std::min(misses + 1, misses_max);
  bool decoded = decode_by_tokens(json, columns, row);
  bool has_room = scanner.has_room();
  bool learnt = decoded && (has_room || misses > 1) && learn();
  if (misses > 1 && !(has_room && learnt)) untried = (1u << (misses - 2)) - 1;
  return decoded;
}

JsonDecoder::JsonDecoder(std::vector<JsonField> fields)
    : state_(std::make_unique<State>(std::move(fields))) {}
JsonDecoder::JsonDecoder(const std::vector<Field>& fields) : JsonDecoder(members_of(fields)) {}
JsonDecoder::~JsonDecoder() = default;
JsonDecoder::JsonDecoder(JsonDecoder&&) noexcept = default;
JsonDecoder& JsonDecoder::operator=(JsonDecoder&&) noexcept = default;

bool JsonDecoder::decode(std::string_view json, std::span<Vector> columns, std::size_t row) {
  return state_->decode(json, columns, row);
}

const std::string& JsonDecoder::reason() const {
  return state_->reason;
}

std::shared_ptr<const void> JsonDecoder::take_texts() {
  return state_->values.take_texts();
}

}  // namespace leat::column
