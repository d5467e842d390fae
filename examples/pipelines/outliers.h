// Readings that lie far from those before them, found column by column: a function that sees some
// thousand rows at once and loops over their values as they are in memory.
#pragma once

#include <leat/stream.h>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

namespace outliers {

struct Reading {
  std::string sensor;
  double value = 0;
  leat::Timestamp time;

  static void columns(auto& self, auto& visit) {
    visit("sensor", self.sensor);
    visit("value", self.value);
    visit("time", self.time);
  }
};

struct Outlier {
  std::string sensor;
  double value = 0;
  double expected = 0;
  leat::Timestamp time;

  static void columns(auto& self, auto& visit) {
    visit("sensor", self.sensor);
    visit("value", self.value);
    visit("expected", self.expected);
    visit("time", self.time);
  }
};

/// What readings were of late, the last one counting most: kept from batch to batch, and over a
/// restart.
struct Usual {
  std::int64_t count = 0;
  double mean = 0;
  double spread = 0;  // the mean distance from the mean

  static void columns(auto& self, auto& visit) {
    visit("count", self.count);
    visit("mean", self.mean);
    visit("spread", self.spread);
  }
};

/// A reading is an outlier if it is further from the mean than four times what is usual, once
/// there were a hundred. Rows come in the order of time, so where a batch ends makes no difference.
inline void judge(const leat::flow::Batch<Reading>& batch, Usual& usual,
                  leat::flow::BatchOutput<Outlier>& out) {
  constexpr double weight = 0.01, far = 4;
  constexpr std::int64_t enough = 100;
  auto values = batch.values<double>("value");
  auto missing = batch.nulls("value");
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (missing[i] != 0) continue;
    double distance = std::fabs(values[i] - usual.mean);
    if (usual.count >= enough && distance > far * usual.spread) {
      // Few are: only for these is a row made of the columns.
      Reading reading = batch.row(i);
      out.emit(i, {reading.sensor, reading.value, usual.mean, reading.time});
    }
    if (usual.count++ == 0) {
      usual.mean = values[i];
      continue;
    }
    usual.spread += weight * (distance - usual.spread);
    usual.mean += weight * (values[i] - usual.mean);
  }
}

/// From the topic `readings` to the topic `outliers`.
inline leat::flow::Stream add_judge(leat::flow::Pipeline& pipeline) {
  using namespace std::chrono_literals;
  leat::flow::Stream found =
      pipeline.from<Reading>("readings", {.event_time = "time", .disorder = 5s})
          .process_batches(judge, {.name = "judge"});
  found.to("outliers", {.keys = {"sensor"}});
  return found;
}

}  // namespace outliers
