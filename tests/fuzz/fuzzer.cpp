// libFuzzer's side: runs the one target that LEAT_FUZZ_TARGET names. Before that it writes the
// target's seeds into the folder LEAT_FUZZ_SEEDS, if that is given.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include "base/logging.h"
#include "fuzz/targets.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

namespace {

const leat::fuzz::Target* chosen = nullptr;

void write_seeds(const std::string& folder) {
  int number = 0;
  for (const leat::Bytes& seed : chosen->seeds()) {
    std::ofstream out(folder + "/seed-" + std::to_string(number++), std::ios::binary);
    out << leat::as_text(seed);
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  leat::set_log_level(leat::LogLevel::none);
  const char* name = std::getenv("LEAT_FUZZ_TARGET");
  for (const auto& target : leat::fuzz::targets)
    if (name != nullptr && target.name == name) chosen = &target;
  if (chosen != nullptr) {
    const char* folder = std::getenv("LEAT_FUZZ_SEEDS");
    if (folder != nullptr && chosen->seeds != nullptr) write_seeds(folder);
    return 0;
  }
  std::fputs("LEAT_FUZZ_TARGET names no target; there are:\n", stderr);
  for (const auto& target : leat::fuzz::targets)
    std::fprintf(stderr, "%.*s\n", static_cast<int>(target.name.size()), target.name.data());
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen->run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}

/// A checksum would stop nearly every mutation; some are to be stopped by it.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t size_max, unsigned seed) {
  size_max = std::min(size_max, chosen->bytes_max);
  size = LLVMFuzzerMutate(data, std::min(size, size_max), size_max);
  if (chosen->repair == nullptr || seed % 4 == 0) return size;
  static leat::Bytes input;
  auto* bytes = reinterpret_cast<std::byte*>(data);
  input.assign(bytes, bytes + size);
  chosen->repair(input);
  size = std::min(input.size(), size_max);
  std::copy_n(input.begin(), size, bytes);
  return size;
}
