// Functions of the program at work: what they are given, in which order, and what they keep.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "leat/stream.h"
#include "plan/used_columns.h"
#include "process_trial.h"

TEST_SUITE_BEGIN("flow");

namespace leat::flow {
namespace {

using namespace std::chrono_literals;

struct Event {
  std::string user;
  std::optional<double> amount;
  Timestamp time;

  static void columns(auto& self, auto& visit) {
    visit("user", self.user);
    visit("amount", self.amount);
    visit("time", self.time);
  }
};

struct Said {
  std::string what;
  std::vector<std::optional<std::int64_t>> numbers = {};

  static void columns(auto& self, auto& visit) {
    visit("what", self.what);
    visit("numbers", self.numbers);
  }
};

struct Seen {
  std::int64_t rows = 0;
  std::string last;
  static void columns(auto& self, auto& visit) {
    visit("rows", self.rows);
    visit("last", self.last);
  }
};

Timestamp at(std::int64_t ms) {
  return Timestamp(std::chrono::milliseconds(ms));
}

/// A row of that event's time.
struct GivenEvent : Given<Event> {
  GivenEvent(Event event, std::int32_t of_partition, std::int64_t at_offset,
             operators::Watermark carried = operators::watermark_min)
      : Given<Event>{event, event.time, of_partition, at_offset, carried} {}
};

/// A function between events and what is said of them.
class SaidTrial {
 public:
  explicit SaidTrial(const Pipeline& pipeline) : trial(pipeline) {}
  void give(const std::vector<GivenEvent>& rows) {
    trial.give(std::vector<Given<Event>>(rows.begin(), rows.end()));
  }
  /// "time what numbers", as they came.
  std::vector<std::string> take() {
    std::vector<std::string> lines;
    for (const auto& [time, said] : trial.take()) {
      std::string& line = lines.emplace_back(std::to_string(time) + " " + said.what);
      for (const auto& number : said.numbers) {
        line += number ? " " + std::to_string(*number) : " NULL";
      }
    }
    return lines;
  }
  ProcessTrial<Event, Said> trial;
};

using Lines = std::vector<std::string>;

/// A source of events by user with that function behind it.
template <class... Functions>
SaidTrial trial(ProcessOptions options, Functions... functions) {
  Pipeline pipeline("p");
  pipeline.from<Event>("events", {.event_time = "time"})
      .key_by("user")
      .process(functions..., std::move(options))
      .to_console();
  return SaidTrial(pipeline);
}

struct Strict {
  double amount = 0;
  static void columns(auto& self, auto& visit) { visit("amount", self.amount); }
};

struct Inner {
  std::optional<Decimal<20, 3>> price;
  std::vector<bool> flags;
  static void columns(auto& self, auto& visit) {
    visit("price", self.price);
    visit("flags", self.flags);
  }
  bool operator==(const Inner&) const = default;
};

struct Everything {
  bool flag = false;
  double number = 0;
  std::optional<std::string> text;
  Bytes bytes;
  std::vector<Timestamp> times;
  std::chrono::sys_days day;
  std::chrono::year_month_day date;
  Interval interval;
  std::vector<Inner> inner;
  static void columns(auto& self, auto& visit) {
    visit("flag", self.flag);
    visit("number", self.number);
    visit("text", self.text);
    visit("bytes", self.bytes);
    visit("times", self.times);
    visit("day", self.day);
    visit("date", self.date);
    visit("interval", self.interval);
    visit("inner", self.inner);
  }
  bool operator==(const Everything&) const = default;
};

}  // namespace

TEST_CASE("a function sees rows in the order of time, whatever the order they came in") {
  auto count = [](const Event& event, Seen& seen, Context<Said>& context) {
    CHECK(context.time() == event.time);
    context.emit({event.user + " after '" + seen.last + "'", {++seen.rows, {}}});
    seen.last = std::to_string(static_cast<int>(event.amount.value_or(-1)));
  };
  SaidTrial of = trial({}, count);
  of.give({{{"a", 3, at(30)}, 0, 0}, {{"b", 9, at(5)}, 0, 1}});
  of.give({{{"a", 2, at(20)}, 1, 0}, {{"a", {}, at(30)}, 1, 1}});
  CHECK(of.take().empty());
  of.trial.advance(30);
  CHECK(of.take() == Lines{"5 b after '' 1 NULL", "20 a after '' 1 NULL"});
  of.trial.restart();
  of.give({{{"a", 4, at(30)}, 0, 2}});
  of.trial.restart();
  of.trial.advance(operators::watermark_max);
  CHECK(of.take() ==
        Lines{"30 a after '2' 2 NULL", "30 a after '3' 3 NULL", "30 a after '4' 4 NULL"});
  CHECK(of.trial.late == 0);
}

TEST_CASE("at once a function sees rows as they come, and none that is late") {
  SaidTrial of = trial({.emit = Emission::at_once},
                       [](const Event& event, Seen& seen, Context<Said>& context) {
                         context.emit({event.user, {++seen.rows}});
                       });
  of.trial.in_order = false;
  of.give({{{"a", 1, at(30)}, 0, 0}, {{"a", 1, at(20)}, 0, 1, 10}, {{"a", 1, at(20)}, 0, 2, 21}});
  CHECK(of.take() == Lines{"30 a 1", "20 a 2"});
  CHECK(of.trial.late == 1);
  of.trial.restart();
  of.give({{{"a", 1, at(40)}, 0, 3, 21}});
  CHECK(of.take() == Lines{"40 a 3"});
}

TEST_CASE("timers are called in the order of time and keys, behind the rows of their time") {
  auto on_row = [](const Event& event, Seen& seen, Context<Said>& context) {
    seen.last = event.user;
    context.set_timer(event.time + 10ms);
    context.set_timer(event.time + 10ms);  // once all the same
    if (++seen.rows == 2) context.cancel_timer(event.time - 5ms + 10ms);
    context.emit({"row of " + event.user});
  };
  auto on_timer = [](Seen& seen, Context<Said>& context) {
    context.emit({"timer of " + seen.last, {seen.rows}});
    if (seen.last == "b") context.set_timer(context.time());  // 1 ms later at the earliest
    if (context.time() > at(21)) context.forget();
  };
  SaidTrial of = trial({}, on_row, on_timer);
  of.give({{{"b", 1, at(10)}, 0, 0}, {{"a", 1, at(10)}, 0, 1}, {{"c", 1, at(20)}, 0, 2}});
  of.give({{{"c", 1, at(25)}, 0, 3}});
  of.trial.advance(20);
  CHECK(of.take() == Lines{"10 row of b", "10 row of a"});
  of.trial.restart();
  of.trial.advance(21);
  CHECK(of.take() == Lines{"20 row of c", "20 timer of a 1", "20 timer of b 1"});
  of.trial.restart();
  of.trial.advance(operators::watermark_max);
  CHECK(of.take() == Lines{"21 timer of b 1", "22 timer of b 1", "25 row of c", "35 timer of c 2"});
}

TEST_CASE("a timer for a time that has passed is called behind the row, also behind other timers") {
  auto on_row = [](const Event& event, Seen&, Context<Said>& context) {
    context.set_timer(event.time - 5ms);
    context.emit({"row of " + event.user});
  };
  SaidTrial of = trial({}, on_row, [](Seen&, Context<Said>& context) { context.emit({"timer"}); });
  of.give({{{"a", 1, at(10)}, 0, 0}, {{"b", 1, at(20)}, 0, 1}});
  of.trial.advance(21);
  CHECK(of.take() == Lines{"10 row of a", "10 timer", "20 row of b", "20 timer"});
}

TEST_CASE("a function sees the cells of each row, whichever rows came before and behind it") {
  auto tell = [](const Event& event, Context<Said>& context) {
    context.emit({event.user, {static_cast<std::int64_t>(*event.amount)}});
  };
  SaidTrial of = trial({}, tell);
  constexpr int chunks = 3, rows = 2'000;  // more than are kept in one place
  for (int chunk = 0; chunk < chunks; ++chunk) {
    std::vector<GivenEvent> events;
    for (int i = 0; i < rows; ++i) {
      int time = i * chunks + chunk;
      events.push_back({{std::to_string(time), static_cast<double>(time), at(time)}, chunk, i});
    }
    of.give(events);
  }
  of.trial.advance(operators::watermark_max);
  Lines lines = of.take();
  REQUIRE(lines.size() == chunks * rows);
  for (std::size_t time = 0; time < lines.size(); ++time) {
    REQUIRE(lines[time] == fmt::format("{0} {0} {0}", time));
  }
}

TEST_CASE("what is forgotten begins anew, and takes no memory") {
  SaidTrial of = trial({}, [](const Event& event, Seen& seen, Context<Said>& context) {
    seen.last.assign(1000, 'x');
    context.emit({event.user, {++seen.rows}});
    if (event.amount == 0.0) context.forget();
  });
  of.trial.advance(0);
  std::size_t before = of.trial.bytes();
  of.give({{{"a", 1, at(1)}, 0, 0}, {{"a", 1, at(2)}, 0, 1}});
  of.trial.advance(3);
  CHECK(of.trial.bytes() > before + 1000);
  of.trial.restart();
  CHECK(of.trial.bytes() > before + 1000);
  of.give({{{"a", 0, at(3)}, 0, 2}, {{"a", 1, at(4)}, 0, 3}, {{"a", 0, at(5)}, 0, 4}});
  of.trial.advance(6);
  CHECK(of.take() == Lines{"1 a 1", "2 a 2", "3 a 3", "4 a 1", "5 a 2"});
  CHECK(of.trial.bytes() < before + 1000 + 200'000);
}

TEST_CASE("a function that throws, or gives what no column holds, makes the row a bad one") {
  SaidTrial of = trial({}, [](const Event& event, Context<Said>& context) {
    context.emit({"kept"});
    if (event.user == "throws") throw std::runtime_error("no");
    if (event.user == "bytes") context.emit({"\xff"});
    if (event.user == "timer") context.set_timer(Timestamp::max());
    if (event.user == "alone") context.set_timer(at(9));
    context.emit({"all of " + event.user});
  });
  of.give({{{"throws", 1, at(1)}, 0, 0}, {{"bytes", 1, at(2)}, 0, 1}, {{"good", 1, at(3)}, 0, 2}});
  of.give({{{"timer", 1, at(4)}, 0, 3}, {{"alone", 1, at(5)}, 0, 4}});
  of.trial.advance(operators::watermark_max);
  CHECK(of.trial.rejected ==
        Lines{"throws: the function threw: no", "bytes: the function threw: a text must be UTF-8",
              "timer: the function threw: a timer must be before the year 9900",
              "alone: the function threw: a timer needs a second function, to be called for it"});
  CHECK(of.take() == Lines{"1 kept", "2 kept", "3 kept", "3 all of good", "4 kept", "5 kept"});
}

TEST_CASE("a timer that always sets the next one ends with the input") {
  SaidTrial of = trial(
      {}, [](const Event&, Seen&, Context<Said>& context) { context.set_timer(at(10)); },
      [](Seen&, Context<Said>& context) {
        context.emit({"beat"});
        context.set_timer(context.time() + std::chrono::milliseconds(10));
      });
  of.give({{{"a", 1, at(1)}, 0, 0}, {{"b", 1, at(25)}, 0, 1}});
  of.trial.advance(15);
  CHECK(of.take() == Lines{"10 beat"});
  // Behind the last row that of b is set for 25, and that of a for 30.
  of.trial.advance(operators::watermark_max);
  CHECK(of.take() == Lines{"20 beat", "25 beat", "30 beat"});
}

TEST_CASE("a NULL that has no place in the struct makes the row a bad one") {
  SaidTrial of = trial({}, [](const Strict& row, Context<Said>& context) {
    context.emit({std::to_string(static_cast<int>(row.amount))});
  });
  of.give({{{"a", 7, at(1)}, 0, 0}, {{"b", {}, at(2)}, 0, 1}});
  of.trial.advance(operators::watermark_max);
  CHECK(of.take() == Lines{"1 7"});
  CHECK(of.trial.rejected == Lines{"b: column 'amount' is NULL"});
}

TEST_CASE("one row may become more than a chunk holds") {
  SaidTrial of = trial({}, [](const Event&, Context<Said>& context) {
    for (std::int64_t i = 0; i < 10'000; ++i) context.emit({"x", {i}});
  });
  of.give({{{"a", 1, at(1)}, 0, 0}});
  of.trial.advance(operators::watermark_max);
  Lines all = of.take();
  REQUIRE(all.size() == 10'000);
  CHECK(all.back() == "1 x 9999");
}

TEST_CASE("all that a function keeps comes back from its bytes") {
  using namespace std::chrono;
  Everything all{true,
                 0.1,
                 "a",
                 {std::string("\0\xff", 2)},
                 {at(1), at(-2)},
                 sys_days(2020y / May / 1),
                 2020y / May / 2,
                 {1, 2, 3ms},
                 {{Decimal<20, 3>("-1.5"), {true, false}}, {}}};
  std::string bytes;
  detail::write_state(bytes, all);
  Everything read;
  std::string_view left = bytes;
  REQUIRE(detail::read_state(left, read));
  CHECK(left.empty());
  CHECK(read == all);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::string_view part = std::string_view(bytes).substr(0, size);
    CHECK_FALSE(detail::read_state(part, read));
  }
  std::string description;
  detail::describe_value<Everything>(description);
  CHECK(description ==
        "{flag boolean, number double, text text?, bytes bytes, times timestamp[], day date, date "
        "date, interval interval, inner {price decimal(20,3)?, flags boolean[]}[]}");
}

TEST_CASE("a function whose types do not fit its input is refused when the pipeline is built") {
  Pipeline pipeline("p");
  pipeline
      .from("events", {{"user", Type::text}, {"amount", Type::bigint}, {"time", Type::timestamp}})
      .key_by("user")
      .process([](const Event&, Context<Said>&) {}, {.name = "judge"})
      .to_console();
  CHECK_THROWS_WITH_AS(
      pipeline.check(),
      "nodes[1] 'judge' reads[1]: 'amount' is bigint here, and double in the function", Error);

  Pipeline timed("p");
  timed.from<Event>("events")
      .key_by("user")
      .process([](const Event&, Seen&, Context<Said>&) {}, [](Seen&, Context<Said>&) {},
               {.emit = Emission::at_once})
      .to_console();
  CHECK_THROWS_WITH_AS(timed.check(),
                       "nodes[1] 'process' emit: timers need the order of time: watermark", Error);

  Pipeline good("p");
  good.from<Event>("events")
      .key_by()
      .process([](const Event&, Context<Said>&) {}, {.name = "judge"})
      .to_console();
  good.check();
  CHECK_THROWS_WITH_AS(good.plan(),
                       "nodes[1] 'judge': is a function of this program, which no plan can hold: "
                       "run it embedded",
                       Error);
}

TEST_CASE("what a function does not read of its input need not be decoded") {
  Pipeline pipeline("p");
  std::vector<Column> columns = columns_of<Event>();
  columns.push_back({"key", Type::text});
  columns.push_back({"unread", Type::text});
  pipeline.from("events", columns, {.event_time = "time"})
      .key_by("key")
      .process([](const Strict&, Context<Said>&) {})
      .to_console();
  plan::Plan plan = detail::GraphAccess::graph_of(pipeline).finish();
  auto bound = plan::bind(plan);
  REQUIRE(bound.has_value());
  // user amount time key unread
  CHECK(plan::used_columns(*bound)[0] == std::vector<bool>{false, true, true, true, false});
}

}  // namespace leat::flow

TEST_SUITE_END();
