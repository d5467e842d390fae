#include "aggregate/counted_set.h"

#include <cstring>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/assert.h"

namespace leat::aggregate {

void WordSet::add(std::uint64_t word, std::uint64_t times, bool counted) {
  if (word == 0) {
    zeros_ += times;
    return;
  }
  if (words_.empty()) grow(counted);
  std::size_t at = place_of(word);
  if (words_[at] == 0) {
    if ((size_ + 1) * 2 > words_.size()) {
      grow(counted);
      at = place_of(word);
    }
    words_[at] = word;
    ++size_;
  }
  if (counted) times_[at] += times;
}

void WordSet::remove(std::uint64_t word) {
  if (word == 0) {
    --zeros_;
    return;
  }
  std::size_t hole = place_of(word);
  ASSERT(times_[hole] > 0);
  if (--times_[hole] > 0) return;
  --size_;
  // Words behind move up where the hole would hide them.
  std::size_t mask = words_.size() - 1;
  for (std::size_t at = (hole + 1) & mask; words_[at] != 0; at = (at + 1) & mask) {
    std::size_t home = mixed(words_[at]) & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    words_[hole] = words_[at];
    times_[hole] = times_[at];
    hole = at;
  }
  words_[hole] = 0;
  times_[hole] = 0;
}

void WordSet::grow(bool counted) {
  constexpr std::size_t least = 8;
  std::vector<std::uint64_t> words = std::move(words_), times = std::move(times_);
  words_.assign(words.empty() ? least : words.size() * 2, 0);
  times_.assign(counted ? words_.size() : 0, 0);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == 0) continue;
    std::size_t at = place_of(words[i]);
    words_[at] = words[i];
    if (counted) times_[at] = times[i];
  }
}

void WordSet::for_each(const std::function<void(std::uint64_t, std::uint64_t)>& use) const {
  if (zeros_ > 0) use(0, zeros_);
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (words_[i] != 0) use(words_[i], times_.empty() ? 1 : times_[i]);
  }
}

void WordSet::merge(const WordSet& other, bool counted) {
  other.for_each([&](std::uint64_t word, std::uint64_t times) { add(word, times, counted); });
}

void WordSet::write(StateWriter& writer) const {
  writer.write(static_cast<std::uint32_t>(size()));
  for_each([&](std::uint64_t word, std::uint64_t times) {
    writer.write(word);
    writer.write(times);
  });
}

void WordSet::read(StateReader& reader, bool counted) {
  *this = {};
  for (auto left = reader.read_count(2 * sizeof(std::uint64_t)); left > 0; --left) {
    auto word = reader.read<std::uint64_t>();
    add(word, reader.read<std::uint64_t>(), counted);
  }
}

std::size_t WordSet::heap_bytes() const {
  return (words_.capacity() + times_.capacity()) * sizeof(std::uint64_t);
}

TextSet::Place TextSet::of(std::string_view text) {
  if (text.size() <= Place::size_max) return Place(text);
  return Place::of_numbers(XXH3_64bits(text.data(), text.size()), 0);
}

std::string_view TextSet::text_of(const Place& place) const {
  if (!place.is_of_numbers()) return place.view();
  std::uint64_t size;
  const char* at = long_texts_.data() + place.second();
  std::memcpy(&size, at, sizeof size);
  return {at + sizeof size, static_cast<std::size_t>(size)};
}

// The text gets a free place, unless there are too few.
std::size_t TextSet::take(std::size_t at, Place wanted, std::string_view text, bool counted) {
  if ((size_ + 1) * 2 > places_.size()) {
    grow(counted);
    at = place_of(wanted, text);
  }
  ++size_;
  if (wanted.is_of_numbers()) {
    wanted = Place::of_numbers(wanted.first(), long_texts_.size());
    std::uint64_t size = text.size();
    long_texts_.append(reinterpret_cast<const char*>(&size), sizeof size);
    long_texts_ += text;
  }
  places_[at] = wanted;
  return at;
}

void TextSet::remove(std::string_view text) {
  std::size_t hole = place_of(of(text), text);
  ASSERT(times_[hole] > 0);
  if (--times_[hole] > 0) return;
  --size_;
  if (places_[hole].is_of_numbers()) dead_bytes_ += sizeof(std::uint64_t) + text.size();
  // Texts behind move up where the hole would hide them.
  std::size_t mask = places_.size() - 1;
  for (std::size_t at = (hole + 1) & mask; !places_[at].is_empty(); at = (at + 1) & mask) {
    std::size_t home = mixed(places_[at]) & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    places_[hole] = places_[at];
    times_[hole] = times_[at];
    hole = at;
  }
  places_[hole] = {};
  times_[hole] = 0;
  if (dead_bytes_ > 4096 && dead_bytes_ * 2 > long_texts_.size()) drop_dead_texts();
}

void TextSet::drop_dead_texts() {
  std::string living;
  living.reserve(long_texts_.size() - dead_bytes_);
  for (Place& place : places_) {
    if (!place.is_of_numbers()) continue;
    std::size_t begin = living.size();
    living.append(long_texts_, place.second(), sizeof(std::uint64_t) + text_of(place).size());
    place = Place::of_numbers(place.first(), begin);
  }
  long_texts_ = std::move(living);
  dead_bytes_ = 0;
}

void TextSet::grow(bool counted) {
  constexpr std::size_t least = 2;
  std::vector<Place> places = std::move(places_);
  std::vector<std::uint64_t> times = std::move(times_);
  places_.assign(places.empty() ? least : places.size() * 2, {});
  times_.assign(counted ? places_.size() : 0, 0);
  std::size_t mask = places_.size() - 1;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i].is_empty()) continue;
    std::size_t at = mixed(places[i]) & mask;
    while (!places_[at].is_empty()) at = (at + 1) & mask;
    places_[at] = places[i];
    if (counted) times_[at] = times[i];
  }
}

void TextSet::merge(const TextSet& other, bool counted) {
  if (places_.empty()) {
    *this = other;
    return;
  }
  for (std::size_t i = 0; i < other.places_.size(); ++i) {
    const Place& place = other.places_[i];
    if (place.is_empty()) continue;
    add(place, other.text_of(place), counted ? other.times_[i] : 1, counted);
  }
}

void TextSet::write(StateWriter& writer) const {
  writer.write(static_cast<std::uint32_t>(size_));
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].is_empty()) continue;
    writer.write_text(text_of(places_[i]));
    writer.write(times_.empty() ? std::uint64_t{1} : times_[i]);
  }
}

void TextSet::read(StateReader& reader, bool counted) {
  *this = {};
  for (auto left = reader.read_count(1 + sizeof(std::uint64_t)); left > 0; --left) {
    std::string_view text = reader.read_text();
    add(of(text), text, reader.read<std::uint64_t>(), counted);
  }
}

std::size_t TextSet::heap_bytes() const {
  constexpr std::size_t within = 15;  // a string that is so short is in itself
  return places_.capacity() * sizeof(Place) + times_.capacity() * sizeof(std::uint64_t) +
         (long_texts_.capacity() > within ? long_texts_.capacity() : 0);
}

}  // namespace leat::aggregate
