// Where the tokens of a JSON text begin: simdjson's first stage, which looks at 64 bytes at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace simdjson::internal {
class dom_parser_implementation;
}

namespace leat::column {

/// Bytes that must be readable behind every JSON text, whatever they hold.
inline constexpr std::size_t json_padding_bytes = 64;

/// Used for one text after the other. Not thread-safe.
class JsonIndex {
 public:
  JsonIndex();
  ~JsonIndex();
  JsonIndex(JsonIndex&&) noexcept;
  JsonIndex& operator=(JsonIndex&&) noexcept;

  /// Finds the tokens of `json` and checks that it is UTF-8, that its strings end and hold no
  /// control characters. Returns what is wrong, or null. REQUIRES: the padding behind `json`.
  const char* build(std::string_view json);
  /// Positions of `{ } [ ] : ,` outside strings, and of the first byte of each string and other
  /// scalar; a scalar reaches at most to the next position. Valid until the next build().
  std::span<const std::uint32_t> tokens() const { return {tokens_, count_}; }

 private:
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser_;
  const std::uint32_t* tokens_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace leat::column
