// Numbers for keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::operators {

/// Gives every different key the next number, from 0. Open addressing over numbers and parts of
/// their hashes; the keys lie one behind the other. Not thread-safe.
class GroupTable {
 public:
  GroupTable();

  /// The number of `key`, a new one if it is new.
  std::uint32_t find_or_add(std::string_view key) { return find_or_add(key, hash_of(key)); }
  /// The same, of a key whose hash is known.
  std::uint32_t find_or_add(std::string_view key, std::uint32_t hash);
  std::optional<std::uint32_t> find(std::string_view key) const;
  static std::uint32_t hash_of(std::string_view key);
  /// Before a key of that hash is looked up, a while ago.
  void prefetch(std::uint32_t hash) const {
    __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }
  /// Before so many keys are added, of so many bytes in all: room for them.
  void reserve(std::size_t keys, std::size_t bytes);
  /// Forgets all keys, but not their memory.
  void clear();
  std::size_t size() const { return starts_.size() - 1; }
  /// Valid until a key is added.
  std::string_view key(std::size_t group) const {
    return std::string_view(keys_).substr(starts_[group], starts_[group + 1] - starts_[group]);
  }
  /// Bytes of all keys.
  std::size_t key_bytes() const { return keys_.size(); }
  /// Memory that it holds.
  std::size_t bytes() const {
    return keys_.capacity() + starts_.capacity() * sizeof starts_[0] +
           slots_.capacity() * sizeof slots_[0];
  }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t group = 0;  // its number + 1, or 0 for a free slot
  };
  /// Where the key is, or the free slot that it would get.
  std::size_t slot_of(std::string_view key, std::uint32_t hash) const;
  void resize_slots(std::size_t slots);

  std::string keys_;
  std::vector<std::uint64_t> starts_{0};  // in keys_, and the end of the last
  std::vector<Slot> slots_;               // a power of two, at most half of them taken
};

}  // namespace leat::operators
