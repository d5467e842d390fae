// Numbers for keys.
#pragma once

#include <cstdint>
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
  std::uint32_t find_or_add(std::string_view key);
  /// Forgets all keys, but not their memory.
  void clear();
  std::size_t size() const { return starts_.size() - 1; }
  /// Valid until a key is added.
  std::string_view key(std::size_t group) const {
    return std::string_view(keys_).substr(starts_[group], starts_[group + 1] - starts_[group]);
  }
  /// Bytes of all keys.
  std::size_t key_bytes() const { return keys_.size(); }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t group = 0;  // its number + 1, or 0 for a free slot
  };
  void grow();

  std::string keys_;
  std::vector<std::uint64_t> starts_{0};  // in keys_, and the end of the last
  std::vector<Slot> slots_;               // a power of two, at most half of them taken
};

}  // namespace leat::operators
