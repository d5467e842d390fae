// The groups of texts that were looked up not long ago.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace leat::operators {

/// Remembers which group of which table a short text has, so that a row whose text came a few rows
/// ago needs no key and no table. One text may push out another. Not thread-safe.
class RecentGroups {
 public:
  /// The group that `look_up()` gave for `text` in `table` or gives now. REQUIRES: it gives the
  /// same one until clear().
  template <class LookUp>
  std::uint32_t find(const void* table, std::string_view text, const LookUp& look_up) {
    if (text.size() > 2 * word_bytes) return look_up();
    Entry wanted{table, text.size(), 0, 0, 0};
    read_ends(text, wanted);
    Entry& entry = entries_[place_of(wanted)];
    bool known = entry.table == table && entry.size == wanted.size && entry.first == wanted.first &&
                 entry.last == wanted.last;
    if (known) return entry.group;
    wanted.group = look_up();
    entry = wanted;
    return wanted.group;
  }
  /// Before a table that was asked about goes or gets other groups.
  void clear() { entries_.fill({}); }

 private:
  static constexpr std::size_t word_bytes = sizeof(std::uint64_t);
  static constexpr int place_bits = 7;
  // A text is all in its size, its first and its last bytes, which may overlap.
  struct Entry {
    const void* table = nullptr;
    std::size_t size = 0;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint32_t group = 0;
  };

  static void read_ends(std::string_view text, Entry& entry) {
    if (text.size() >= word_bytes) {
      std::memcpy(&entry.first, text.data(), word_bytes);
      std::memcpy(&entry.last, text.data() + text.size() - word_bytes, word_bytes);
      return;
    }
    for (char c : text) entry.first = entry.first << 8 | static_cast<unsigned char>(c);
  }
  static std::size_t place_of(const Entry& entry) {
    constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15;
    std::uint64_t mixed = (entry.first ^ (entry.last << 23 | entry.last >> 41)) * odd;
    return static_cast<std::size_t>(mixed >> (64 - place_bits));
  }

  std::array<Entry, std::size_t{1} << place_bits> entries_{};
};

}  // namespace leat::operators
