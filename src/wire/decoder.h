// The visitor that reads a message's fields. Input is hostile: lengths are checked against the
// bytes left before anything is allocated, and the memory of all arrays is bounded.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "wire/message.h"
#include "wire/records.h"
#include "wire/versions.h"

namespace leat::wire {

/// Reads one message. A failure sticks, as in ByteReader, and remembers the field it came at.
class Decoder {
 public:
  /// What a request's arrays may take: those of 20,000 partitions, ten times over. A handler makes
  /// several times as much of it, which counts nowhere else.
  static constexpr std::size_t request_memory_max = 8 << 20;

  Decoder(BytesView bytes, Version version, bool flexible, std::size_t memory_max)
      : reader_(bytes),
        memory_left_(std::min(memory_max, least_memory + memory_per_byte * bytes.size())),
        version_(version),
        flexible_(flexible) {}

  template <class T>
  void operator()(const char* name, T& field, Versions versions = always,
                  Versions nullable = always) {
    if (!versions.contains(version_)) return;
    read(field, nullable.contains(version_));
    if (!reader_.ok() && failed_at_ == nullptr) failed_at_ = name;
  }
  /// Tagged fields stand behind the others: read_struct comes back for them.
  template <class T>
  void tagged(std::uint32_t, const char*, T&, Versions) {}

  /// The fields of `value` and, in a flexible version, its tagged fields.
  template <class S>
  void read_struct(S& value) {
    S::fields(value, *this);
    if (flexible_) read_tags(value);
  }

  bool ok() const { return reader_.ok(); }
  std::size_t remaining() const { return reader_.remaining(); }
  /// The name of the field that failed.
  const char* failed_at() const { return failed_at_ == nullptr ? "tagged fields" : failed_at_; }

 private:
  // An array of tiny elements takes more memory than wire: an empty compact string is 1 byte there
  // and 32 here. Names and partitions as they occur stay below four times their bytes.
  static constexpr std::size_t least_memory = 1 << 20;
  static constexpr std::size_t memory_per_byte = 8;
  static constexpr std::size_t max_string_bytes = INT16_MAX;

  /// Gives one tagged field to the decoder: the one of the message that has this number.
  struct OneTag {
    Decoder& decoder;
    std::uint32_t number;
    bool known = false;

    template <class T>
    void operator()(const char*, T&, Versions = always, Versions = always) {}
    template <class T>
    void tagged(std::uint32_t tag, const char* name, T& field, Versions versions) {
      if (tag != number || !versions.contains(decoder.version_)) return;
      known = true;
      decoder.read_present(field);
      if (decoder.reader_.remaining() != 0) decoder.reader_.fail();
      if (!decoder.reader_.ok() && decoder.failed_at_ == nullptr) decoder.failed_at_ = name;
    }
  };

  template <class S>
  void read_tags(S& value) {
    std::uint32_t count = reader_.read_uvarint();
    for (std::uint32_t i = 0; i < count && reader_.ok(); ++i) {
      OneTag tag{*this, reader_.read_uvarint()};
      BytesView bytes = reader_.read_bytes(reader_.read_uvarint());
      if (!reader_.ok()) return;
      ByteReader rest = reader_;
      reader_ = ByteReader(bytes);
      S::fields(value, tag);
      if (!reader_.ok()) return;
      reader_ = rest;
    }
  }

  template <std::integral T>
  void read(T& value, bool) {
    if constexpr (std::is_same_v<T, bool>) {
      value = reader_.read<std::uint8_t>() != 0;
    } else {
      value = reader_.read<T>();
    }
  }
  template <class T>
  requires std::is_enum_v<T>
  void read(T& value, bool) { value = static_cast<T>(reader_.read<std::underlying_type_t<T>>()); }
  void read(double& value, bool) { value = reader_.read_double(); }
  void read(Uuid& value, bool);
  void read(std::string& value, bool) { read_sized(required(string_length()), value); }
  void read(Records& value, bool nullable);
  template <class T>
  void read(std::vector<T>& value, bool) {
    read_sized(required(array_length()), value);
  }
  template <HasFields S>
  void read(S& value, bool) {
    read_struct(value);
  }
  template <class T>
  void read(std::optional<T>& value, bool nullable) {
    if (!nullable) return read(value.emplace(), false);
    std::int64_t n = length_of<T>();
    if (n < -1) reader_.fail();
    if (n < 0 || !reader_.ok()) return value.reset();
    read_sized(n, value.emplace());
  }
  /// A tagged field, which is there.
  template <class T>
  void read_present(T& value) {
    read(value, false);
  }
  template <class T>
  void read_present(std::optional<T>& value) {
    value = T{};  // clang 14 refuses emplace() for a T within the class that has the optional
    read(*value, false);
  }

  /// The length before a T, -1 for null; what is below is for the caller to refuse. A struct that
  /// may be null has a byte of the same meaning before it.
  template <class T>
  std::int64_t length_of() {
    if constexpr (HasFields<T>) {
      return reader_.read<std::int8_t>();
    } else if constexpr (std::is_same_v<T, std::string>) {
      return string_length();
    } else {
      return array_length();
    }
  }
  /// Refuses null.
  std::int64_t required(std::int64_t length) {
    if (length < 0) reader_.fail();
    return length;
  }
  std::int64_t string_length();
  std::int64_t array_length();

  void read_sized(std::int64_t size, std::string& value);
  void read_sized(std::int64_t size, Bytes& value);
  template <class T>
  void read_sized(std::int64_t count, std::vector<T>& value) {
    if (!reserve(count, sizeof(T))) return;
    value.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count && reader_.ok(); ++i) read(value.emplace_back(), false);
  }
  template <HasFields S>
  void read_sized(std::int64_t, S& value) {
    read_struct(value);
  }

  /// False, and failed, when `count` elements cannot be in the bytes left or are too much memory.
  bool reserve(std::int64_t count, std::size_t element_bytes);

  ByteReader reader_;
  std::size_t memory_left_;
  const char* failed_at_ = nullptr;
  Version version_;
  bool flexible_;
};

}  // namespace leat::wire
