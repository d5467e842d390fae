// What a pipeline has rejected, given to it again.
#include <string>

#include <doctest/doctest.h>

#include "pipeline/dead_letters.h"
#include "pipeline/play.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

const std::string to_letters = R"("bad_records": {"policy": "dead_letter", "topic": "letters"},)";
const std::string rows_to_letters = R"("bad_rows": {"policy": "dead_letter", "topic": "letters"},)";

/// n is what n is divided by, of which there may be none.
std::string divided(const std::string& by) {
  return R"({"name": "x", "type": "project", "input": "in", "columns": [
            {"name": "n", "expression": {"call": "/", "arguments": [{"bigint": 60}, )" +
         by + R"(]}}]},)";
}
const std::string by_n = R"({"column": "n"})";
const std::string by_n_plus_1 = R"({"call": "+", "arguments": [{"column": "n"}, {"bigint": 1}]})";

/// What is given to the plan again, of all that there is now.
VersionRun::Options letters_of(Play& play, const plan::Plan& plan, std::uint32_t version) {
  auto options = play.options(plan);
  options.version = version;
  options.dead_letters = "letters";
  options.to.emplace();
  return options;
}

void live(Play& play, const plan::Plan& plan) {
  play.start(plan);
  play.pass(1s);
  REQUIRE(play.error() == "");
  play.drop();
}

std::string header_of(const stream::PlainRecord& record, const std::string& name) {
  std::string value = "-";
  for (const auto& [key, text] : record.headers) {
    if (key == name) value = text;
  }
  return value;
}

}  // namespace

TEST_CASE("records that could not be decoded are given to a plan that can, once over crashes") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Play play(seed);
    for (int i = 0; i < 40; ++i) {
      // The decoder wants "n": a number. A later plan takes "m" as well.
      bool is_bad = i % 4 == 0;
      play.produce_value(is_bad ? fmt::format(R"({{"t": {}, "k": "a", "n": "n{}"}})", i, i)
                                : fmt::format(R"({{"t": {}, "k": "a", "n": {}}})", i, i),
                         0, "in", i);
    }
    live(play, plan_of("", "", to_letters));
    REQUIRE(play.count() == 30);
    REQUIRE(play.count("letters") == 10);
    auto fixed = plan::parse(R"({"version": 1, "name": "p", "nodes": [
        {"name": "in", "type": "source", "topic": "in", "event_time": "t",
         "bad_records": {"policy": "dead_letter", "topic": "letters"},
         "columns": [{"name": "t", "type": "timestamp"}, {"name": "n", "type": "text"}]},
        {"name": "out", "type": "sink", "topic": "out", "input": "in"}]})");
    REQUIRE(fixed.has_value());
    auto options = letters_of(play, *fixed, 2);
    options.rows_per_s = 100;
    options.block_rows = 2;
    for (int lives = 0; lives < 30; ++lives) {
      play.start(options);
      play.pass(std::chrono::milliseconds(play.random.between(1, 60)));
      if (play.status().state == RunState::finished) break;
      play.crash(play.random.one_in(2));
    }
    play.start(options);
    play.pass(2s);
    CHECK(play.error() == "");
    CHECK(play.status().state == RunState::finished);
    CHECK(play.status().progress.percent == 100);
    auto values = play.values();
    REQUIRE(values.size() == 40);
    for (int i = 0; i < 10; ++i) {
      CHECK(values[static_cast<std::size_t>(30 + i)].find(fmt::format("\"n{}\"", 4 * i)) !=
            std::string::npos);
    }
  }
}

