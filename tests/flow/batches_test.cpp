// Functions of the program that see many rows at once.
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "leat/stream.h"

TEST_SUITE_BEGIN("flow");

namespace leat::flow {
namespace {

using namespace std::chrono_literals;

struct Payment {
  std::string user;
  std::optional<double> amount;
  std::optional<Decimal<9, 2>> fee;
  Timestamp time;

  static void columns(auto& self, auto& visit) {
    visit("user", self.user);
    visit("amount", self.amount);
    visit("fee", self.fee);
    visit("time", self.time);
  }
  bool operator==(const Payment&) const = default;
};

struct Running {
  std::string user;
  double total = 0;
  std::int64_t number = 0;

  static void columns(auto& self, auto& visit) {
    visit("user", self.user);
    visit("total", self.total);
    visit("number", self.number);
  }
  bool operator==(const Running&) const = default;
};

/// What is kept by user, in bytes of its own.
struct Totals {
  std::map<std::string, double, std::less<>> by_user;

  void write(std::string& out) const {
    for (const auto& [user, total] : by_user) {
      detail::write_state(out, user);
      detail::write_state(out, total);
    }
  }
  bool read(std::string_view in) {
    by_user.clear();
    while (!in.empty()) {
      std::string user;
      if (!detail::read_state(in, user) || !detail::read_state(in, by_user[user])) return false;
    }
    return true;
  }
  std::size_t bytes() const { return by_user.size() * 100; }
};

Timestamp at(std::int64_t ms) {
  return Timestamp(std::chrono::milliseconds(ms));
}

/// A pipeline of one function over "payments", into "out".
template <class Function>
Pipeline& fill(Pipeline& pipeline, Function function, bool keyed) {
  pipeline.bad_rows(BadRows::dead_letters("dead"));
  auto payments = pipeline.from<Payment>("payments", {.event_time = "time", .disorder = 10ms});
  auto made = keyed ? payments.key_by("user").process_batches(function, {.late_topic = "late"})
                    : payments.process_batches(function, {.late_topic = "late"});
  made.to("out");
  return pipeline;
}

struct Trial {
  template <class Function>
  explicit Trial(Function function, bool keyed = true) : test(fill(pipeline, function, keyed)) {}
  Pipeline pipeline{"p"};
  PipelineTest test;
};

void add_up(const Batch<Payment>& batch, Totals& totals, BatchOutput<Running>& out) {
  auto users = batch.values<std::string_view>("user");
  auto amounts = batch.values<double>("amount");
  auto missing = batch.nulls("amount");
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (missing[i] != 0) continue;
    double& total = totals.by_user[std::string(users[i])];
    total += amounts[i];
    if (amounts[i] >= 10) out.emit(i, {std::string(users[i]), total, 1});
    if (amounts[i] >= 20) out.emit(i, {std::string(users[i]), total, 2});
  }
}

}  // namespace

