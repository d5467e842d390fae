// The values of JSON objects that are wanted, found by an index of their tokens.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "column/json_index.h"
#include "column/json_scanner.h"
#include "column/json_tree.h"

namespace leat::column {

/// Checks the grammar of those objects and arrays that it looks into, and steps over all others: of
/// these it is only certain that they are UTF-8, that strings end and brackets have a counterpart.
/// Of members of one name the last one counts. Guesses that keys come as they did in the object
/// before. Not thread-safe; the tree outlives it.
class JsonWalker {
 public:
  explicit JsonWalker(const JsonTree& tree) : tree_(tree), values_(tree.size()) {}

  /// Forgets the values found so far.
  void begin() { ++generation_; }
  /// Adds the values that are in `json`, itself the value of that node. False if it cannot be read:
  /// reason() says why. REQUIRES: json_padding_bytes behind `json`.
  bool walk(std::string_view json, std::uint32_t node = 0);
  const std::string& reason() const { return reason_; }
  /// The value of a node, without blanks around it, or nothing if there is none.
  std::string_view value(std::uint32_t node) const {
    const Value& value = values_[node];
    if (value.generation != generation_) return {};
    return text_of(value);
  }
  /// Has the scanner learn how the root that was walked last looks: with the values of nodes as its
  /// fields. False if others cannot be found by that. REQUIRES: walk() took it.
  bool learn(JsonScanner& scanner);

 private:
  // A key that the last object had at this place, with its quotes and colon if nothing is between
  // them, and what it leads to.
  struct GuessedKey {
    static constexpr std::size_t max_bytes = 32;  // within the padding
    std::uint32_t size = 0;
    std::uint32_t from = JsonTree::none;
    std::uint32_t to = JsonTree::none;
    std::array<std::uint64_t, 4> words{};
    std::array<std::uint64_t, 4> masks{};  // of the bytes that count

    void set(const char* text);
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
  static constexpr std::size_t guesses_max = 256;
  struct Value {
    std::uint64_t generation = 0;
    const std::uint32_t* token = nullptr;  // the first
    const std::uint32_t* next = nullptr;   // the first that is behind it
    const char* begin = nullptr;
    const char* end = nullptr;  // blanks may be before it
  };

  static std::string_view text_of(const Value& value);
  bool wrong(const char* why) {
    reason_ = "not JSON: ";
    reason_ += why;
    return false;
  }
  bool walk_into(std::uint32_t node, const std::uint32_t* at, const std::uint32_t* end);
  bool walk_object(std::uint32_t node, const std::uint32_t* at, const std::uint32_t* end);
  bool walk_array(std::uint32_t node, const std::uint32_t* at, const std::uint32_t* end);
  bool find_member(std::uint32_t from, const std::uint32_t* at, std::uint32_t& to);
  std::uint32_t read_name(std::uint32_t from, const std::uint32_t* at, bool& good);
  const std::uint32_t* skip(const std::uint32_t* at, const std::uint32_t* end) const;
  bool has_repeated(std::uint32_t node, const std::uint32_t* at);
  bool learn_object(std::uint32_t node, const std::uint32_t* at, JsonScanner& scanner);

  const JsonTree& tree_;
  JsonIndex index_;
  const char* text_ = nullptr;  // what is indexed
  std::vector<Value> values_;
  std::uint64_t generation_ = 0;
  std::vector<GuessedKey> guesses_;
  std::size_t place_ = 0;  // of the next key, in order of the walk
  std::string name_;       // of a key with escapes
  std::string reason_;
  // While a layout is learnt.
  std::string_view root_;
  const char* lead_ = nullptr;
  std::vector<std::uint32_t> seen_;
};

}  // namespace leat::column
