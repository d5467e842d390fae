// What is fuzzed: functions that take any bytes, and abort where the code under test breaks its
// word. libFuzzer runs one of them (fuzzer.cpp, `tools/dev fuzz`); the tests run all of them over
// the kept corpus and mutations of it (corpus_test.cpp).
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace leat::fuzz {

void checkpoint(BytesView input);
void compression(BytesView input);
void csv(BytesView input);
void data_directory(BytesView input);
void frames(BytesView input);
void group_record(BytesView input);
void index(BytesView input);
void journal(BytesView input);
void json(BytesView input);
void plan(BytesView input);
void producer_snapshot(BytesView input);
void record_batch(BytesView input);
void request(BytesView input);
void response(BytesView input);
void seal(BytesView input);
void segment(BytesView input);
void step_record(BytesView input);

void repair_checkpoint(Bytes& input);
void repair_index(Bytes& input);
void repair_journal(Bytes& input);
void repair_producer_snapshot(Bytes& input);
void repair_seal(Bytes& input);
void repair_segment(Bytes& input);

std::vector<Bytes> checkpoint_seeds();
std::vector<Bytes> frames_seeds();
std::vector<Bytes> group_record_seeds();
std::vector<Bytes> index_seeds();
std::vector<Bytes> journal_seeds();
std::vector<Bytes> plan_seeds();
std::vector<Bytes> producer_snapshot_seeds();
std::vector<Bytes> seal_seeds();
std::vector<Bytes> segment_seeds();
std::vector<Bytes> step_record_seeds();

struct Target {
  std::string_view name;  // also its folder in corpus/
  void (*run)(BytesView input);
  /// Makes the checksums right that a mutation broke: behind them is what is to be tested.
  void (*repair)(Bytes& input) = nullptr;
  /// Good inputs, made by the code under test, beside those kept in corpus/.
  std::vector<Bytes> (*seeds)() = nullptr;
  /// Larger inputs are no better, only slower.
  std::size_t bytes_max = 2048;
};

inline constexpr Target targets[] = {
    {"checkpoint", checkpoint, repair_checkpoint, checkpoint_seeds},
    {"compression", compression},
    {"csv", csv, nullptr, nullptr, 400},
    {"data_directory", data_directory, nullptr, nullptr, 200},
    {"frames", frames, nullptr, frames_seeds},
    {"group_record", group_record, nullptr, group_record_seeds, 400},
    {"index", index, repair_index, index_seeds, 600},
    {"journal", journal, repair_journal, journal_seeds},
    {"json", json, nullptr, nullptr, 400},
    {"plan", plan, nullptr, plan_seeds, 1500},
    {"producer_snapshot", producer_snapshot, repair_producer_snapshot, producer_snapshot_seeds},
    {"record_batch", record_batch},
    {"request", request},
    {"response", response},
    {"seal", seal, repair_seal, seal_seeds},
    {"segment", segment, repair_segment, segment_seeds, 1000},
    {"step_record", step_record, nullptr, step_record_seeds, 200},
};

}  // namespace leat::fuzz
