// The visitor that prints a message on one line, for logs and for `dump`.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/records.h"
#include "wire/versions.h"

namespace leat::wire {

/// Appends `{name: value, …}` to a text. Byte strings are printed as their size, because they may
/// be somebody's data or password; strings are escaped, so that a peer cannot forge a line of a
/// log.
class Printer {
 public:
  Printer(std::string& out, Version version) : out_(out), version_(version) {}

  template <class T>
  void operator()(const char* name, const T& field, Versions versions = always, Versions = always) {
    if (!versions.contains(version_)) return;
    separate();
    out_.append(name).append(": ");
    print(field);
  }
  template <class T>
  void tagged(std::uint32_t, const char* name, const T& field, Versions versions) {
    (*this)(name, field, versions);
  }

  template <class S>
  void print_struct(const S& value) {
    out_ += '{';
    first_ = true;
    S::fields(value, *this);
    out_ += '}';
    first_ = false;
  }

 private:
  static constexpr std::size_t max_elements = 64;

  void separate() {
    if (!first_) out_ += ", ";
    first_ = false;
  }
  void print(bool value) { out_ += value ? "true" : "false"; }
  void print(std::integral auto value) { out_ += std::to_string(value); }
  void print(double value) { out_ += std::to_string(value); }
  void print(ErrorCode value) { out_ += wire::name(value); }
  template <class T>
  requires std::is_enum_v<T>
  void print(T value) { print(static_cast<std::underlying_type_t<T>>(value)); }
  void print(const Uuid& value) { out_ += value.to_hex(); }
  void print(const std::string& value);
  void print(const Bytes& value) { print_size(value.size()); }
  void print(const Records& value);
  template <class T>
  void print(const std::vector<T>& value) {
    out_ += '[';
    first_ = true;
    for (std::size_t i = 0; i < value.size() && i < max_elements; ++i) {
      separate();
      print(value[i]);
    }
    if (value.size() > max_elements) {
      out_.append(", and ").append(std::to_string(value.size() - max_elements)).append(" more");
    }
    out_ += ']';
    first_ = false;
  }
  template <class T>
  void print(const std::optional<T>& value) {
    if (value) {
      print(*value);
    } else {
      out_ += "null";
    }
  }
  template <HasFields S>
  void print(const S& value) {
    print_struct(value);
  }
  void print_size(std::size_t size);

  std::string& out_;
  Version version_;
  bool first_ = true;
};

}  // namespace leat::wire
