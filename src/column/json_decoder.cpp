#include "column/json_decoder.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "column/json_scalar.h"
#include "column/json_scanner.h"
#include "column/text_arena.h"

namespace leat::column {

namespace {

constexpr int not_wanted = -1;

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// The characters with which no value begins.
bool ends_value(char c) {
  return c == ',' || c == ':' || c == ']' || c == '}';
}

}  // namespace

struct JsonDecoder::State {
  explicit State(std::vector<Field> wanted) : fields(std::move(wanted)), seen(fields.size(), 0) {}

  // A key that the last object had at this place, with its quotes and colon if nothing is between
  // them, and the field it names.
  struct GuessedKey {
    static constexpr std::size_t max_bytes = 32;  // within the padding
    std::uint32_t size = 0;
    std::int32_t field = not_wanted;
    std::array<std::uint64_t, 4> words{};
    std::array<std::uint64_t, 4> masks{};  // of the bytes that count

    void set(const char* text) {
      words = {};
      masks = {};
      std::memcpy(words.data(), text, size);
      std::memset(masks.data(), 0xff, size);
    }
    // memcmp() without a call and, for most keys, without a branch.
    bool equals(const char* text) const {
      auto differs_in = [&](std::size_t i) {
        std::uint64_t word;
        std::memcpy(&word, text + i * sizeof word, sizeof word);
        return (word ^ words[i]) & masks[i];
      };
      std::uint64_t differs = differs_in(0) | differs_in(1);
      if (size > 16) differs |= differs_in(2) | differs_in(3);
      return differs == 0;
    }
  };
  static constexpr std::size_t max_guesses = 256;

  bool decode(std::string_view json, std::span<Vector> columns, std::size_t row);
  bool decode_as_last(std::string_view json, std::span<Vector> columns, std::size_t row);
  bool decode_by_tokens(std::string_view json, std::span<Vector> columns, std::size_t row);
  bool decode_members(std::string_view json, std::span<Vector> columns, std::size_t row);
  const std::uint32_t* skip(const char* text, const std::uint32_t* at) const;
  bool find_field(const char* text, const std::uint32_t* at, std::size_t position, int& field);
  bool set_plain(const JsonScanner::Value& value, Vector& out, std::size_t row);
  bool decode_value(std::string_view token, std::size_t field, bool may_have_escapes, Vector& out,
                    std::size_t row);
  std::optional<std::string_view> unescape(std::string_view text);
  bool wrong(std::string why) {
    reason = std::move(why);
    return false;
  }
  bool wrong_type(const Field& field, std::string_view token);

  std::vector<Field> fields;
  std::vector<std::uint64_t> seen;  // the number of the object in which a field was last found
  std::uint64_t objects = 0;
  std::vector<GuessedKey> guesses;
  // Objects are first tried by the layout of an earlier one. One that differs is let pass, at the
  // second in a row another layout is learnt; then ever more are not tried, so that where hardly
  // two objects are alike this costs nothing.
  static constexpr std::uint32_t misses_max = 8;
  JsonScanner scanner;
  std::uint32_t misses = 1;  // in a row
  std::uint32_t untried = 0;
  bool learning = false;
  std::vector<std::size_t> absent;  // fields that no member of the layout names
  JsonIndex index;
  const std::uint32_t* tokens_end = nullptr;
  TimestampReader times;
  std::string reason;
  std::shared_ptr<TextArena> texts = std::make_shared<TextArena>();
};

bool JsonDecoder::State::wrong_type(const Field& field, std::string_view token) {
  std::string_view shown = token;
  if (token[0] == '{') shown = "an object";
  if (token[0] == '[') shown = "an array";
  constexpr std::size_t shown_max = 40;
  if (shown.size() > shown_max) {
    // Not cut within a character, which would make the reason invalid UTF-8.
    std::size_t end = shown_max;
    while ((shown[end] & 0xc0) == 0x80) --end;
    shown = shown.substr(0, end);
  }
  return wrong(fmt::format("field {} is not a {}: {}", field.name, name(field.type), shown));
}

// Which field is named by the key that begins at `at`. False if that is no key with a colon.
bool JsonDecoder::State::find_field(const char* text, const std::uint32_t* at, std::size_t position,
                                    int& field) {
  if (text[at[0]] != '"' || text[at[1]] != ':') return false;
  const char* key = text + at[0] + 1;
  const char* key_end = text + at[1] - 1;
  while (*key_end != '"') --key_end;
  std::string_view name(key, static_cast<std::size_t>(key_end - key));
  if (has_escapes(name)) name = unescape(name).value_or("");
  field = not_wanted;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) field = static_cast<int>(i);
  }
  std::uint32_t size = at[1] + 1 - at[0];
  if (size > GuessedKey::max_bytes || position >= max_guesses) return true;
  if (position >= guesses.size()) guesses.resize(position + 1);
  GuessedKey& guess = guesses[position];
  guess.size = size;
  guess.field = field;
  guess.set(text + at[0]);
  return true;
}

std::optional<std::string_view> JsonDecoder::State::unescape(std::string_view text) {
  char* room = texts->reserve(text.size() + json_padding_bytes);
  std::ptrdiff_t size = index.unescape(text.data(), room);
  if (size < 0) return {};
  texts->keep(static_cast<std::size_t>(size));
  return std::string_view(room, static_cast<std::size_t>(size));
}

