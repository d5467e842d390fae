// The fuzz targets over what was kept of earlier runs, and over mutations of it.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/logging.h"
#include "base/random.h"
#include "repository.h"
#include "fuzz/targets.h"

TEST_SUITE_BEGIN("fuzz");

using namespace leat;

namespace {

std::vector<std::string> kept_inputs(std::string_view target) {
  std::vector<std::string> inputs;
  auto folder = repository_path("tests/fuzz/corpus/" + std::string(target));
  REQUIRE(std::filesystem::exists(folder));
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(entry.path(), std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  std::sort(inputs.begin(), inputs.end());
  return inputs;
}

std::string mutate(std::string input, Random& random) {
  for (std::uint64_t changes = 1 + random.below(4); changes > 0 && !input.empty(); --changes) {
    std::size_t at = random.below(input.size());
    switch (random.below(4)) {
      case 0: input[at] = static_cast<char>(random.next()); break;
      case 1: input[at] = static_cast<char>(input[at] ^ (1 << random.below(8))); break;
      case 2: input.resize(at); break;
      default: input.insert(at, input.substr(random.below(input.size()), random.below(16))); break;
    }
  }
  return input;
}

}  // namespace

TEST_CASE("every target survives its corpus and mutations of it") {
  set_log_level(LogLevel::none);
  for (const auto& target : fuzz::targets) {
    CAPTURE(target.name);
    auto inputs = kept_inputs(target.name);
    CHECK_FALSE(inputs.empty());
    Random random(20'261'122);
    for (const auto& input : inputs) {
      target.run(as_bytes(input));
      for (int i = 0; i < 200; ++i) target.run(as_bytes(mutate(input, random)));
    }
  }
  set_log_level(LogLevel::info);
}

TEST_SUITE_END();
