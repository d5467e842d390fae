// The visitor that writes a message's fields.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/uuid.h"
#include "wire/message.h"
#include "wire/records.h"
#include "wire/versions.h"

namespace leat::wire {

/// Appends one message to `out`. A value that the wire cannot carry makes it fail for good.
class Encoder {
 public:
  Encoder(Encoded& out, Version version, bool flexible)
      : out_(out), writer_(out.bytes), version_(version), flexible_(flexible) {}

  template <class T>
  void operator()(const char* name, const T& field, Versions versions = always,
                  Versions nullable = always) {
    if (!versions.contains(version_)) return;
    bool was_ok = ok_;
    write(field, nullable.contains(version_));
    if (was_ok && !ok_ && failed_at_ == nullptr) failed_at_ = name;
  }
  template <class T>
  void tagged(std::uint32_t, const char*, const T&, Versions) {}

  /// The fields of `value` and, in a flexible version, its tagged fields.
  template <class S>
  void write_struct(const S& value) {
    S::fields(value, *this);
    if (flexible_) write_tags(value);
  }

  bool ok() const { return ok_; }
  /// The name of the field that failed.
  const char* failed_at() const { return failed_at_ == nullptr ? "tagged fields" : failed_at_; }

 private:
  template <class T>
  static bool is_present(const T& field) {
    return !(field == T{});
  }
  template <class T>
  static bool is_present(const std::vector<T>& field) {
    return !field.empty();
  }
  template <class T>
  static bool is_present(const std::optional<T>& field) {
    return field.has_value();
  }

  struct CountTags {
    Version version;
    std::uint32_t count = 0;
    template <class T>
    void operator()(const char*, const T&, Versions = always, Versions = always) {}
    template <class T>
    void tagged(std::uint32_t, const char*, const T& field, Versions versions) {
      if (versions.contains(version) && is_present(field)) ++count;
    }
  };

  struct WriteTags {
    Encoder& encoder;
    std::int64_t last_tag = -1;
    template <class T>
    void operator()(const char*, const T&, Versions = always, Versions = always) {}
    template <class T>
    void tagged(std::uint32_t tag, const char* name, const T& field, Versions versions) {
      if (!versions.contains(encoder.version_) || !is_present(field)) return;
      ASSERT(tag > last_tag);  // `fields` names tags in rising order, as they must be written
      last_tag = tag;
      Encoded scratch;
      Encoder value(scratch, encoder.version_, encoder.flexible_);
      value.write_present(field);
      ASSERT(scratch.holes.empty());
      if (!value.ok_ && encoder.ok_) encoder.fail_at(name);
      encoder.writer_.write_uvarint(tag);
      encoder.writer_.write_uvarlong(scratch.bytes.size());
      encoder.writer_.write_bytes(scratch.bytes);
    }
  };

  template <class S>
  void write_tags(const S& value) {
    CountTags counted{version_};
    S::fields(value, counted);
    writer_.write_uvarint(counted.count);
    if (counted.count == 0) return;
    WriteTags tags{*this};
    S::fields(value, tags);
  }

  template <std::integral T>
  void write(T value, bool) {
    if constexpr (std::is_same_v<T, bool>) {
      writer_.write<std::uint8_t>(value ? 1 : 0);
    } else {
      writer_.write(value);
    }
  }
  template <class T>
  requires std::is_enum_v<T>
  void write(T value, bool) { writer_.write(static_cast<std::underlying_type_t<T>>(value)); }
  void write(double value, bool) { writer_.write_double(value); }
  void write(const Uuid& value, bool);
  void write(const std::string& value, bool);
  void write(const Bytes& value, bool);
  void write(const Records& value, bool nullable);
  template <class T>
  void write(const std::vector<T>& value, bool) {
    write_array_length(value.size());
    for (const T& element : value) write(element, false);
  }
  template <HasFields S>
  void write(const S& value, bool) {
    write_struct(value);
  }

  template <class T>
  void write(const std::optional<T>& value, bool nullable) {
    if constexpr (HasFields<T>) {
      if (nullable) writer_.write<std::int8_t>(value ? 1 : -1);
      if (value) {
        write_struct(*value);
      } else if (!nullable) {
        write_struct(T{});
      }
    } else if (value) {
      write(*value, false);
    } else if (nullable) {
      write_null(std::is_same_v<T, std::string>);
    } else {
      write(T{}, false);
    }
  }
  template <class T>
  void write_present(const T& value) {
    write(value, false);
  }
  template <class T>
  void write_present(const std::optional<T>& value) {
    write(*value, false);
  }

  void write_null(bool is_string);
  void write_string_length(std::size_t size);
  void write_array_length(std::size_t size);
  void fail_at(const char* name) {
    ok_ = false;
    if (failed_at_ == nullptr) failed_at_ = name;
  }

  Encoded& out_;
  ByteWriter writer_;
  const char* failed_at_ = nullptr;
  Version version_;
  bool flexible_;
  bool ok_ = true;
};

}  // namespace leat::wire
