// Real events, and answers that were computed by other means: the plans that answer the same
// questions give them, however the events are spread over partitions.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/bytes.h"
#include "gzip_lines.h"
#include "interpreter/evaluate.h"
#include "interpreter/interpreter.h"
#include "plan/json_path.h"
#include "record/partitioner.h"

TEST_SUITE_BEGIN("interpreter");

using namespace leat;
using namespace leat::interpreter;
using leat::plan::Type;

namespace {

using Lines = std::vector<std::string>;

plan::Plan read_plan(const std::string& name) {
  std::ifstream in(repository_path("tests/plans/" + name + ".plan.json"));
  std::stringstream text;
  text << in.rdbuf();
  auto plan = plan::parse(text.str());
  REQUIRE_MESSAGE(plan.has_value(), name, ": ", plan.error().what);
  return *plan;
}

/// A file's lines as records, of which those with the same `key` field are in the same partition.
Log log_of(const Lines& lines, std::size_t partitions, const std::string& key) {
  Log log;
  log.topic = "events";
  log.partitions.resize(partitions);
  for (const auto& line : lines) {
    auto json = plan::parse_json(line, plan::RepeatedNames::refuse);
    REQUIRE(json.has_value());
    const plan::Json* found = plan::find(*json, {key});
    REQUIRE(found != nullptr);
    Record record;
    record.value = line;
    const auto* text = std::get_if<std::string>(found);
    if (text != nullptr) record.key = *text;
    auto partition = record::partition_of_key(as_bytes(record.key.value_or("")),
                                              static_cast<std::int32_t>(partitions));
    log.partitions[static_cast<std::size_t>(partition.value())].push_back(std::move(record));
  }
  return log;
}

/// A row as the files of answers write it.
std::string csv_of(const Row& row, const plan::Schema& schema) {
  std::string line;
  for (std::size_t i = 0; i < row.values.size(); ++i) {
    if (i > 0) line += ',';
    std::string text;
    if (const auto* time = std::get_if<plan::Timestamp>(&row.values[i])) {
      column::append_timestamp(text, *time);
    } else if (const auto* real = std::get_if<double>(&row.values[i])) {
      text = fmt::format("{:.6f}", *real);
    } else if (!row.values[i].is_null()) {
      text = std::get<std::string>(cast(row.values[i], schema[i].type, Type{}));
    }
    if (text.find_first_of(",\"\n") != text.npos) {
      std::string quoted;
      for (char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
      text = '"' + quoted + '"';
    }
    line += text;
  }
  return line;
}

Lines fields_of(const std::string& line) {
  Lines fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, ',');) fields.push_back(field);
  return fields;
}

/// The same, but for what rounding to six digits leaves open.
bool same_line(const std::string& a, const std::string& b) {
  if (a == b) return true;
  Lines left = fields_of(a), right = fields_of(b);
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i] == right[i]) continue;
    if (left[i].find('.') == left[i].npos || left[i].find(':') != left[i].npos) return false;
    double x = std::stod(left[i]), y = std::stod(right[i]);
    if (std::abs(x - y) > 1e-6 + 1e-9 * std::abs(x)) return false;
  }
  return true;
}

void check_lines(Lines given, Lines expected) {
  std::sort(given.begin(), given.end());
  std::sort(expected.begin(), expected.end());
  REQUIRE(given.size() == expected.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    bool same = same_line(given[i], expected[i]);
    REQUIRE_MESSAGE(same, given[i], " instead of ", expected[i]);
  }
}

/// The answer's lines; a whole second is written with its milliseconds in some of them.
Lines answer_of(const std::string& file) {
  Lines lines = data_lines(file);
  lines.erase(lines.begin());
  const std::string with_ms = ".000Z";
  for (auto& line : lines) {
    for (std::size_t at; (at = line.find(with_ms)) != line.npos;) line.erase(at, 4);
  }
  return lines;
}

/// The rows of the sink "out".
Lines answer(const plan::Plan& plan, const Run& run) {
  auto bound = plan::bind(plan);
  REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
  auto outcome = interpret(*bound, run);
  REQUIRE_MESSAGE(outcome.has_value(), outcome.error().what);
  CHECK(outcome->late.empty());
  Lines lines;
  for (const auto& row : outcome->sinks.at("out")) {
    lines.push_back(csv_of(row, bound->nodes.back().schema));
  }
  return lines;
}

void check_answer(const std::string& name, const std::string& source, const std::string& events,
                  const std::string& key, const std::string& expected) {
  plan::Plan plan = read_plan(name);
  Lines lines = data_lines(events);
  for (std::size_t partitions : {1, 2, 4}) {
    CAPTURE(partitions);
    check_lines(answer(plan, {{{source, log_of(lines, partitions, key)}}, 0}), answer_of(expected));
  }
}

}  // namespace

TEST_CASE("edits and characters added per channel, in windows of five minutes") {
  check_answer("wikipedia-tumble-5m", "edits", "wikipedia-edits.jsonl.gz", "channel",
               "wikipedia-tumble-5m.csv");
}

TEST_CASE("edits and characters added per channel, in sessions a minute apart") {
  check_answer("wikipedia-session-1m", "edits", "wikipedia-edits.jsonl.gz", "channel",
               "wikipedia-session-1m.csv.gz");
}

TEST_CASE("edits by users who made more than five in five minutes") {
  check_answer("wikipedia-velocity-5m", "edits", "wikipedia-edits.jsonl.gz", "user",
               "wikipedia-velocity-5m.csv.gz");
}

TEST_CASE("revenue of a shop, in windows of five minutes") {
  check_answer("retail-revenue-5m", "lines", "retail-orders.jsonl.gz", "invoice",
               "retail-revenue-5m.csv.gz");
}

TEST_CASE("a shop's day by country, of lines that may come twice") {
  plan::Plan plan = read_plan("retail-daily");
  Lines lines = data_lines("retail-orders.jsonl.gz");
  Log customers = log_of(data_lines("retail-customers.jsonl.gz"), 1, "country");
  for (std::size_t partitions : {1, 2, 4}) {
    CAPTURE(partitions);
    Run run{{{"lines", log_of(lines, partitions, "invoice")}, {"customers", customers}}, 0};
    Lines days = answer(plan, run);
    for (std::string day : {"2011-11-06", "2011-11-17", "2011-11-20"}) {
      Lines of_day;
      std::copy_if(days.begin(), days.end(), std::back_inserter(of_day),
                   [&](const std::string& line) { return line.starts_with(day); });
      check_lines(of_day, answer_of("retail-daily-" + day + ".csv"));
    }
  }
}

TEST_SUITE_END();