// Decodes what most values are. False where decode_value() has to.
bool JsonDecoder::State::set_plain(const JsonScanner::Value& value, Vector& out, std::size_t row) {
  std::string_view text = value.text;
  if (out.type() == Type::bigint) {
    std::int64_t integer;
    if (!parse_integer(text, integer)) return false;
    out.set_integer(row, integer);
    return true;
  }
  if (text[0] != '"' || value.has_escapes) return false;
  text = {text.data() + 1, text.size() - 2};
  if (out.type() == Type::text) {
    out.set_text(row, text);
    return true;
  }
  if (out.type() != Type::timestamp) return false;
  auto time = times.read(text);
  if (time) out.set_integer(row, time->ms);
  return time.has_value();
}

bool JsonDecoder::State::decode_value(std::string_view token, std::size_t i, bool may_have_escapes,
                                      Vector& out, std::size_t row) {
  const Field& field = fields[i];
  if (token[0] == '"') {
    std::string_view text = token.substr(1, token.size() - 2);
    if (may_have_escapes && has_escapes(text)) {
      auto plain = unescape(text);
      if (!plain) return wrong(fmt::format("field {} has a bad escape", field.name));
      text = *plain;
    }
    return set_string(text, times, out, row) || wrong_type(field, token);
  }
  if (token == "null") {
    out.set_null(row);
    return true;
  }
  return set_scalar(token, out, row) || wrong_type(field, token);
}

// The token behind the value that begins at `at`, or the end if its brackets do not close.
inline const std::uint32_t* JsonDecoder::State::skip(const char* text,
                                                     const std::uint32_t* at) const {
  if (text[*at] != '{' && text[*at] != '[') return at + 1;
  std::size_t depth = 0;
  for (; at != tokens_end; ++at) {
    char c = text[*at];
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at + 1;
  }
  return at;
}

bool JsonDecoder::State::decode_members(std::string_view json, std::span<Vector> columns,
                                        std::size_t row) {
  const char* text = json.data();
  const char* lead = text;
  const std::uint32_t* at = index.tokens().data() + 1;
  std::size_t found = 0;
  bool more = at == tokens_end || text[*at] != '}';
  if (!more) ++at;
  for (std::size_t position = 0; more; ++position) {
    // At least a key, a colon, a value and what ends it.
    if (tokens_end - at < 4) return wrong("bad JSON: the object does not end");
    int wanted = not_wanted;
    bool guessed = false;
    if (position < guesses.size()) {
      const GuessedKey& guess = guesses[position];
      guessed = guess.size == at[1] + 1 - at[0] && guess.equals(text + at[0]);
      wanted = guess.field;
    }
    if (!guessed && !find_field(text, at, position, wanted)) {
      return wrong("bad JSON: something else where a key and a colon should be");
    }
    if (ends_value(text[at[2]])) return wrong("bad JSON: there is no value");
    const std::uint32_t* next = skip(text, at + 2);
    if (next == tokens_end) return wrong("bad JSON: the object does not end");
    if (wanted != not_wanted || learning) {
      const char* value = text + at[2];
      const char* value_end = text + *next;
      while (is_blank(value_end[-1])) --value_end;
      if (learning) {
        auto field = wanted == not_wanted ? std::nullopt : std::optional<std::size_t>(wanted);
        scanner.add_member({lead, static_cast<std::size_t>(value - lead)},
                           {value, static_cast<std::size_t>(value_end - value)}, field);
        lead = value_end;
      }
      if (wanted != not_wanted) {
        auto i = static_cast<std::size_t>(wanted);
        std::string_view token(value, static_cast<std::size_t>(value_end - value));
        if (!decode_value(token, i, true, columns[i], row)) return false;
        found += seen[i] == objects ? 0 : 1;
        seen[i] = objects;
      }
    }
    more = text[*next] == ',';
    if (!more && text[*next] != '}') return wrong("bad JSON: something behind a value");
    at = next + 1;
  }
  if (at != tokens_end) return wrong("bad JSON: something follows the object");
  if (learning) {
    scanner.end_layout({lead, static_cast<std::size_t>(text + json.size() - lead)});
    absent.clear();
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (seen[i] != objects) absent.push_back(i);
    }
  }
  if (found == fields.size()) return true;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (seen[i] != objects) columns[i].set_null(row);
  }
  return true;
}

bool JsonDecoder::State::decode_by_tokens(std::string_view json, std::span<Vector> columns,
                                          std::size_t row) {
  if (const char* error = index.build(json)) return wrong(fmt::format("bad JSON: {}", error));
  auto tokens = index.tokens();
  tokens_end = tokens.data() + tokens.size();
  if (tokens.empty() || json[tokens[0]] != '{') return wrong("not a JSON object");
  ++objects;
  return decode_members(json, columns, row);
}

// False also where decode_by_tokens() would do it, or finds out what is wrong.
bool JsonDecoder::State::decode_as_last(std::string_view json, std::span<Vector> columns,
                                        std::size_t row) {
  if (!scanner.scan(json)) return false;
  for (const auto& value : scanner.values()) {
    Vector& out = columns[value.field];
    if (set_plain(value, out, row)) continue;
    if (!decode_value(value.text, value.field, value.has_escapes, out, row)) return false;
  }
  for (std::size_t i : absent) columns[i].set_null(row);
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
  if (misses == 1) return decode_by_tokens(json, columns, row);
  untried = (1u << (misses - 2)) - 1;
  learning = true;
  scanner.begin_layout();
  bool decoded = decode_by_tokens(json, columns, row);
  learning = false;
  return decoded;
}

JsonDecoder::JsonDecoder(std::vector<Field> fields)
    : state_(std::make_unique<State>(std::move(fields))) {}
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
  if (state_->texts->empty()) return nullptr;
  return std::exchange(state_->texts, std::make_shared<TextArena>());
}

}  // namespace leat::column
