// Sets that count how often each value was added, so that it can be taken away again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/state.h"

namespace leat::aggregate {

/// Of words: open addressing, 8 bytes a place, and 8 more only once counts are asked for. In a
/// snapshot:
///
///   words := count:u32 (word:u64 times:u64) *
class WordSet {
 public:
  /// `counted`: whether words can be taken away again; the same always.
  void add(std::uint64_t word, bool counted) {
    // Mostly it is there.
    if (!counted && word != 0 && !words_.empty() && words_[place_of(word)] == word) return;
    add(word, 1, counted);
  }
  /// REQUIRES: it was added, counted.
  void remove(std::uint64_t word);
  void merge(const WordSet& other, bool counted);
  std::size_t size() const { return size_ + (zeros_ > 0 ? 1 : 0); }

  void write(StateWriter& writer) const;
  void read(StateReader& reader, bool counted);
  std::size_t heap_bytes() const;

 private:
  void add(std::uint64_t word, std::uint64_t times, bool counted);
  // Spreads words that differ in few bits; the low bits of what comes out choose a place.
  static std::size_t mixed(std::uint64_t word) {
    constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15;
    word ^= word >> 32;
    word *= odd;
    return static_cast<std::size_t>(word ^ word >> 32);
  }
  /// Its own, or the free one it would get. REQUIRES: there are places.
  std::size_t place_of(std::uint64_t word) const {
    std::size_t mask = words_.size() - 1;
    std::size_t at = mixed(word) & mask;
    while (words_[at] != 0 && words_[at] != word) at = (at + 1) & mask;
    return at;
  }
  void grow(bool counted);
  void for_each(const std::function<void(std::uint64_t, std::uint64_t)>& use) const;

  std::vector<std::uint64_t> words_;  // 0 is a free place; a power of two, at most half are taken
  std::vector<std::uint64_t> times_;  // one a place, if counted
  std::size_t size_ = 0;              // places taken
  std::uint64_t zeros_ = 0;           // the word 0 has no place
};

/// Of texts. In a snapshot:
///
///   texts := count:u32 (text times:u64) *
class TextSet {
 public:
  void add(std::string_view text, std::uint64_t times = 1);
  /// REQUIRES: it was added.
  void remove(std::string_view text);
  void merge(const TextSet& other);
  std::size_t size() const { return times_.size(); }

  void write(StateWriter& writer) const;
  void read(StateReader& reader);
  std::size_t heap_bytes() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const;
  };
  std::unordered_map<std::string, std::uint64_t, Hash, std::equal_to<>> times_;
};

}  // namespace leat::aggregate
