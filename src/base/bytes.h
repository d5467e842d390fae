// Bytes and big-endian numbers, the order of Kafka's wire and of everything we write to disk.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

using BytesView = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;
/// A growing buffer of bytes.
using Bytes = std::vector<std::byte>;

inline BytesView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(BytesView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <std::integral T>
constexpr T swap_bytes(T value) {
  if constexpr (sizeof(T) == 1) return value;
  using U = std::make_unsigned_t<T>;
  auto bits = static_cast<U>(value);
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(bits));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(bits));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(bits));
}

/// Reads a big-endian number. REQUIRES: sizeof(T) bytes at `at`.
template <std::integral T>
T load_big_endian(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return std::endian::native == std::endian::little ? swap_bytes(value) : value;
}

/// Writes a big-endian number. REQUIRES: room for sizeof(T) bytes at `at`.
template <std::integral T>
void store_big_endian(std::byte* at, T value) {
  if (std::endian::native == std::endian::little) value = swap_bytes(value);
  std::memcpy(at, &value, sizeof value);
}

/// Reads numbers, varints and byte strings off a buffer that it does not own. A read past the end
/// or a malformed varint makes it fail for good: every later read gives zero or nothing, so
/// a decoder asks `ok()` once at the end. Views given out live as long as the buffer.
class ByteReader {
 public:
  explicit ByteReader(BytesView bytes) : bytes_(bytes) {}

  template <std::integral T>
  T read() {
    BytesView field = read_bytes(sizeof(T));
    return field.size() == sizeof(T) ? load_big_endian<T>(field.data()) : T{};
  }
  double read_double() { return std::bit_cast<double>(read<std::uint64_t>()); }
  /// The next `n` bytes; empty, and failed, when fewer are left.
  BytesView read_bytes(std::size_t n);
  /// Unsigned LEB128 of up to 5 bytes (10 for 64 bits), as in Kafka's compact lengths and tags.
  std::uint32_t read_uvarint();
  std::uint64_t read_uvarlong();
  /// Zigzag varints, as in Kafka's records.
  std::int32_t read_varint();
  std::int64_t read_varlong();

  void fail() { failed_ = true; }
  bool ok() const { return !failed_; }
  std::size_t position() const { return position_; }
  std::size_t remaining() const { return failed_ ? 0 : bytes_.size() - position_; }

 private:
  BytesView bytes_;
  std::size_t position_ = 0;
  bool failed_ = false;
};

/// Appends numbers, varints and byte strings to a buffer that it does not own.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}

  template <std::integral T>
  void write(T value) {
    std::size_t at = out_.size();
    out_.resize(at + sizeof value);
    store_big_endian(out_.data() + at, value);
  }
  void write_double(double value) { write(std::bit_cast<std::uint64_t>(value)); }
  void write_bytes(BytesView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void write_uvarint(std::uint32_t value) { write_uvarlong(value); }
  void write_uvarlong(std::uint64_t value);
  void write_varint(std::int32_t value);
  void write_varlong(std::int64_t value);

  std::size_t size() const { return out_.size(); }
  /// Overwrites a number written before, such as a length known only at the end.
  template <std::integral T>
  void patch(std::size_t at, T value) {
    store_big_endian(out_.data() + at, value);
  }

 private:
  Bytes& out_;
};

/// Bytes that `value` takes as a zigzag varlong or, unsigned, as a uvarlong.
std::size_t varlong_size(std::int64_t value);
std::size_t uvarlong_size(std::uint64_t value);

}  // namespace leat
