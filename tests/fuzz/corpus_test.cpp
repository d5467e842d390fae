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

/// Of all inputs of a target together.
constexpr std::size_t mutations = 2000;

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

std::vector<std::string> made_inputs(const fuzz::Target& target) {
  std::vector<std::string> inputs;
  if (target.seeds == nullptr) return inputs;
  for (const Bytes& seed : target.seeds()) inputs.emplace_back(as_text(seed));
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

/// As fuzzer.cpp does: of what a mutation broke, some is made right again.
void run_mutated(const fuzz::Target& target, const std::string& input, Random& random) {
  std::string mutated = mutate(input, random);
  Bytes bytes(as_bytes(mutated).begin(), as_bytes(mutated).end());
  if (target.repair != nullptr && !random.one_in(4)) target.repair(bytes);
  target.run(bytes);
}

}  // namespace

TEST_CASE("every target survives its corpus and mutations of it") {
  set_log_level(LogLevel::none);
  for (const auto& target : fuzz::targets) {
    CAPTURE(target.name);
    auto inputs = kept_inputs(target.name);
    CHECK_FALSE(inputs.empty());
    for (std::string& made : made_inputs(target)) inputs.push_back(std::move(made));
    Random random(20'261'122);
    for (const auto& input : inputs) {
      target.run(as_bytes(input));
      for (std::size_t i = 0; i < mutations / inputs.size(); ++i)
        run_mutated(target, input, random);
    }
  }
  set_log_level(LogLevel::info);
}

TEST_SUITE_END();
