#include "aggregate/counted_set.h"

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

std::size_t TextSet::Hash::operator()(std::string_view text) const {
  return XXH3_64bits(text.data(), text.size());
}

void TextSet::add(std::string_view text, std::uint64_t times) {
  auto found = times_.find(text);
  if (found == times_.end()) found = times_.emplace(text, 0).first;
  found->second += times;
}

void TextSet::remove(std::string_view text) {
  auto found = times_.find(text);
  ASSERT(found != times_.end());
  if (--found->second == 0) times_.erase(found);
}

void TextSet::merge(const TextSet& other) {
  for (const auto& [text, times] : other.times_) add(text, times);
}

void TextSet::write(StateWriter& writer) const {
  writer.write(static_cast<std::uint32_t>(times_.size()));
  for (const auto& [text, times] : times_) {
    writer.write_text(text);
    writer.write(times);
  }
}

void TextSet::read(StateReader& reader) {
  times_.clear();
  for (auto left = reader.read_count(1 + sizeof(std::uint64_t)); left > 0; --left) {
    std::string_view text = reader.read_text();
    add(text, reader.read<std::uint64_t>());
  }
}

std::size_t TextSet::heap_bytes() const {
  constexpr std::size_t entry = sizeof(std::string) + 4 * sizeof(void*);
  std::size_t bytes = times_.bucket_count() * sizeof(void*);
  for (const auto& [text, times] : times_) {
    bytes += entry + (text.capacity() >= sizeof(std::string) / 2 ? text.capacity() : 0);
  }
  return bytes;
}

}  // namespace leat::aggregate
