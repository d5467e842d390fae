#include "column/json_decoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <fmt/format.h>
#include <simdjson.h>

#include "column/text_arena.h"
#include "column/timestamp.h"

namespace leat::column {

namespace ondemand = simdjson::ondemand;

static_assert(json_padding_bytes >= simdjson::SIMDJSON_PADDING);

namespace {

constexpr int not_wanted = -1;

// The text between the quotes of a string's token, which may have blanks behind it.
std::string_view between_quotes(std::string_view token) {
  std::size_t last = token.find_last_of('"');
  return token.substr(1, last - 1);
}

std::string wrong_type(const Field& field, std::string_view token) {
  constexpr std::size_t shown = 40;
  std::string_view value = token.substr(0, shown);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\n' || value.back() == '\r' ||
                            value.back() == '\t')) {
    value.remove_suffix(1);
  }
  // A value cut in the middle of a character would make the reason invalid UTF-8.
  while (!value.empty() && token.size() > shown && (value.back() & 0x80) != 0) {
    bool lead = (value.back() & 0x40) != 0;
    value.remove_suffix(1);
    if (lead) break;
  }
  return fmt::format("field {} is not a {}: {}", field.name, name(field.type), value);
}

}  // namespace

struct JsonDecoder::State {
  explicit State(std::vector<Field> wanted) : fields(std::move(wanted)), seen(fields.size(), 0) {}

  // A key of the last object, as written and with its closing quote, and the field it names.
  struct GuessedKey {
    std::string token;
    int field;
  };
  // Within the padding, so that comparing cannot read too far.
  static constexpr std::size_t max_guess_bytes = 48;
  static constexpr std::size_t max_guesses = 256;

  using Reason = std::optional<std::string>;

  Reason decode(std::string_view json, std::span<Vector> columns, std::size_t row);
  int field_of(ondemand::field& member, std::size_t position);
  int find_field(std::string_view key) const;
  Reason decode_value(ondemand::value value, const Field& field, Vector& out, std::size_t row);
  Reason decode_number(ondemand::value& value, std::string_view token, const Field& field,
                       Vector& out, std::size_t row);
  Reason decode_string(std::string_view token, const Field& field, Vector& out, std::size_t row);
  std::optional<std::string_view> unescape(std::string_view text);

  std::vector<Field> fields;
  std::vector<std::uint64_t> seen;  // the number of the object in which a field was last found
  std::uint64_t objects = 0;
  std::vector<GuessedKey> guesses;
  ondemand::parser parser;
  std::shared_ptr<TextArena> texts = std::make_shared<TextArena>();
};

int JsonDecoder::State::find_field(std::string_view key) const {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == key) return static_cast<int>(i);
  }
  return not_wanted;
}

// Which field the key of `member`, the object's `position`-th, names.
int JsonDecoder::State::field_of(ondemand::field& member, std::size_t position) {
  const char* raw = member.key().raw();
  if (position < guesses.size()) {
    const GuessedKey& guess = guesses[position];
    if (std::memcmp(raw, guess.token.data(), guess.token.size()) == 0) return guess.field;
  }
  std::size_t length = 0;
  while (raw[length] != '"' && raw[length] != '\\') ++length;
  std::string_view key(raw, length);
  if (raw[length] == '\\') {
    while (raw[length] != '"') length += raw[length] == '\\' ? 2 : 1;
    auto plain = unescape({raw, length});
    return plain ? find_field(*plain) : not_wanted;
  }
  int field = find_field(key);
  if (length < max_guess_bytes && position < max_guesses && position <= guesses.size()) {
    if (position == guesses.size()) guesses.emplace_back();
    guesses[position] = {std::string(raw, length + 1), field};
  }
  return field;
}

// `text` is what stands between two quotes.
std::optional<std::string_view> JsonDecoder::State::unescape(std::string_view text) {
  // simdjson copies in steps of up to 32 bytes and reads the closing quote.
  char* room = texts->reserve(text.size() + json_padding_bytes);
  auto* end = reinterpret_cast<std::uint8_t*>(room);
  ondemand::raw_json_string raw(reinterpret_cast<const std::uint8_t*>(text.data()));
  std::string_view plain;
  if (parser.unescape(raw, end).get(plain) != simdjson::SUCCESS) return {};
  texts->keep(plain.size());
  return plain;
}

