// Numbers for keys that come and go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operators/key_bytes.h"

namespace leat::operators {

/// Gives every key that is there a number, and takes numbers of keys that are gone again, so that
/// what belongs to a key lies in a vector at its number. Open addressing over numbers and parts of
/// their hashes; the keys lie one behind the other. Not thread-safe.
class KeyTable {
 public:
  using Number = std::uint32_t;
  static constexpr Number none = 0xffff'ffff;

  KeyTable();

  /// The number of `key`; none if it is not there.
  Number find(std::string_view key) const;
  /// The same for the key that is one integer (column/row_key.h). REQUIRES: so are all keys, or
  /// NULL.
  Number find(std::int64_t key) const { return find(HashedKey(key)); }
  Number find(const HashedKey& key) const { return slots_[slot_of(key)].number; }
  /// Before a key is looked up: asks for the memory that is read first, and, when that is there,
  /// for what is read next. The latter gives the key's number, if that is known by then.
  void prefetch(std::int64_t key) const { prefetch(HashedKey(key)); }
  void prefetch(const HashedKey& key) const {
    __builtin_prefetch(&slots_[key.hash & (slots_.size() - 1)]);
  }
  Number prefetch_entry(std::int64_t key) const { return prefetch_entry(HashedKey(key)); }
  Number prefetch_entry(const HashedKey& key) const {
    const Slot& slot = slots_[key.hash & (slots_.size() - 1)];
    if (slot.number == none || slot.hash != key.hash) return none;
    __builtin_prefetch(&entries_[slot.number]);
    return slot.number;
  }
  /// Its number, and whether it is a new one.
  std::pair<Number, bool> find_or_add(std::string_view key) {
    return find_or_add(key, key_hash(key));
  }
  /// The same, of a key whose key_hash() is known.
  std::pair<Number, bool> find_or_add(std::string_view key, std::uint32_t hash);
  void prefetch_slot(std::uint32_t hash) const {
    __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }
  std::pair<Number, bool> find_or_add(std::int64_t key) { return find_or_add(HashedKey(key)); }
  std::pair<Number, bool> find_or_add(const HashedKey& key) {
    Number number = slots_[slot_of(key)].number;
    if (number != none) return {number, false};
    char room[IntegerKey::size];
    key.bytes.write(room);
    return {add({room, sizeof room}, key.hash), true};
  }
  /// REQUIRES: a key has this number.
  void erase(Number number);
  /// Valid until a key is added or erased.
  std::string_view key(Number number) const {
    const Entry& entry = entries_[number];
    return {keys_.data() + entry.begin, entry.size};
  }
  bool has(Number number) const { return entries_[number].there; }
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
  struct Entry {
    std::uint64_t begin = 0;  // in keys_
    std::uint32_t size = 0;
    std::uint32_t hash = 0;
    std::uint64_t last = 0;  // the key's last bytes, if it has so many
    bool there = false;
  };

  /// Where the key is, or the free slot where it would be.
  std::size_t slot_of(std::string_view key, std::uint32_t hash) const;
  std::size_t slot_of(const HashedKey& key) const {
    std::size_t mask = slots_.size() - 1;
    std::size_t at = key.hash & mask;
    for (; slots_[at].number != none; at = (at + 1) & mask) {
      if (slots_[at].hash != key.hash) continue;
      const Entry& entry = entries_[slots_[at].number];
      if (entry.last == key.bytes.last && entry.size == IntegerKey::size) break;
    }
    return at;
  }
  Number add(std::string_view key, std::uint32_t hash);
  void resize_slots(std::size_t slots);
  void drop_dead_bytes();

  std::string keys_;
  std::size_t dead_bytes_ = 0;  // of keys_
  std::vector<Entry> entries_;
  std::vector<Number> free_;
  std::vector<Slot> slots_;  // a power of two, at most half of them taken
};

}  // namespace leat::operators
