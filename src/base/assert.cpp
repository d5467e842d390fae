#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace leat {

void assert_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "leat: bug: %s does not hold (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace leat
