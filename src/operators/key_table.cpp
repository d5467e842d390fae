#include "operators/key_table.h"

#include "base/assert.h"

namespace leat::operators {

using column::PackedBytes;

KeyTable::KeyTable() : slots_(64) {}

KeyTable::Number KeyTable::add(const HashedKey& key) {
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
  slots_[slot_of(key)] = {key.hash, number};
  PackedBytes& entry = entries_[number];
  entry = key.packed;
  if (entry.is_empty()) {
    entry = PackedBytes::of_numbers(long_keys_.size(), key.bytes.size());
    long_keys_ += key.bytes;
  }
  return number;
}

// Those behind move up, so that no search ends at the gap.
void KeyTable::erase(Number number) {
  ASSERT(has(number));
  PackedBytes& entry = entries_[number];
  std::size_t mask = slots_.size() - 1;
  std::size_t gap = home_of(HashedKey(key(number)));
  while (slots_[gap].number != number) gap = (gap + 1) & mask;
  for (std::size_t at = (gap + 1) & mask; slots_[at].number != none; at = (at + 1) & mask) {
    std::size_t home = slots_[at].hash & mask;
    if (((at - home) & mask) < ((at - gap) & mask)) continue;
    slots_[gap] = slots_[at];
    gap = at;
  }
  slots_[gap] = {};
  if (entry.is_of_numbers()) dead_bytes_ += entry.second();
  entry = {};
  free_.push_back(number);
  if (dead_bytes_ > 4096 && dead_bytes_ * 2 > long_keys_.size()) drop_dead_bytes();
}

std::size_t KeyTable::bytes() const {
  return long_keys_.capacity() + entries_.capacity() * sizeof(PackedBytes) +
         free_.capacity() * sizeof(Number) + slots_.capacity() * sizeof(Slot);
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
  living.reserve(long_keys_.size() - dead_bytes_);
  for (PackedBytes& entry : entries_) {
    if (!entry.is_of_numbers()) continue;
    std::uint64_t begin = living.size();
    living.append(long_keys_, entry.first(), entry.second());
    entry = PackedBytes::of_numbers(begin, entry.second());
  }
  long_keys_ = std::move(living);
  dead_bytes_ = 0;
}

}  // namespace leat::operators
