#include "column/json_walker.h"

#include <algorithm>

#include "column/json_scalar.h"

namespace leat::column {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// The characters with which no value begins.
bool ends_value(char c) {
  return c == ',' || c == ':' || c == ']' || c == '}';
}

}  // namespace

void JsonWalker::GuessedKey::set(const char* text) {
  words = {};
  masks = {};
  std::memcpy(words.data(), text, size);
  std::memset(masks.data(), 0xff, size);
}

std::string_view JsonWalker::text_of(const Value& value) {
  const char* end = value.end;
  while (is_blank(end[-1])) --end;
  return {value.begin, static_cast<std::size_t>(end - value.begin)};
}

bool JsonWalker::walk(std::string_view json, std::uint32_t node) {
  if (const char* error = index_.build(json)) return wrong(error);
  text_ = json.data();
  place_ = 0;
  auto tokens = index_.tokens();
  const std::uint32_t* end = tokens.data() + tokens.size();
  if (tokens.empty()) return wrong("there is no value");
  if (node == 0) {
    if (text_[tokens[0]] != '{') {
      reason_ = "not a JSON object";
      return false;
    }
    root_ = json;
    return walk_object(node, tokens.data(), end);
  }
  return walk_into(node, tokens.data(), end);
}

// Looks into the value of `node`, which has the tokens from `at` to `end`.
bool JsonWalker::walk_into(std::uint32_t node, const std::uint32_t* at, const std::uint32_t* end) {
  if (text_[*at] == '{') return walk_object(node, at, end);
  if (text_[*at] == '[') return walk_array(node, at, end);
  return true;
}

// The node that the name of the key at `at` leads to.
std::uint32_t JsonWalker::read_name(std::uint32_t from, const std::uint32_t* at, bool& good) {
  const char* key = text_ + at[0] + 1;
  const char* key_end = text_ + at[1] - 1;
  while (*key_end != '"') --key_end;
  std::string_view name(key, static_cast<std::size_t>(key_end - key));
  if (has_escapes(name)) {
    name_.resize(name.size());
    std::ptrdiff_t size = unescape_json(name, name_.data());
    good = size >= 0;
    name = std::string_view(name_).substr(0, good ? static_cast<std::size_t>(size) : 0);
  }
  return tree_.node(from).member(name);
}

// What the key that begins at `at` leads to. False if that is no key with a colon.
bool JsonWalker::find_member(std::uint32_t from, const std::uint32_t* at, std::uint32_t& to) {
  std::size_t place = place_++;
  if (place < guesses_.size()) {
    const GuessedKey& guess = guesses_[place];
    to = guess.to;
    if (guess.from == from && guess.size == at[1] + 1 - at[0] && guess.equals(text_ + at[0])) {
      return true;
    }
  }
  if (text_[at[0]] != '"' || text_[at[1]] != ':') return false;
  bool good = true;
  to = read_name(from, at, good);
  if (!good) return false;
  std::uint32_t size = at[1] + 1 - at[0];
  if (size > GuessedKey::max_bytes || place >= guesses_max) return true;
  if (place >= guesses_.size()) guesses_.resize(place + 1);
  GuessedKey& guess = guesses_[place];
  guess.size = size;
  guess.from = from;
  guess.to = to;
  guess.set(text_ + at[0]);
  return true;
}

// The token behind the value that begins at `at`, or the end if its brackets do not close.
inline const std::uint32_t* JsonWalker::skip(const std::uint32_t* at,
                                             const std::uint32_t* end) const {
  if (text_[*at] != '{' && text_[*at] != '[') return at + 1;
  std::size_t depth = 0;
  for (; at != end; ++at) {
    char c = text_[*at];
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at + 1;
  }
  return at;
}

