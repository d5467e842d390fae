// Snapshots: what operators keep, as bytes, with checks that the right reader reads them.
//
//   snapshot := "LEATSNAP" format:u8=1 section* crc:u32      crc is the CRC-32C of all before it
//   section  := name version:u8 body                         the body is its writer's own
//   name     := length:uvarint byte*
//
// Numbers are big-endian.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace leat {

/// Collects one snapshot.
class StateWriter {
 public:
  /// `bytes`: how large it may become, if that is known.
  explicit StateWriter(std::size_t bytes = 0);

  /// Begins what one operator writes, in the version of its grammar.
  void section(std::string_view name, std::uint8_t version);
  template <std::integral T>
  void write(T value) {
    writer_.write(value);
  }
  void write_double(double value) { writer_.write_double(value); }
  void write_text(std::string_view text);
  /// `count` numbers one behind the other: `at(i)` is the i-th. Many are written in one go.
  template <std::integral T, class At>
  void write_numbers(std::size_t count, const At& at) {
    std::byte* to = write_bytes(count * sizeof(T));
    for (std::size_t i = 0; i < count; ++i) store_big_endian<T>(to + i * sizeof(T), at(i));
  }
  /// Room for `count` bytes, which the caller sets before the next write.
  std::byte* write_bytes(std::size_t count) {
    bytes_.resize(bytes_.size() + count);
    return bytes_.data() + bytes_.size() - count;
  }

  /// The whole snapshot; the writer is done.
  Bytes finish();

 private:
  Bytes bytes_;
  ByteWriter writer_{bytes_};
};

/// Reads a snapshot in the order it was written. A read past the end fails for good and gives
/// zeros, so readers ask ok() where they would otherwise act on a number.
class StateReader {
 public:
  /// Checks the frame. Errc::corrupt_message, Errc::unsupported_format. `snapshot` must outlive it.
  static Result<StateReader> open(BytesView snapshot);

  /// Errc::snapshot_mismatch unless the next section is `name` in `version`.
  Result<void> section(std::string_view name, std::uint8_t version);
  template <std::integral T>
  T read() {
    return reader_.read<T>();
  }
  double read_double() { return reader_.read_double(); }
  /// Borrowed from the snapshot.
  std::string_view read_text();
  /// `count` numbers: calls `set(i, number)` for each, or for none if there are fewer.
  template <std::integral T, class Set>
  void read_numbers(std::size_t count, const Set& set) {
    BytesView bytes = read_bytes(count, sizeof(T));
    for (std::size_t i = 0; i < bytes.size() / sizeof(T); ++i) {
      set(i, load_big_endian<T>(bytes.data() + i * sizeof(T)));
    }
  }
  /// `count` times so many bytes, borrowed likewise; none if there are fewer.
  BytesView read_bytes(std::size_t count, std::size_t bytes_each = 1);

  /// A count of things that take at least `bytes_each`: checked, so that it may be allocated for.
  std::uint32_t read_count(std::size_t bytes_each);

  bool ok() const { return reader_.ok(); }
  /// What was read is what no writer wrote: ok() is false from now on.
  void fail() { reader_.fail(); }
  /// Errc::corrupt_message unless all was read, and no more.
  Result<void> finish() const;

 private:
  explicit StateReader(BytesView bytes) : reader_(bytes) {}
  ByteReader reader_;
};

}  // namespace leat