JsonDecoder::State::Reason JsonDecoder::State::decode_string(std::string_view token,
                                                             const Field& field, Vector& out,
                                                             std::size_t row) {
  std::string_view text = between_quotes(token);
  if (std::memchr(text.data(), '\\', text.size()) != nullptr) {
    auto plain = unescape(text);
    if (!plain) return fmt::format("field {} has a bad escape", field.name);
    text = *plain;
  }
  if (field.type == Type::text) {
    out.set_text(row, text);
    return {};
  }
  if (field.type != Type::timestamp) return wrong_type(field, token);
  auto time = parse_timestamp(text);
  if (!time) return wrong_type(field, token);
  out.set_integer(row, time->ms);
  return {};
}

JsonDecoder::State::Reason JsonDecoder::State::decode_number(ondemand::value& value,
                                                             std::string_view token,
                                                             const Field& field, Vector& out,
                                                             std::size_t row) {
  if (field.type == Type::double_precision) {
    double number;
    if (value.get_double().get(number) != simdjson::SUCCESS || !std::isfinite(number)) {
      return wrong_type(field, token);
    }
    out.set_real(row, number);
    return {};
  }
  if (field.type != Type::bigint && field.type != Type::timestamp) return wrong_type(field, token);
  std::int64_t number;
  if (value.get_int64().get(number) != simdjson::SUCCESS) return wrong_type(field, token);
  if (field.type == Type::timestamp && (number < timestamp_min.ms || number > timestamp_max.ms)) {
    return wrong_type(field, token);
  }
  out.set_integer(row, number);
  return {};
}

JsonDecoder::State::Reason JsonDecoder::State::decode_value(ondemand::value value,
                                                            const Field& field, Vector& out,
                                                            std::size_t row) {
  std::string_view token = value.raw_json_token();
  switch (token[0]) {
    case '"': return decode_string(token, field, out, row);
    case 'n': {
      bool null;
      if (value.is_null().get(null) != simdjson::SUCCESS || !null) break;
      out.set_null(row);
      return {};
    }
    case 't':
    case 'f': {
      bool truth;
      if (field.type != Type::boolean) break;
      if (value.get_bool().get(truth) != simdjson::SUCCESS) break;
      out.set_integer(row, truth ? 1 : 0);
      return {};
    }
    case '{': return fmt::format("field {} is not a {}: an object", field.name, name(field.type));
    case '[': return fmt::format("field {} is not a {}: an array", field.name, name(field.type));
    default: return decode_number(value, token, field, out, row);
  }
  return wrong_type(field, token);
}

JsonDecoder::State::Reason JsonDecoder::State::decode(std::string_view json,
                                                      std::span<Vector> columns, std::size_t row) {
  auto bad_json = [](simdjson::error_code error) {
    return fmt::format("bad JSON: {}", simdjson::error_message(error));
  };
  ondemand::document document;
  simdjson::padded_string_view padded(json.data(), json.size(), json.size() + json_padding_bytes);
  if (auto error = parser.iterate(padded).get(document)) return bad_json(error);
  ondemand::object object;
  if (auto error = document.get_object().get(object)) {
    return error == simdjson::INCORRECT_TYPE ? std::string("not a JSON object") : bad_json(error);
  }
  ++objects;
  std::size_t found = 0;
  std::size_t position = 0;
  for (auto member_or_error : object) {
    ondemand::field member;
    if (auto error = std::move(member_or_error).get(member)) return bad_json(error);
    int wanted = field_of(member, position++);
    if (wanted == not_wanted) continue;
    auto i = static_cast<std::size_t>(wanted);
    auto reason = decode_value(member.value(), fields[i], columns[i], row);
    if (reason) return reason;
    found += seen[i] == objects ? 0 : 1;
    seen[i] = objects;
  }
  const char* rest;
  if (document.current_location().get(rest) == simdjson::SUCCESS) {
    return std::string("bad JSON: something follows the object");
  }
  if (found == fields.size()) return {};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (seen[i] != objects) columns[i].set_null(row);
  }
  return {};
}

JsonDecoder::JsonDecoder(std::vector<Field> fields)
    : state_(std::make_unique<State>(std::move(fields))) {}
JsonDecoder::~JsonDecoder() = default;
JsonDecoder::JsonDecoder(JsonDecoder&&) noexcept = default;
JsonDecoder& JsonDecoder::operator=(JsonDecoder&&) noexcept = default;

std::optional<std::string> JsonDecoder::decode(std::string_view json, std::span<Vector> columns,
                                               std::size_t row) {
  return state_->decode(json, columns, row);
}

std::shared_ptr<const void> JsonDecoder::take_texts() {
  if (state_->texts->empty()) return nullptr;
  return std::exchange(state_->texts, std::make_shared<TextArena>());
}

}  // namespace leat::column
