// What is fuzzed: functions that take any bytes, and abort where the code under test breaks its
// word. libFuzzer runs one of them (fuzzer.cpp, `tools/dev fuzz`); the tests run all of them over
// the kept corpus and mutations of it (corpus_test.cpp).
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace leat::fuzz {

void compression(BytesView input);
void data_directory(BytesView input);
void json(BytesView input);
void record_batch(BytesView input);
void request(BytesView input);
void response(BytesView input);

struct Target {
  std::string_view name;  // also its folder in corpus/
  void (*run)(BytesView input);
};

inline constexpr Target targets[] = {
    {"compression", compression},
    {"data_directory", data_directory},
    {"json", json},
    {"record_batch", record_batch},
    {"request", request},
    {"response", response},
};

}  // namespace leat::fuzz
