#include "operators/group_table.h"

#include <algorithm>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/assert.h"

namespace leat::operators {

namespace {

// memcmp() without a call, for keys of usual length.
bool equal(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  auto differ = [&](std::size_t at) {
    std::uint64_t left, right;
    std::memcpy(&left, a.data() + at, sizeof left);
    std::memcpy(&right, b.data() + at, sizeof right);
    return left != right;
  };
  constexpr std::size_t word = sizeof(std::uint64_t);
  if (a.size() < word || a.size() > 4 * word) return a == b;
  for (std::size_t at = 0; at + word < a.size(); at += word) {
    if (differ(at)) return false;
  }
  return !differ(a.size() - word);
}

}  // namespace

GroupTable::GroupTable() : slots_(64) {}

std::uint32_t GroupTable::hash_of(std::string_view key) {
  return static_cast<std::uint32_t>(XXH3_64bits(key.data(), key.size()) >> 32);
}

std::size_t GroupTable::slot_of(std::string_view key, std::uint32_t hash) const {
  std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.group == 0) return at;
    if (slot.hash == hash && equal(this->key(slot.group - 1), key)) return at;
  }
}

std::uint32_t GroupTable::find_or_add(std::string_view key, std::uint32_t hash) {
  Slot& slot = slots_[slot_of(key, hash)];
  if (slot.group != 0) return slot.group - 1;
  ASSERT(size() < 0x7fff'ffff);
  auto group = static_cast<std::uint32_t>(size());
  slot = {hash, group + 1};
  keys_.append(key);
  starts_.push_back(keys_.size());
  if (size() * 2 > slots_.size()) grow();
  return group;
}

std::optional<std::uint32_t> GroupTable::find(std::string_view key) const {
  const Slot& slot = slots_[slot_of(key, hash_of(key))];
  if (slot.group == 0) return {};
  return slot.group - 1;
}

void GroupTable::clear() {
  keys_.clear();
  starts_.resize(1);
  std::fill(slots_.begin(), slots_.end(), Slot{});
}

void GroupTable::grow() {
  std::vector<Slot> old = std::move(slots_);
  slots_.assign(old.size() * 2, {});
  std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.group == 0) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].group != 0) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

}  // namespace leat::operators
