// How many members an aggregate has, without being told.
#pragma once

#include <cstddef>

namespace leat::wire {

// An aggregate of n members takes up to n initialisers, and `{}` initialises a member of any type.
// A braced list cannot be made from a pack, so the lists stand here one by one.
#define LEAT_BRACES_4 \
  {}, {}, {}, {}
#define LEAT_BRACES_8 LEAT_BRACES_4, LEAT_BRACES_4
#define LEAT_BRACES_12 LEAT_BRACES_8, LEAT_BRACES_4
#define LEAT_BRACES_16 LEAT_BRACES_12, LEAT_BRACES_4

/// The number of members of T, which may be up to 16.
template <class T>
constexpr std::size_t arity() {
  std::size_t n = 0;
  if (requires { T{{}}; }) n = 1;
  if (requires { T{{}, {}}; }) n = 2;
  if (requires { T{{}, {}, {}}; }) n = 3;
  if (requires { T{LEAT_BRACES_4}; }) n = 4;
  if (requires { T{LEAT_BRACES_4, {}}; }) n = 5;
  if (requires { T{LEAT_BRACES_4, {}, {}}; }) n = 6;
  if (requires { T{LEAT_BRACES_4, {}, {}, {}}; }) n = 7;
  if (requires { T{LEAT_BRACES_8}; }) n = 8;
  if (requires { T{LEAT_BRACES_8, {}}; }) n = 9;
  if (requires { T{LEAT_BRACES_8, {}, {}}; }) n = 10;
  if (requires { T{LEAT_BRACES_8, {}, {}, {}}; }) n = 11;
  if (requires { T{LEAT_BRACES_12}; }) n = 12;
  if (requires { T{LEAT_BRACES_12, {}}; }) n = 13;
  if (requires { T{LEAT_BRACES_12, {}, {}}; }) n = 14;
  if (requires { T{LEAT_BRACES_12, {}, {}, {}}; }) n = 15;
  if (requires { T{LEAT_BRACES_16}; }) n = 16;
  static_assert(
      !requires {
        T{LEAT_BRACES_16, {}};
      },
      "extend the lists above");
  return n;
}

#undef LEAT_BRACES_4
#undef LEAT_BRACES_8
#undef LEAT_BRACES_12
#undef LEAT_BRACES_16

}  // namespace leat::wire
