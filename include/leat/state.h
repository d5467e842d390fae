// What functions keep for a key, as bytes: part of process.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "leat/rows.h"

namespace leat::flow::detail {

//   state := value*                     a struct's members in their order
//   value := state                      of a struct in a struct
//          | number                     as it lies in memory; times and dates count ms and days
//          | size:u64 byte*             texts and bytes
//          | count:u64 value*           vectors
//          | 0 | 1 value                optionals, a byte

/// What a function keeps that keeps nothing.
struct Nothing {
  static void columns(auto&, auto&) {}
};

template <class T>
concept Struct = requires(T& value, ColumnCollector& visit) {
  T::columns(value, visit);
};
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;

/// "{count bigint, recent timestamp[]}".
template <class T>
void describe_value(std::string& out) {
  if constexpr (Struct<T>) {
    auto member = [&out]<class Member>(std::string_view name, const Member&, const auto&...) {
      out += out.ends_with('{') ? "" : ", ";
      out += name;
      out += ' ';
      describe_value<Member>(out);
    };
    T value{};
    out += '{';
    T::columns(value, member);
    out += '}';
  } else if constexpr (is_optional<T>) {
    describe_value<typename T::value_type>(out);
    out += '?';
  } else if constexpr (is_vector<T>) {
    describe_value<typename T::value_type>(out);
    out += "[]";
  } else {
    out += name_of(TypeOf<T>::type);
  }
}

template <class T>
void write_state(std::string& out, const T& value) {
  auto plain = [&out](const auto& bytes) {
    out.append(reinterpret_cast<const char*>(&bytes), sizeof bytes);
  };
  if constexpr (Struct<T>) {
    auto member = [&out](std::string_view, const auto& of, const auto&...) {
      write_state(out, of);
    };
    T::columns(value, member);
  } else if constexpr (is_optional<T>) {
    plain(value.has_value());
    if (value) write_state(out, *value);
  } else if constexpr (is_vector<T>) {
    plain(std::uint64_t{value.size()});
    for (const typename T::value_type& item : value) write_state(out, item);
  } else if constexpr (std::is_same_v<T, std::string>) {
    plain(std::uint64_t{value.size()});
    out += value;
  } else if constexpr (std::is_same_v<T, Bytes>) {
    write_state(out, value.value);
  } else {
    plain(value);
  }
}

/// Takes what it reads off `in`. False if that is not there.
template <class T>
bool read_state(std::string_view& in, T& value) {
  auto plain = [&in](auto& bytes) {
    if (in.size() < sizeof bytes) return false;
    std::memcpy(&bytes, in.data(), sizeof bytes);
    in.remove_prefix(sizeof bytes);
    return true;
  };
  if constexpr (Struct<T>) {
    bool good = true;
    auto member = [&in, &good](std::string_view, auto& of, const auto&...) {
      good = good && read_state(in, of);
    };
    T::columns(value, member);
    return good;
  } else if constexpr (is_optional<T>) {
    std::uint8_t there = 0;
    if (!plain(there) || there > 1) return false;
    value.reset();
    return there == 0 || read_state(in, value.emplace());
  } else if constexpr (is_vector<T>) {
    std::uint64_t count = 0;
    if (!plain(count)) return false;
    value.clear();
    for (std::uint64_t i = 0; i < count; ++i) {
      typename T::value_type item{};
      if (in.empty() || !read_state(in, item)) return false;
      value.push_back(std::move(item));
    }
    return true;
  } else if constexpr (std::is_same_v<T, std::string>) {
    std::uint64_t size = 0;
    if (!plain(size) || in.size() < size) return false;
    value = in.substr(0, size);
    in.remove_prefix(size);
    return true;
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return read_state(in, value.value);
  } else {
    return plain(value);
  }
}

/// Memory that a value has besides its own bytes, more or less.
template <class T>
std::size_t bytes_behind(const T& value) {
  std::size_t bytes = 0;
  if constexpr (Struct<T>) {
    auto member = [&bytes](std::string_view, const auto& of, const auto&...) {
      bytes += bytes_behind(of);
    };
    T::columns(value, member);
  } else if constexpr (is_optional<T>) {
    if (value) bytes = bytes_behind(*value);
  } else if constexpr (is_vector<T>) {
    using Item = typename T::value_type;
    bytes = value.capacity() * sizeof(Item);
    if constexpr (!std::is_trivially_copyable_v<Item>)
      for (const Item& item : value) bytes += bytes_behind(item);
  } else if constexpr (std::is_same_v<T, std::string>) {
    bytes = value.capacity() < sizeof(std::string) ? 0 : value.capacity();
  } else if constexpr (std::is_same_v<T, Bytes>) {
    bytes = bytes_behind(value.value);
  }
  return bytes;
}

}  // namespace leat::flow::detail
