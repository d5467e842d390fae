// JSON objects by the layouts of those before: most of a topic's records are of few kinds, and
// those of a kind differ in nothing but their values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace leat::column {

/// Learns what stands between the values of an object and then looks for just these bytes in the
/// next ones, which costs a fraction of finding all tokens first. Accepts less than the decoder
/// does, never more: an object that scan() takes is UTF-8 and has members as a learnt one, its
/// strings end and hold no control characters, and only the wanted values are yet to be looked at.
/// Of all others it says nothing. Knows some layouts at a time, and forgets the one that it has
/// known longest for another. Knows x86-64 with AVX2; elsewhere it takes none. Not thread-safe.
class JsonScanner {
 public:
  /// A value as it stands in the object, with its quotes.
  struct Value {
    std::string_view text;
    std::uint32_t field = 0;
    bool has_escapes = false;
  };

  static constexpr std::size_t layouts_max = 4;

  /// Begins another layout, which counts from end_layout() on.
  void begin_layout();
  /// The next member: what is between the value before, or the object's begin, and its own value.
  /// Nothing for `field` if nobody wants it. Of other values only a null is of interest, since
  /// what is null in one object mostly is in the next.
  void add_member(std::string_view lead, std::string_view value, std::optional<std::size_t> field);
  /// `tail` is behind the last value. False if such objects cannot be scanned.
  bool end_layout(std::string_view tail);

  /// Whether another layout would be known beside the others.
  bool has_room() const { return layouts_.size() < layouts_max; }

  /// Whether `json` was taken. REQUIRES: 64 bytes readable behind `json`.
  bool scan(std::string_view json);
  /// Which layout was learnt or taken last, below layouts_max.
  std::size_t layout() const { return last_; }
  /// The wanted values of what scan() took, in the order of the members.
  std::span<const Value> values() const { return layouts_[last_].values; }

 private:
  struct Block;
  struct Cursor;
  /// Bytes that must come next.
  struct Lead {
    static constexpr std::size_t bytes_max = 64;
    bool set(std::string_view text);
    alignas(32) std::array<char, bytes_max> bytes{};
    // Bits of the bytes that do not count, for each half.
    std::array<std::uint32_t, 2> ignored{};
    std::uint32_t size = 0;
    std::uint32_t value = not_wanted;  // in values_
    // The lead of so many members behind this one with all between, if there is nothing but nulls.
    std::uint32_t members = 0;
  };
  static constexpr std::uint32_t not_wanted = 0xffff'ffff;
  static constexpr std::size_t members_max = 256;
  struct Layout {
    std::vector<Lead> leads;    // one a member, and the tail
    std::vector<Lead> runs;     // for each lead, a longer one that may stand in its place
    std::vector<Value> values;  // of the last object that was taken
  };
  struct Draft {
    Layout layout;
    std::vector<std::string> texts;  // of the leads, with the value where that is an unwanted null
    bool scannable = true;
  };
  /// What a look at all bytes at once tells of an object.
  struct Bytes {
    bool plain = false;    // no backslashes and no control characters
    bool foreign = false;  // not all ASCII
  };
  void add_runs();
  Bytes find_quotes(std::string_view json);
  template <bool plain>
  bool scan_members(std::string_view json, Layout& layout);
  bool scan_object(std::string_view json);

  std::vector<Layout> layouts_;
  std::size_t last_ = 0;
  std::size_t oldest_ = 0;
  std::vector<std::uint64_t> quotes_;  // bits of the object's bytes, and one behind its end
  Draft draft_;
};

}  // namespace leat::column
