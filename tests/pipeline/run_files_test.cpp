// Files as part of epochs: shown once, whole, exactly once.
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "pipeline/play.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

plan::Plan to_files(const std::string& mode = "", const std::string& split = "") {
  return plan_of(
      "", mode, "",
      R"({"name": "files", "type": "sink", "input": "in", "files": "/out")" + split + "},");
}

std::map<std::string, std::string> content(Play& play, const std::string& folder = "/out/") {
  std::map<std::string, std::string> all;
  for (const auto& path : play.files.file_paths()) {
    if (!path.starts_with(folder) || path.find("/.leat/") != std::string::npos) continue;
    all[path.substr(folder.size())] = as_text(*file::read_file(play.files, path));
  }
  return all;
}

std::string row(int n) {
  return fmt::format("{{\"t\":\"1970-01-01T00:00:00Z\",\"k\":\"a\",\"n\":{}}}\n", n);
}

}  // namespace

TEST_CASE("what is written for files is shown every ten seconds, in files of its own") {
  Play play;
  play.start(to_files());
  for (int i = 0; i < 5; ++i) {
    play.produce(0, "a", i);
    play.pass(1s);
  }
  CHECK(play.numbers() == "0 1 2 3 4");
  CHECK(content(play).empty());
  play.pass(6s);
  using Content = std::map<std::string, std::string>;
  Content shown{{"rows-1-7.jsonl", row(0) + row(1) + row(2) + row(3) + row(4)}};
  CHECK(content(play) == shown);
  CHECK(play.record(6).files);
  CHECK(play.record(6).steps.empty());
  play.pass(1min);
  CHECK(play.records().size() == 7);
  play.produce(0, "a", 5);
  play.pass(11s);
  shown["rows-1-9.jsonl"] = row(5);
  CHECK(content(play) == shown);
}

TEST_CASE("a pause shows what was written, too") {
  Play play;
  play.start(to_files());
  play.produce(0, "a", 1);
  play.pass(1ms);
  play.run().pause([](const Result<void>&) {});
  play.pass(1s);
  CHECK(play.status().state == RunState::paused);
  CHECK(content(play).size() == 1);
}

TEST_CASE("what was written for files and not shown is made again by the next start") {
  for (bool power : {false, true}) {
    Play play;
    play.start(to_files());
    play.produce(0, "a", 1);
    play.pass(15s);
    play.produce(0, "a", 2);
    play.pass(1s);
    play.produce(0, "a", 3);
    play.pass(1s);
    CHECK(content(play).size() == 1);
    play.crash(power);
    play.start(to_files());
    play.produce(0, "a", 4);
    play.pass(15s);
    CHECK(play.error() == "");
    std::string all;
    for (const auto& [name, rows] : content(play)) all += rows;
    CHECK(all == row(1) + row(2) + row(3) + row(4));
    CHECK(play.numbers() == "1 2 3 4");
  }
}

TEST_CASE("a batch shows its files at its end, in the place of those before") {
  const std::string batch = R"("mode": {"type": "batch"},)";
  const std::string by_key = R"(, "partition_by": ["k"])";
  Play play;
  play.produce(0, "a", 1);
  play.produce(0, "b", 2);
  auto options = play.options(to_files(batch, by_key));
  options.rows_per_s = 0.02;
  options.block_rows = 1;
  play.start(options);
  play.pass(30s);
  CHECK(play.values().size() == 1);
  CHECK(content(play).empty());
  play.crash();
  options.rows_per_s = 0;
  play.start(options);
  play.pass(1s);
  CHECK(play.status().state == RunState::finished);
  CHECK(play.values().size() == 2);
  auto first = content(play);
  REQUIRE(first.size() == 2);
  CHECK(first.at("k=a/rows.jsonl") == "{\"t\":\"1970-01-01T00:00:00Z\",\"n\":1}\n");
  play.produce(0, "a", 3);
  options.anew_behind = 1'000'000;
  play.start(options);
  play.pass(1s);
  CHECK(play.status().state == RunState::finished);
  auto second = content(play);
  REQUIRE(second.size() == 2);
  CHECK(second.at("k=a/rows.jsonl") ==
        first.at("k=a/rows.jsonl") + "{\"t\":\"1970-01-01T00:00:00Z\",\"n\":3}\n");
  CHECK(second.at("k=b/rows.jsonl") == first.at("k=b/rows.jsonl"));
}

TEST_CASE("in another role files are in another folder") {
  Play play;
  auto options = play.options(to_files());
  options.version = 2;
  options.suffix = suffix_of(2);
  play.start(options);
  play.produce(0, "a", 1);
  play.pass(15s);
  CHECK(content(play).empty());
  CHECK(content(play, "/out.v2/").size() == 1);
}

TEST_CASE("snapshots leave no row of a file out") {
  Play play;
  play.start(to_files());
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    play.produce(0, "a", i);
    expected += row(i);
    play.pass(std::chrono::milliseconds(700));
    if (i % 70 != 69) continue;
    play.crash(i % 2 == 0);
    play.start(to_files());
  }
  play.pass(15s);
  CHECK(play.error() == "");
  CHECK(play.status().snapshot.has_value());
  std::map<int, std::string> by_epoch;
  for (const auto& [name, rows] : content(play)) by_epoch[std::stoi(name.substr(7))] = rows;
  std::string all;
  for (const auto& [epoch, rows] : by_epoch) all += rows;
  CHECK(all == expected);
}

TEST_SUITE_END();
