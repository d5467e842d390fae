// The visitor that fills a message with random values, as a version of it can carry them.
#pragma once

#include <array>
#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/random.h"
#include "base/uuid.h"
#include "wire/message.h"
#include "wire/records.h"

namespace leat::wire {

class Randomizer {
 public:
  Randomizer(Random& random, Version version) : random_(random), version_(version) {}

  template <class T>
  void operator()(const char*, T& field, Versions versions = always, Versions nullable = always) {
    if (!versions.contains(version_)) return;
    fill(field, nullable.contains(version_));
  }
  template <class T>
  void tagged(std::uint32_t, const char*, T& field, Versions versions) {
    if (versions.contains(version_)) fill(field, true);
  }

 private:
  void fill(bool& value, bool) { value = random_.one_in(2); }
  template <std::integral T>
  void fill(T& value, bool) {
    value = static_cast<T>(random_.next() >> random_.below(64));
    if (random_.one_in(8)) value = std::numeric_limits<T>::min();
    if (random_.one_in(8)) value = std::numeric_limits<T>::max();
  }
  template <class T>
  requires std::is_enum_v<T>
  void fill(T& value, bool) {
    std::underlying_type_t<T> number;
    fill(number, false);
    value = static_cast<T>(number);
  }
  void fill(Uuid& value, bool) { value = Uuid::random(random_); }
  void fill(std::string& value, bool) {
    value.resize(random_.below(random_.one_in(4) ? 300 : 10));
    for (char& c : value) c = static_cast<char>(random_.next());
  }
  void fill(Bytes& value, bool) { value.resize(random_.below(200), std::byte{0x5a}); }
  void fill(Records& value, bool nullable) {
    static constexpr std::array<std::byte, 300> batch{std::byte{1}, std::byte{2}, std::byte{3}};
    if (nullable && random_.one_in(4)) return;
    value = Records(BytesView(batch).first(random_.below(batch.size())));
  }
  template <class T>
  void fill(std::vector<T>& value, bool) {
    value.resize(random_.below(4));
    for (T& element : value) fill(element, false);
  }
  template <class T>
  void fill(std::optional<T>& value, bool nullable) {
    if (nullable && random_.one_in(3)) return;
    fill(value.emplace(), false);
  }
  template <HasFields S>
  void fill(S& value, bool) {
    S::fields(value, *this);
  }

  Random& random_;
  Version version_;
};

/// A message of that version, with every field that it has drawn from `random`.
template <class M>
M random_message(Random& random, Version version) {
  M message;
  Randomizer randomizer(random, version);
  M::fields(message, randomizer);
  return message;
}

}  // namespace leat::wire
