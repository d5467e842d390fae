// Numbers for keys that come and go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "column/packed_bytes.h"
#include "operators/key_bytes.h"

namespace leat::operators {

/// A key with its hash, for who asks for memory first and looks it up then.
struct HashedKey {
  HashedKey() = default;
  /// The bytes stay where they are as long as it is used.
  explicit HashedKey(std::string_view key) {
    if (key.size() <= column::PackedBytes::size_max)
      set(column::PackedBytes(key));
    else
      bytes = key, hash = key_hash(key);
  }
  /// The key that is one integer and not NULL (column/row_key.h).
  explicit HashedKey(std::int64_t value) { set(column::PackedBytes::of_integer_key(value)); }

  column::PackedBytes packed;  // empty if it is too long
  std::string_view bytes;      // if so
  std::uint32_t hash = 0;

 private:
  void set(const column::PackedBytes& key) {
    packed = key;
    hash = static_cast<std::uint32_t>(key.hash() >> 32);
  }
};

/// Gives every key that is there a number, and takes numbers of keys that are gone again, so that
/// what belongs to a key lies in a vector at its number. Open addressing over numbers and parts of
/// their hashes. Short keys lie at their numbers, long ones one behind the other. Not thread-safe.
class KeyTable {
 public:
  using Number = std::uint32_t;
  static constexpr Number none = 0xffff'ffff;

  KeyTable();

  /// The number of a key; none if it is not there.
  Number find(const HashedKey& key) const { return slots_[slot_of(key)].number; }
  Number find(std::string_view key) const { return find(HashedKey(key)); }
  Number find(std::int64_t key) const { return find(HashedKey(key)); }
  /// Its number, and whether it is a new one.
  std::pair<Number, bool> find_or_add(const HashedKey& key) {
    Number number = slots_[slot_of(key)].number;
    return number != none ? std::pair(number, false) : std::pair(add(key), true);
  }
  std::pair<Number, bool> find_or_add(std::string_view key) { return find_or_add(HashedKey(key)); }
  std::pair<Number, bool> find_or_add(std::int64_t key) { return find_or_add(HashedKey(key)); }
  /// Before a key is looked up: asks for the memory that is read first, and, when that is there,
  /// for what is read next. The latter gives the key's number, if that is known by then.
  void prefetch(const HashedKey& key) const { __builtin_prefetch(&slots_[home_of(key)]); }
  void prefetch(std::int64_t key) const { prefetch(HashedKey(key)); }
  Number prefetch_entry(const HashedKey& key) const {
    const Slot& slot = slots_[home_of(key)];
    if (slot.number == none || slot.hash != key.hash) return none;
    __builtin_prefetch(&entries_[slot.number]);
    return slot.number;
  }
  Number prefetch_entry(std::int64_t key) const { return prefetch_entry(HashedKey(key)); }
  /// REQUIRES: a key has this number.
  void erase(Number number);
  /// Valid until a key is added or erased. REQUIRES: a key has this number.
  std::string_view key(Number number) const {
    const column::PackedBytes& entry = entries_[number];
    return entry.is_of_numbers() ? long_key(entry) : entry.view();
  }
  bool has(Number number) const { return !entries_[number].is_empty(); }
  /// How many are there.
  std::size_t size() const { return entries_.size() - free_.size(); }
  /// All numbers are below.
  std::size_t number_end() const { return entries_.size(); }
  std::size_t bytes() const;

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t number = none;
  };

  std::size_t home_of(const HashedKey& key) const { return key.hash & (slots_.size() - 1); }
  /// Where the key is, or the free slot where it would be.
  std::size_t slot_of(const HashedKey& key) const {
    std::size_t mask = slots_.size() - 1;
    std::size_t at = key.hash & mask;
    for (; slots_[at].number != none; at = (at + 1) & mask) {
      if (slots_[at].hash == key.hash && is_key(entries_[slots_[at].number], key)) break;
    }
    return at;
  }
  bool is_key(const column::PackedBytes& entry, const HashedKey& key) const {
    if (!key.packed.is_empty()) return entry == key.packed;
    return entry.is_of_numbers() && equal_keys(long_key(entry), key.bytes);
  }
  std::string_view long_key(const column::PackedBytes& entry) const {
    return {long_keys_.data() + entry.first(), entry.second()};
  }
  Number add(const HashedKey& key);
  void resize_slots(std::size_t slots);
  void drop_dead_bytes();

  std::vector<column::PackedBytes> entries_;  // of long keys where they begin, and their size
  std::string long_keys_;
  std::size_t dead_bytes_ = 0;  // of these
  std::vector<Number> free_;
  std::vector<Slot> slots_;  // a power of two, at most half of them taken
};

}  // namespace leat::operators
