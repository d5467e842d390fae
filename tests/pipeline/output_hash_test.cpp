// What a step gave, as a number: the same in every role, another one for any other output.
#include <set>

#include <doctest/doctest.h>

#include "pipeline/output_hash.h"
#include "pipeline/play.h"
#include "stream/pipeline.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;

namespace {

Uuid id(std::uint8_t number) {
  Uuid id;
  id.bytes[0] = number;
  return id;
}

stream::OutputBatch batch(std::uint8_t topic, std::int32_t partition, const std::string& bytes) {
  BytesView view = as_bytes(bytes);
  return {{id(topic), PartitionId{partition}}, Bytes(view.begin(), view.end())};
}

using Output = std::vector<stream::OutputBatch>;

}  // namespace

TEST_CASE("all topics that a plan writes to are known") {
  auto plan = plan_of(
      R"({"name": "x", "type": "window", "input": "in", "window": {"kind": "tumbling",
          "size_ms": 1000}, "keys": ["k"], "late_topic": "late",
          "aggregates": [{"function": "count", "name": "rows"}]},)",
      R"("bad_rows": {"policy": "dead_letter", "topic": "bad"},)",
      R"("bad_records": {"policy": "dead_letter", "topic": "dead"},)");
  CHECK(output_topics(plan) == std::vector<std::string>{"bad", "dead", "late", "out"});
  // shadow_of() renames the same.
  CHECK(output_topics(stream::shadow_of(plan, ".v2")) ==
        std::vector<std::string>{"bad.v2", "dead.v2", "late.v2", "out.v2"});
}

TEST_CASE("the hash knows topics by their names, and hangs on order within a partition alone") {
  OutputHash hash, shadow;
  hash.add_topic("a", id(1));
  hash.add_topic("b", id(2));
  shadow.add_topic("a", id(9));
  shadow.add_topic("b", id(3));
  Output output{batch(1, 0, "x"), batch(2, 0, "y"), batch(1, 0, "z"), batch(1, 1, "x")};
  Output other_order{batch(1, 1, "x"), batch(1, 0, "x"), batch(2, 0, "y"), batch(1, 0, "z")};
  Output in_shadow{batch(9, 0, "x"), batch(9, 0, "z"), batch(9, 1, "x"), batch(3, 0, "y")};
  CHECK(hash.of(output) == hash.of(other_order));
  CHECK(hash.of(output) == shadow.of(in_shadow));
  CHECK(hash.of({}) == 0);
  std::set<std::uint64_t> others{hash.of(output)};
  for (const auto& changed :
       {Output{batch(1, 0, "x")}, Output{batch(1, 1, "x")}, Output{batch(2, 0, "x")},
        Output{batch(1, 0, "z"), batch(1, 0, "x")}, Output{batch(1, 0, "x"), batch(1, 0, "z")}}) {
    CHECK(others.insert(hash.of(changed)).second);
  }
}

TEST_SUITE_END();
