// Numbers for integers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace leat::operators {

/// Gives every different integer, and NULL, the next number, from 0. Open addressing, the integers
/// in the slots. Not thread-safe.
class IntegerTable {
 public:
  IntegerTable() : slots_(std::size_t{1} << first_bits), shift_(64 - first_bits) {}

  std::uint32_t find_or_add(std::int64_t key) {
    Slot& slot = slots_[slot_of(key)];
    if (slot.group != 0) return slot.group - 1;
    return add(slot, key);
  }
  std::uint32_t find_or_add_null();
  std::optional<std::uint32_t> find(std::int64_t key) const {
    const Slot& slot = slots_[slot_of(key)];
    if (slot.group == 0) return {};
    return slot.group - 1;
  }
  std::optional<std::uint32_t> find_null() const { return null_; }
  /// Before a key is looked up, a while ago.
  void prefetch(std::int64_t key) const { __builtin_prefetch(&slots_[place_of(key)]); }

  /// Before so many keys are added: room for them.
  void reserve(std::size_t keys);
  /// Forgets all keys, but not their memory.
  void clear();
  std::size_t size() const { return keys_.size(); }
  std::int64_t key(std::uint32_t group) const { return keys_[group]; }
  bool is_null(std::uint32_t group) const { return null_ == group; }
  std::optional<std::uint32_t> null() const { return null_; }
  /// Memory that it holds.
  std::size_t bytes() const {
    return slots_.capacity() * sizeof slots_[0] + keys_.capacity() * sizeof keys_[0];
  }

 private:
  static constexpr int first_bits = 6;
  struct Slot {
    std::int64_t key = 0;
    std::uint32_t group = 0;  // its number + 1, or 0 for a free slot
  };

  std::size_t place_of(std::int64_t key) const {
    constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15;
    auto bits = static_cast<std::uint64_t>(key);
    return static_cast<std::size_t>((bits ^ bits >> 32) * odd >> shift_);
  }
  std::size_t slot_of(std::int64_t key) const {
    std::size_t mask = slots_.size() - 1;
    std::size_t at = place_of(key);
    while (slots_[at].group != 0 && slots_[at].key != key) at = (at + 1) & mask;
    return at;
  }
  std::uint32_t add(Slot& slot, std::int64_t key);
  void double_slots(int times);

  std::vector<Slot> slots_;  // a power of two, at most half of them taken
  int shift_;
  std::vector<std::int64_t> keys_;
  std::optional<std::uint32_t> null_;
};

}  // namespace leat::operators