TEST_CASE("a function gets batches in the order of time, and gives rows of their times") {
  for (bool restarts : {false, true}) {
    Trial trial([](const Batch<Payment>& batch, Totals& totals, BatchOutput<Running>& out) {
      add_up(batch, totals, out);
    });
    PipelineTest& test = trial.test;
    test.push("payments", Payment{"ann", 4, {}, at(1'000)});
    test.push("payments", Payment{"bob", 30, {}, at(1'005)});
    test.push("payments", Payment{"ann", 11, {}, at(1'002)});
    if (restarts) test.restart();
    CHECK(test.take<Running>("out").empty());
    test.push("payments", Payment{"ann", {}, {}, at(1'020)});
    test.push("payments", Payment{"ann", 1, {}, at(900)});
    if (restarts) test.restart();
    test.push("payments", Payment{"ann", 10, {}, at(1'021)});
    test.finish();
    auto records = test.take_records("out");
    REQUIRE(records.size() == 4);
    CHECK(records[0].timestamp == at(1'002));
    CHECK(records[2].timestamp == at(1'005));
    CHECK(records[0].value == R"({"user":"ann","total":15,"number":1})");
    CHECK(records[1].value == R"({"user":"bob","total":30,"number":1})");
    CHECK(records[2].value == R"({"user":"bob","total":30,"number":2})");
    CHECK(records[3].value == R"({"user":"ann","total":25,"number":1})");
    CHECK(test.take_records("late").size() == 1);
  }
}

TEST_CASE("columns are spans of what is in memory, and rows are there as structs") {
  std::vector<Payment> seen;
  std::vector<std::int64_t> times;
  std::vector<DecimalUnits> fees;
  Trial trial(
      [&](const Batch<Payment>& batch, BatchOutput<Running>& out) {
        CHECK_THROWS_AS(batch.values<std::int64_t>("amount"), Error);
        CHECK_THROWS_AS(batch.values<double>("amuont"), Error);
        for (std::size_t i = 0; i < batch.size(); ++i) {
          seen.push_back(batch.row(i));
          times.push_back(batch.times_ms()[i]);
          CHECK(batch.values<std::int64_t>("time")[i] == times.back());
          if (batch.nulls("fee")[i] == 0) fees.push_back(batch.values<DecimalUnits>("fee")[i]);
        }
        if (batch.size() > 0) out.reject(batch.size() - 1, "it is the last one");
      },
      false);
  PipelineTest& test = trial.test;
  const std::vector<Payment> payments{{"ann", 1.5, Decimal<9, 2>::of_units(250), at(1'000)},
                                      {"bob", {}, {}, at(1'001)}};
  for (const auto& payment : payments) test.push("payments", payment);
  test.finish();
  CHECK(seen == payments);
  CHECK(times == std::vector<std::int64_t>{1'000, 1'001});
  CHECK(fees == std::vector<DecimalUnits>{250});
  auto dead = test.take_records("dead");
  REQUIRE(dead.size() == 1);
  CHECK(dead[0].value->find("\"user\":\"bob\"") != std::string::npos);
  CHECK(test.bad() == 1);
}

TEST_CASE("a batch is no larger than a chunk, and what follows from rows alone does not show it") {
  constexpr int rows = 10'000;
  std::size_t largest = 0, batches = 0;
  Trial trial(
      [&](const Batch<Payment>& batch, Totals& totals, BatchOutput<Running>& out) {
        largest = std::max(largest, batch.size());
        ++batches;
        out.reject(0, "it is the first one");
        for (std::size_t i = 0; i < batch.size(); ++i) {
          double total = ++totals.by_user["all"];
          out.emit(i, {"all", total, batch.times_ms()[i]});
        }
      },
      false);
  PipelineTest& test = trial.test;
  for (int i = 0; i < rows; ++i) test.push("payments", Payment{"u", 1, {}, at(i ^ 3)});
  test.finish();
  CHECK(largest <= 4'096);
  CHECK(batches > 1);
  CHECK(test.bad() == batches);
  auto given = test.take<Running>("out");
  REQUIRE(given.size() == rows);
  for (int i = 0; i < rows; ++i) {
    REQUIRE(given[static_cast<std::size_t>(i)].number == i);
    REQUIRE(given[static_cast<std::size_t>(i)].total == i + 1);
  }
}

TEST_CASE("a function that throws, or gives rows out of their order, ends the run") {
  auto fails = [](auto function) {
    Trial trial(function);
    PipelineTest& test = trial.test;
    try {
      test.push("payments", Payment{"ann", 1, {}, at(1'000)});
      test.push("payments", Payment{"ann", 1, {}, at(1'001)});
      test.finish();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(fails([](const Batch<Payment>&, BatchOutput<Running>&) {
          throw std::runtime_error("no");
        }).find("a function of batches threw: no") != std::string::npos);
  CHECK(fails([](const Batch<Payment>& batch, BatchOutput<Running>& out) {
          if (batch.size() == 0) return;
          out.emit(batch.size() - 1, {});
          out.emit(0, {});
          out.emit(batch.size(), {});
        }).find("which is not there or before the last one") != std::string::npos);
}

}  // namespace leat::flow

TEST_SUITE_END();