TEST_CASE(
    "what is rejected again is a letter of the next time, with its attempts and first place") {
  Play play;
  play.produce_value("what?", 0, "in", 5);
  auto plan = plan_of("", "", to_letters);
  live(play, plan);
  for (std::uint32_t version : {2, 3}) {
    auto options = letters_of(play, plan, version);
    if (version == 3) options.from = {{"in", PartitionId{0}, Offset{1}}};
    play.start(options);
    play.pass(1s);
    CHECK(play.error() == "");
    CHECK(play.status().state == RunState::finished);
    CHECK(play.status().bad == 1);
    play.drop();
  }
  auto letters = play.topics.records("letters", 0);
  REQUIRE(letters.size() == 3);
  std::vector<std::string> attempts;
  for (const auto& letter : letters) {
    attempts.push_back(header_of(letter, "leat.attempts"));
    CHECK(letter.value == "what?");
    CHECK(letter.timestamp_ms == 5);
    CHECK(header_of(letter, "leat.topic") == "in");
    CHECK(header_of(letter, "leat.offset") == "0");
    CHECK(header_of(letter, "leat.again") == "-");
  }
  CHECK(attempts == std::vector<std::string>{"-", "2", "3"});
  CHECK(letters[2].headers.size() == letters[0].headers.size() + 1);
}

TEST_CASE("a row without a result is given again as the record that it was read from") {
  Play play;
  for (int n : {3, 0, 5, 0, 12}) play.produce(100 + n, "a", n);
  live(play, plan_of(divided(by_n), rows_to_letters));
  CHECK(play.numbers() == "20 12 5");
  REQUIRE(play.count("letters") == 2);
  // Still wrong: it counts, and its place stays.
  play.start(letters_of(play, plan_of(divided(by_n), rows_to_letters), 2));
  play.pass(1s);
  CHECK(play.error() == "");
  auto letters = play.topics.records("letters", 0);
  REQUIRE(letters.size() == 4);
  CHECK(header_of(letters[2], "leat.attempts") == "2");
  CHECK(header_of(letters[2], "leat.offset") == "1");
  CHECK(header_of(letters[3], "leat.offset") == "3");
  auto options = letters_of(play, plan_of(divided(by_n_plus_1), rows_to_letters), 3);
  options.from = {{"in", PartitionId{0}, Offset{2}}};
  play.start(options);
  play.pass(1s);
  CHECK(play.error() == "");
  CHECK(play.numbers() == "20 12 5 60 60");
  CHECK(play.count("letters") == 4);
}

TEST_CASE("a row whose record is gone, and letters of others, are passed by") {
  Play play;
  for (int n : {0, 0, 5}) play.produce(100, "a", n);
  live(play, plan_of(divided(by_n), rows_to_letters));
  auto in = play.topics.find_topic("in");
  play.topics.trim({in->id, PartitionId{0}}, Offset{1});
  play.produce(7, "a", 7, 0, "letters");
  play.start(letters_of(play, plan_of(divided(by_n_plus_1), rows_to_letters), 2));
  play.pass(1s);
  CHECK(play.error() == "");
  CHECK(play.status().state == RunState::finished);
  CHECK(play.numbers() == "12 60");
}

TEST_CASE("a record of which something has come is not given again for one of its rows") {
  Play play;
  for (int n : {0, 5}) play.produce(100, "a", n);
  const std::string both = R"({"name": "all", "type": "sink", "topic": "all", "input": "in"},)";
  live(play, plan_of(divided(by_n), rows_to_letters, "", both));
  CHECK(play.count("all") == 2);
  play.start(letters_of(play, plan_of(divided(by_n_plus_1), rows_to_letters, "", both), 2));
  play.pass(1s);
  CHECK(play.error() == "");
  CHECK(play.count("all") == 2);
  CHECK(play.count() == 1);
}

TEST_CASE("plans that judge rows by others take no letters, and say what to do") {
  auto why = [](const plan::Plan& plan) {
    auto ok = check_takes_letters(plan, "p");
    return ok ? std::string() : ok.error().what;
  };
  CHECK(why(plan_of("", "", to_letters)) == "");
  CHECK(why(plan_of(divided(by_n), rows_to_letters)) == "");
  CHECK(why(plan_of(per_second)) ==
        "dead letters cannot be given to p by themselves: nodes[1] 'x' judges a row by others, in "
        "their order. The records are where they were: deploy a plan that takes them, and `leat "
        "pipeline replay p --promote` has it read them in their places");
  CHECK(why(plan_of("", R"("mode": {"type": "batch"},)")).starts_with("p is a batch, whose next"));
  CHECK(dead_letter_topics(plan_of("", rows_to_letters, to_letters)) ==
        std::vector<std::string>{"letters"});
}

TEST_SUITE_END();
