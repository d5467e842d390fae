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
  StateWriter();

  /// Begins what one operator writes, in the version of its grammar.
  void section(std::string_view name, std::uint8_t version);
  template <std::integral T>
  void write(T value) {
    writer_.write(value);
  }
  void write_double(double value) { writer_.write_double(value); }
  void write_text(std::string_view text);

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

  /// A count of things that take at least `bytes_each`: checked, so that it may be allocated for.
  std::uint32_t read_count(std::size_t bytes_each);

  bool ok() const { return reader_.ok(); }
  /// Errc::corrupt_message unless all was read, and no more.
  Result<void> finish() const;

 private:
  explicit StateReader(BytesView bytes) : reader_(bytes) {}
  ByteReader reader_;
};

}  // namespace leat
