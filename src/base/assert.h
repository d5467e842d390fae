// ASSERT: a statement about our own code that must hold, in release builds too. Input, however
// bad, never asserts: it returns an Error.
#pragma once

namespace leat {

/// Prints the failed condition to stderr and aborts.
[[noreturn]] void assert_failed(const char* condition, const char* file, int line);

}  // namespace leat

#define ASSERT(condition)                                    \
  do {                                                       \
    if (!(condition)) [[unlikely]]                           \
      ::leat::assert_failed(#condition, __FILE__, __LINE__); \
  } while (false)
