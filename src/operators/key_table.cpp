#include "operators/key_table.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/assert.h"

namespace leat::operators {

namespace {

// The slot is found by the low bits, so these are the well mixed high ones of the whole hash.
std::uint32_t hash_of(std::string_view key) {
  return static_cast<std::uint32_t>(XXH3_64bits(key.data(), key.size()) >> 32);
}

}  // namespace

KeyTable::KeyTable() : slots_(64) {}

KeyTable::Number KeyTable::find(std::string_view key) const {
  return slots_[slot_of(key, hash_of(key))].number;
}

std::pair<KeyTable::Number, bool> KeyTable::find_or_add(std::string_view key) {
  std::uint32_t hash = hash_of(key);
  std::size_t at = slot_of(key, hash);
  if (slots_[at].number != none) return {slots_[at].number, false};
  if ((size() + 1) * 2 > slots_.size()) {
    grow();
    at = slot_of(key, hash);
  }
  Number number;
  if (free_.empty()) {
    ASSERT(entries_.size() < none);
    number = static_cast<Number>(entries_.size());
    entries_.emplace_back();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  entries_[number] = {keys_.size(), static_cast<std::uint32_t>(key.size()), hash, true};
  keys_ += key;
  slots_[at] = {hash, number};
  return {number, true};
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
    if (slots_[at].hash == hash && this->key(slots_[at].number) == key) break;
  }
  return at;
}

void KeyTable::grow() {
  std::vector<Slot> old = std::move(slots_);
  slots_.assign(old.size() * 2, {});
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
