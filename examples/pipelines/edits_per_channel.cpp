// Prints a plan: how many edits a channel had in each 5 minutes, bots left out.
//
//   g++ -std=c++20 edits_per_channel.cpp $(pkg-config --cflags --libs leat-stream) -o edits
#include <leat/stream.h>

#include <chrono>
#include <cstdio>

using namespace leat::flow;
using namespace std::chrono_literals;

int main() {
  Pipeline pipeline("edits-per-channel");
  pipeline
      .from("edits",
            {{"time", Type::timestamp},
             {"channel", Type::text},
             {"user", Type::text},
             {"added", Type::bigint}},
            {.event_time = "time", .disorder = 2s, .bad_records = BadRows::dead_letters("bad")})
      .filter(!ilike(col("user"), "%bot%"))
      .key_by("channel")
      .window(tumbling(5min))
      .aggregate({count().as("edits"), sum(col("added")).as("added"),
                  percentile(col("added"), 0.9).as("p90")},
                 {.late_topic = "late"})
      .to("edits-per-channel", {.keys = {"channel"}});
  try {
    std::puts(pipeline.plan().c_str());
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