bool JsonWalker::walk_object(std::uint32_t node, const std::uint32_t* at,
                             const std::uint32_t* end) {
  ++at;
  bool more = at == end || text_[*at] != '}';
  if (!more) ++at;
  while (more) {
    // At least a key, a colon, a value and what ends it.
    if (end - at < 4) return wrong("the object does not end");
    std::uint32_t member = JsonTree::none;
    if (!find_member(node, at, member)) {
      return wrong("something else where a key and a colon should be");
    }
    if (ends_value(text_[at[2]])) return wrong("there is no value");
    const std::uint32_t* next = skip(at + 2, end);
    if (next == end) return wrong("the object does not end");
    if (member != JsonTree::none) {
      values_[member] = {generation_, at + 2, next, text_ + at[2], text_ + *next};
    }
    more = text_[*next] == ',';
    if (!more && text_[*next] != '}') return wrong("something behind a value");
    at = next + 1;
  }
  if (at != end) return wrong("something follows the object");
  for (const auto& [name, member] : tree_.node(node).members) {
    const Value& value = values_[member];
    if (value.generation != generation_ || !tree_.node(member).descends()) continue;
    if (!walk_into(member, value.token, value.next)) return false;
  }
  return true;
}

bool JsonWalker::walk_array(std::uint32_t node, const std::uint32_t* at, const std::uint32_t* end) {
  ++at;
  bool more = at == end || text_[*at] != ']';
  if (!more) ++at;
  for (std::size_t i = 0; more; ++i) {
    if (end - at < 2) return wrong("the array does not end");
    if (ends_value(text_[*at])) return wrong("there is no value");
    const std::uint32_t* next = skip(at, end);
    if (next == end) return wrong("the array does not end");
    std::uint32_t item = tree_.node(node).item(i);
    if (item != JsonTree::none) {
      values_[item] = {generation_, at, next, text_ + *at, text_ + *next};
    }
    more = text_[*next] == ',';
    if (!more && text_[*next] != ']') return wrong("something behind a value");
    at = next + 1;
  }
  if (at != end) return wrong("something follows the array");
  for (const auto& [index, item] : tree_.node(node).items) {
    const Value& value = values_[item];
    if (value.generation != generation_ || !tree_.node(item).descends()) continue;
    if (!walk_into(item, value.token, value.next)) return false;
  }
  return true;
}

bool JsonWalker::learn(JsonScanner& scanner) {
  scanner.begin_layout();
  lead_ = root_.data();
  auto tokens = index_.tokens();
  bool learnable = learn_object(0, tokens.data(), scanner);
  if (!learnable) scanner.begin_layout();  // of which nothing is left, then
  std::string_view tail(lead_, static_cast<std::size_t>(root_.data() + root_.size() - lead_));
  return scanner.end_layout(tail) && learnable;
}

// Whether a wanted member of an object comes twice: which one counts is not to be seen in a layout,
// and nobody has looked into the others.
bool JsonWalker::has_repeated(std::uint32_t node, const std::uint32_t* at) {
  auto tokens = index_.tokens();
  const std::uint32_t* end = tokens.data() + tokens.size();
  seen_.clear();
  for (++at; text_[*at] != '}'; ++at) {
    bool good = true;
    std::uint32_t member = read_name(node, at, good);
    if (std::find(seen_.begin(), seen_.end(), member) != seen_.end()) return true;
    if (member != JsonTree::none) seen_.push_back(member);
    at = skip(at + 2, end);
    if (text_[*at] == '}') break;
  }
  return false;
}

// Objects that are looked into have their members between those around them.
bool JsonWalker::learn_object(std::uint32_t node, const std::uint32_t* at, JsonScanner& scanner) {
  if (has_repeated(node, at)) return false;
  auto tokens = index_.tokens();
  const std::uint32_t* end = tokens.data() + tokens.size();
  ++at;
  if (text_[*at] == '}') return true;
  while (true) {
    bool good = true;
    std::uint32_t member = read_name(node, at, good);
    const std::uint32_t* next = skip(at + 2, end);
    Value value{generation_, at + 2, next, text_ + at[2], text_ + *next};
    bool is_wanted = member != JsonTree::none;
    bool is_descended = is_wanted && *value.begin == '{' && tree_.node(member).descends() &&
                        tree_.node(member).paths.empty();
    if (is_descended) {
      if (!learn_object(member, at + 2, scanner)) return false;
    } else {
      std::string_view text = text_of(value);
      std::string_view lead(lead_, static_cast<std::size_t>(value.begin - lead_));
      scanner.add_member(lead, text, is_wanted ? std::optional<std::size_t>(member) : std::nullopt);
      lead_ = text.data() + text.size();
    }
    if (text_[*next] == '}') return true;
    at = next + 1;
  }
}

}  // namespace leat::column
