#include "operators/key_table.h"

#include "base/assert.h"
#include "operators/key_bytes.h"

namespace leat::operators {

KeyTable::KeyTable() : slots_(64) {}

KeyTable::Number KeyTable::find(std::string_view key) const {
  return slots_[slot_of(key, key_hash(key))].number;
}

std::pair<KeyTable::Number, bool> KeyTable::find_or_add(std::string_view key, std::uint32_t hash) {
  Number number = slots_[slot_of(key, hash)].number;
  if (number != none) return {number, false};
  return {add(key, hash), true};
}

KeyTable::Number KeyTable::add(std::string_view key, std::uint32_t hash) {
  if ((size() + 1) * 2 > slots_.size()) resize_slots(slots_.size() * 2);
  Number number;
  if (free_.empty()) {
    ASSERT(entries_.size() < none);
    number = static_cast<Number>(entries_.size());
    entries_.emplace_back();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  constexpr std::size_t word = sizeof(std::uint64_t);
  std::uint64_t last = key.size() < word ? 0 : detail::word_at(key, key.size() - word);
  slots_[slot_of(key, hash)] = {hash, number};
  entries_[number] = {keys_.size(), static_cast<std::uint32_t>(key.size()), hash, last, true};
  keys_ += key;
  return number;
}

// Those behind move up, so that no search ends at the gap.
void KeyTable::erase(Number number) {
  Entry& entry = entries_[number];
  ASSERT(entry.there);
  std::size_t mask = slots_.size() - 1;
  std::size_t gap = entry.hash & mask;
  while (slots_[gap].number != number) gap = (gap + 1) & mask;
  for (std::size_t at = (gap + 1) & mask; slots_[at].number != none; at = (at + 1) & mask) {
    std::size_t home = slots_[at].hash & mask;
    if (((at - home) & mask) < ((at - gap) & mask)) continue;
    slots_[gap] = slots_[at];
    gap = at;
  }
  slots_[gap] = {};
  dead_bytes_ += entry.size;
  entry.there = false;
  free_.push_back(number);
  if (dead_bytes_ > 4096 && dead_bytes_ * 2 > keys_.size()) drop_dead_bytes();
}

std::size_t KeyTable::bytes() const {
  return keys_.capacity() + entries_.capacity() * sizeof(Entry) +
         free_.capacity() * sizeof(Number) + slots_.capacity() * sizeof(Slot);
}

// Where the key is, or the free slot where it would be.
std::size_t KeyTable::slot_of(std::string_view key, std::uint32_t hash) const {
  std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  for (; slots_[at].number != none; at = (at + 1) & mask) {
    if (slots_[at].hash == hash && equal_keys(this->key(slots_[at].number), key)) break;
  }
  return at;
}

void KeyTable::resize_slots(std::size_t slots) {
  std::vector<Slot> old = std::move(slots_);
  slots_.assign(slots, {});
  std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.number == none) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].number != none) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

void KeyTable::drop_dead_bytes() {
  std::string living;
  living.reserve(keys_.size() - dead_bytes_);
  for (Entry& entry : entries_) {
    if (!entry.there) continue;
    std::uint64_t begin = living.size();
    living.append(keys_, entry.begin, entry.size);
    entry.begin = begin;
  }
  keys_ = std::move(living);
  dead_bytes_ = 0;
}

}  // namespace leat::operators
