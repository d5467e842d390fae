// libFuzzer's side: runs the one target that LEAT_FUZZ_TARGET names.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/logging.h"
#include "fuzz/targets.h"

namespace {
const leat::fuzz::Target* chosen = nullptr;
}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  leat::set_log_level(leat::LogLevel::none);
  const char* name = std::getenv("LEAT_FUZZ_TARGET");
  for (const auto& target : leat::fuzz::targets)
    if (name != nullptr && target.name == name) chosen = &target;
  if (chosen != nullptr) return 0;
  std::fputs("LEAT_FUZZ_TARGET names no target; there are:\n", stderr);
  for (const auto& target : leat::fuzz::targets)
    std::fprintf(stderr, "%.*s\n", static_cast<int>(target.name.size()), target.name.data());
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen->run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
