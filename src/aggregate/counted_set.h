// Sets that count how often each value was added, so that it can be taken away again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/state.h"
#include "column/packed_bytes.h"

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

/// Of texts: open addressing, 16 bytes a place, in which short texts lie; the others, with their
/// sizes, lie one behind the other. 8 more a place only once counts are asked for. In a snapshot:
///
///   texts := count:u32 (text times:u64) *
class TextSet {
 public:
  /// `counted`: whether texts can be taken away again; the same always.
  void add(std::string_view text, bool counted) { add(of(text), text, 1, counted); }
  /// REQUIRES: it was added, counted.
  void remove(std::string_view text);
  void merge(const TextSet& other, bool counted);
  std::size_t size() const { return size_; }

  void write(StateWriter& writer) const;
  void read(StateReader& reader, bool counted);
  std::size_t heap_bytes() const;

 private:
  using Place = column::PackedBytes;

  /// What its place has; of a long one its hash, and where it lies, which is not known yet.
  static Place of(std::string_view text);
  static std::size_t mixed(const Place& place) {
    return static_cast<std::size_t>((place.is_of_numbers() ? place.first() : place.hash()) >> 32);
  }
  std::string_view text_of(const Place& place) const;
  void add(Place wanted, std::string_view text, std::uint64_t times, bool counted) {
    if (places_.empty()) grow(counted);
    std::size_t at = place_of(wanted, text);
    // Mostly it is there.
    if (places_[at].is_empty()) at = take(at, wanted, text, counted);
    if (counted) times_[at] += times;
  }
  /// Its own, or the free one it would get. REQUIRES: there are places.
  std::size_t place_of(const Place& wanted, std::string_view text) const {
    std::size_t mask = places_.size() - 1;
    std::size_t at = mixed(wanted) & mask;
    for (; !places_[at].is_empty(); at = (at + 1) & mask) {
      if (wanted.is_of_numbers() ? has_long(places_[at], wanted, text) : places_[at] == wanted)
        break;
    }
    return at;
  }
  bool has_long(const Place& place, const Place& wanted, std::string_view text) const {
    return place.is_of_numbers() && place.first() == wanted.first() && text_of(place) == text;
  }
  std::size_t take(std::size_t at, Place wanted, std::string_view text, bool counted);
  void grow(bool counted);
  void drop_dead_texts();

  std::vector<Place> places_;         // a power of two, at most half are taken
  std::vector<std::uint64_t> times_;  // one a place, if counted
  std::size_t size_ = 0;              // places taken
  std::string long_texts_;
  std::size_t dead_bytes_ = 0;  // of these
};

}  // namespace leat::aggregate
