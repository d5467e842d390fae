// Nexmark's queries as graphs of Leat's operators.
#pragma once

#include <span>
#include <string>

#include "leat/stream.h"

namespace leat::nexmark {

/// What others have published, in thousands of events a second and core; 0 where there is none.
/// Flink's are from its guides to Nexmark (with RocksDB; 2.0 with ForSt), Feldera's from its
/// benchmark with 16 workers, RisingWave's from its documentation of 2023.
struct Published {
  double flink, flink2, feldera, rising_wave;
};

struct Query {
  const char* name;
  /// Millions of events a second and core that are aimed at.
  double aim;
  Published published;
  /// From the source of events to the rows that are given.
  flow::Stream (*make)(flow::Pipeline& pipeline, flow::Stream events);
  /// Where it is not what Flink's SQL says.
  const char* differs = "";
};

std::span<const Query> queries();

/// What q13 looks up: a file of JSON lines with "key" and "value", in the folder for such files.
std::string side_file();
inline constexpr std::size_t side_rows = 10'000;

/// From a topic `events` to the console.
std::string plan_of(const Query& query);

}  // namespace leat::nexmark
