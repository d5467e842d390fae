// Numbers for a few texts that are looked for in many.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "expression/characters.h"

namespace leat::expression {

/// Open addressing over the first and the last four bytes of texts. What has a size that none of
/// them has is not looked at.
class TextNumbers {
 public:
  static constexpr std::uint32_t none = 0xffff'ffff;

  /// `any_case`: find() takes upper case letters, of A to Z, for lower ones.
  explicit TextNumbers(bool any_case) : any_case_(any_case), slots_(8) {}

  /// Of a text that is added again the first number counts. REQUIRES: `number` is not none.
  void add(std::string_view text, std::uint32_t number) {
    if (find_exact(text) != none) return;
    if (++count_ * 4 > slots_.size()) double_slots();
    sizes_ |= size_bit(text.size());
    insert({std::string(text), word_of(text), number});
  }
  std::uint32_t find(std::string_view text) const {
    if ((sizes_ & size_bit(text.size())) == 0) return none;
    return any_case_ ? find_in_lower(text) : find_exact(text);
  }

 private:
  struct Slot {
    std::string text;
    std::uint64_t word = 0;
    std::uint32_t number = none;  // none for a free one
  };
  // Of a text of up to so many bytes, its size known, the word is all of it.
  static constexpr std::size_t word_bytes = 8;

  static std::uint64_t size_bit(std::size_t size) {
    return std::uint64_t{1} << std::min<std::size_t>(size, 63);
  }
  static std::uint64_t word_of(std::string_view text) {
    auto byte = [&](std::size_t i) -> std::uint64_t { return static_cast<unsigned char>(text[i]); };
    if (text.size() < 4) {
      if (text.empty()) return 0;
      return byte(0) | byte(text.size() / 2) << 8 | byte(text.size() - 1) << 16;
    }
    std::uint32_t first = 0, last = 0;
    std::memcpy(&first, text.data(), sizeof first);
    std::memcpy(&last, text.data() + text.size() - sizeof last, sizeof last);
    return std::uint64_t{last} << 32 | first;
  }

  std::size_t place_of(std::uint64_t word) const {
    constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15;
    return static_cast<std::size_t>(word * odd >> 32) & (slots_.size() - 1);
  }
  template <class IsEqual>
  std::uint32_t find_word(std::uint64_t word, std::size_t size, IsEqual is_equal) const {
    std::size_t at = place_of(word);
    for (; slots_[at].number != none; at = (at + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[at];
      if (slot.word != word || slot.text.size() != size) continue;
      if (size <= word_bytes || is_equal(slot.text)) break;
    }
    return slots_[at].number;
  }
  std::uint32_t find_exact(std::string_view text) const {
    return find_word(word_of(text), text.size(), [&](const auto& other) { return other == text; });
  }
  std::uint32_t find_in_lower(std::string_view text) const {
    auto same = [](char a, char b) { return lower(a) == b; };
    return find_word(change_word<lower>(word_of(text)), text.size(), [&](const auto& other) {
      return std::equal(text.begin(), text.end(), other.begin(), same);
    });
  }

  void insert(Slot added) {
    std::size_t at = place_of(added.word);
    while (slots_[at].number != none) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = std::move(added);
  }
  void double_slots() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (Slot& slot : old) {
      if (slot.number != none) insert(std::move(slot));
    }
  }

  bool any_case_;
  std::uint64_t sizes_ = 0;  // a bit for each, the last one for all larger ones
  std::size_t count_ = 0;
  std::vector<Slot> slots_;  // a power of two, at most a quarter of them taken
};

}  // namespace leat::expression
