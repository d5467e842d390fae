// The builder: which plans it makes, and what it says of those that make no sense.
#include <chrono>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "leat/stream.h"
#include "plan/functions.h"
#include "plan/plan.h"
#include "repository.h"

TEST_SUITE_BEGIN("flow");

namespace leat::flow {
namespace {

using namespace std::chrono_literals;

std::string file_hash(const std::string& name) {
  std::ifstream in(repository_path("tests/plans/" + name + ".plan.json"));
  std::string text(std::istreambuf_iterator<char>(in), {});
  auto plan = plan::parse(text);
  REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
  return plan::hash(*plan);
}

/// The plan is what the file of its name holds, and stays so written and read.
void check_same(const Pipeline& pipeline, const std::string& name) {
  CHECK(pipeline.hash() == file_hash(name));
  auto again = plan::parse(pipeline.plan());
  REQUIRE(again.has_value());
  CHECK(plan::hash(*again) == pipeline.hash());
}

/// What is wrong with a pipeline.
std::string complaint(const Pipeline& pipeline) {
  try {
    pipeline.check();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

const std::vector<Column> edits{
    {"time", Type::timestamp}, {"channel", Type::text}, {"added", Type::bigint}};

struct Line {
  Timestamp ts;
  std::string invoice;
  std::string stock_code;
  std::int64_t quantity = 0;
  Decimal<10, 2> unit_price;
  std::int64_t customer_id = 0;

  static void columns(auto& self, auto& visit) {
    visit("ts", self.ts);
    visit("invoice", self.invoice);
    visit("stock_code", self.stock_code);
    visit("quantity", self.quantity);
    visit("unit_price", self.unit_price);
    visit("customer_id", self.customer_id);
  }
};

Expression revenue() {
  return col("quantity") * col("unit_price");
}

Stream placed(const Stream& lines) {
  return lines.named("lines")
      .key_by("invoice", "stock_code")
      .dedup({.emit = Emission::at_once})
      .named("once")
      .filter(!starts_with(col("invoice"), "C") && revenue() > 0)
      .named("placed");
}

// Calls of all functions, of the columns b, i, d, t, x and l.
std::vector<Expression> of_any_type() {
  Expression i = col("i"), d = col("d"), b = col("b");
  return {i + 1,
          i - 1,
          i * 2,
          i / 2,
          i % 2,
          -i,
          abs(i),
          ceil(d),
          floor(d),
          round(d),
          round(d, 2),
          trunc(d),
          trunc(i, -2),
          sign(i),
          sqrt(d),
          power(d, 2),
          exp(d),
          ln(d),
          log(d),
          log(2, d),
          to_char(i, "FM999,990"),
          to_char(d, "S9.99"),
          sin(d),
          cos(d),
          tan(d),
          asin(d),
          acos(d),
          atan(d),
          atan2(d, d),
          degrees(d),
          radians(d),
          pi(),
          width_bucket(d, 0.0, 10.0, 5),
          i == 1,
          i != 1,
          i<1, i <= 1, i> 1,
          i >= 1,
          is_distinct_from(i, 1),
          between(i, 1, 2),
          in(i, {1, 2}),
          greatest({i, 1}),
          least({i, 1}),
          b && true && b,
          b || false,
          !b,
          is_null(i),
          coalesce({i, 0}),
          nullif(i, 0),
          when(b, 1).when(i > 2, 2).otherwise(3),
          cast(col("t"), decimal(10, 2)) * decimal("1.50"),
          null(Type::date)};
}
std::vector<Expression> of_texts() {
  Expression t = col("t");
  return {lower(t),
          upper(t),
          length(t),
          length(bytes("a")),
          substring(t, 1),
          substring(t, 1, 2),
          position(t, "a"),
          replace(t, "a", "b"),
          trim(t),
          trim(t, "x"),
          ltrim(t),
          ltrim(t, "x"),
          rtrim(t),
          rtrim(t, "x"),
          split_part(t, ",", 1),
          append(t, "a"),
          concat({t, "a"}),
          left(t, 1),
          right(t, 1),
          lpad(t, 5),
          lpad(t, 5, "0"),
          rpad(t, 5),
          rpad(t, 5, "0"),
          repeat(t, 2),
          reverse(t),
          translate(t, "ab", "c"),
          initcap(t),
          concat_ws(",", {t, t}),
          ascii(t),
          chr(65),
          octet_length(t),
          octet_length(bytes("a")),
          md5(t),
          sha224(t),
          sha256(t),
          encode(sha384(convert_to(t)), "hex"),
          sha512(t),
          to_number(t, "999,990.00"),
          encode(convert_to(t), "hex"),
          convert_from(decode(t, "base64")),
          starts_with(t, "a"),
          like(t, "a%"),
          ilike(t, "a%"),
          regexp_like(t, "a+"),
          regexp_extract(t, "a+"),
          regexp_match(t, "(a)(b)"),
          regexp_replace(t, "a+", "b"),
          regexp_replace(t, "a+", "b", "gi"),
          json_value(t, "$.a")};
}
std::vector<Expression> of_times_and_arrays() {
  Expression x = col("x"), l = col("l");
  return {date_trunc("hour", x),
          date_bin(5min, x, x),
          extract("hour", x),
          extract("second", x),
          date_part("hour", x),
          to_char(x, "YYYY-MM-DD"),
          to_timestamp(col("d")),
          to_timestamp(col("t"), "YYYY-MM-DD"),
          to_date(col("t"), "YYYYMMDD"),
          make_date(2026, 3, 2),
          make_timestamp(2026, 3, 2, 9, 5, 7.25),
          make_interval(1, 2, 3, 4, 5, 6, 7.5),
          make_interval(1),
          age(x, x),
          justify_hours(x - x),
          justify_days(age(x, x)),
          justify_interval(x - x),
          now(),
          x + 5min,
          x - std::chrono::days(1),
          array({x, x + 5min}),
          string_to_array(col("t"), ","),
          array_to_string(l, ","),
          array_remove(l, "a"),
          cardinality(l),
          element(l, 1)};
}

}  // namespace

TEST_CASE("the builder makes the plans over the edits of Wikipedia as their files have them") {
  Pipeline tumble("wikipedia-tumble-5m");
  tumble.from("edits", edits, {.event_time = "time"})
      .key_by("channel")
      .window(tumbling(5min))
      .aggregate({count().as("edits"), sum(col("added")).as("added")})
      .named("per_channel")
      .to("edits-per-channel", {.keys = {"channel"}})
      .named("out");
  check_same(tumble, "wikipedia-tumble-5m");

  Pipeline sessions("wikipedia-session-1m");
  sessions.from("edits", edits, {.event_time = "time"})
      .key_by("channel")
      .window(session(1min))
      .aggregate({count().as("edits"), sum(col("added")).as("added")})
      .named("sessions")
      .to("sessions-per-channel", {.keys = {"channel"}})
      .named("out");
  check_same(sessions, "wikipedia-session-1m");

  Pipeline velocity("wikipedia-velocity-5m");
  velocity
      .from("edits", {{"time", Type::timestamp}, {"user", Type::text}, {"page", Type::text}},
            {.event_time = "time"})
      .key_by("user")
      .over({.range = 5min}, {count().as("edits_in_window")})
      .named("counted")
      .filter(col("edits_in_window") > 5)
      .named("many")
      .to("busy-users", {.keys = {"user"}})
      .named("out");
  check_same(velocity, "wikipedia-velocity-5m");
}

TEST_CASE("the builder makes the plans over the retailer's orders as their files have them") {
  Pipeline daily("retail-daily");
  Stream lines = placed(daily.from<Line>("orders", {.event_time = "ts"}));
  Stream customers =
      daily
          .from_file("retail-customers.jsonl",
                     {{"customer_id", Type::bigint}, {"country", Type::text}}, {.upsert = true})
          .named("customers");
  lines.join_table(customers, {"customer_id"}, {.how = JoinOptions::How::left})
      .named("with_country")
      .key_by("country")
      .window(tumbling(std::chrono::days(1)))
      .aggregate({count().as("total_orders"), sum(revenue()).as("total_revenue"),
                  avg(revenue()).as("avg_order_value"),
                  count_distinct(col("customer_id")).as("unique_customers")})
      .named("per_day")
      .map({cast(col("window_start"), Type::date).as("order_date"),
            coalesce({col("country"), ""}).as("country"), col("total_orders"), col("total_revenue"),
            col("avg_order_value"), col("unique_customers")})
      .named("summary")
      .to_files("daily", {.format = RowFormat::csv, .partition_by = {"order_date"}})
      .named("out");
  check_same(daily, "retail-daily");

  Pipeline of_5_minutes("retail-revenue-5m");
  std::vector<Column> columns = columns_of<Line>();
  columns[4].type = Type::double_precision;
  placed(of_5_minutes.from("orders", columns, {.event_time = "ts"}))
      .window(tumbling(5min))
      .aggregate({count().as("orders"), sum(revenue()).as("revenue")})
      .named("revenue")
      .to("revenue")
      .named("out");
  check_same(of_5_minutes, "retail-revenue-5m");
}

TEST_CASE("every function of expressions has a C++ name, and every aggregate too") {
  Pipeline pipeline("all");
  std::vector<Column> columns{{"b", Type::boolean},          {"i", Type::bigint},
                              {"d", Type::double_precision}, {"t", Type::text},
                              {"x", Type::timestamp},        {"l", array_of(Type::text)}};
  std::vector<Named> named;
  for (const auto& part : {of_any_type(), of_texts(), of_times_and_arrays()}) {
    for (const Expression& expression : part) {
      named.push_back(expression.as("c" + std::to_string(named.size())));
    }
  }
  Stream rows = pipeline.from("in", columns, {.event_time = "x"});
  rows.map(named).to_console();
  Expression i = col("i"), t = col("t");
  rows.window(tumbling(1min))
      .aggregate({count().as("a"),
                  count(i).as("b"),
                  count_distinct(i),
                  approx_count_distinct(i),
                  sum(i),
                  min(i),
                  max(i),
                  avg(i).where(col("b")),
                  min_by(t, i),
                  max_by(t, i),
                  bool_and(col("b")),
                  bool_or(col("b")),
                  var_pop(i),
                  var_samp(i),
                  stddev_pop(i),
                  stddev_samp(i),
                  first(i),
                  last(i),
                  percentile(col("d"), 0.5),
                  top_n(t, 3, i),
                  array_agg(t),
                  string_agg(t, ",")})
      .to_console();
  std::string plan = pipeline.plan();
  for (const auto& function : plan::functions()) {
    std::string call = "\"call\":\"" + std::string(function.name) + "\"";
    CHECK_MESSAGE(plan.find(call) != plan.npos, function.name);
  }
  for (const auto& aggregate : plan::aggregates()) {
    std::string call = "\"function\":\"" + std::string(aggregate.name) + "\"";
    CHECK_MESSAGE(plan.find(call) != plan.npos, aggregate.name);
  }
}

TEST_CASE("literals of C++ are the plan's, of the type that one expects") {
  auto literal = [](Expression value) {
    Pipeline pipeline("p");
    pipeline.from("in", edits).map({value.as("v")}).to_console();
    std::string plan = pipeline.plan();
    std::size_t begin = plan.find("\"expression\":") + 13;
    return plan.substr(begin, plan.find(",\"name\":\"v\"") - begin);
  };
  CHECK(literal(true) == R"({"boolean":true})");
  CHECK(literal(7) == R"({"bigint":7})");
  CHECK(literal(7u) == R"({"bigint":7})");
  CHECK(literal(-0.0) == R"({"double":0})");
  CHECK(literal("a") == R"({"text":"a"})");
  CHECK(literal(std::string("a")) == R"({"text":"a"})");
  CHECK(literal(bytes("\xff")) == R"({"bytes":"ff"})");
  CHECK(literal(decimal("1.50")) == R"({"decimal":"1.50"})");
  CHECK(literal(Decimal<10, 2>("-1.5")) == R"({"decimal":"-1.50"})");
  CHECK(literal(Timestamp(1s)) == R"({"timestamp":"1970-01-01T00:00:01Z"})");
  using namespace std::chrono;
  CHECK(literal(2015y / September / 12) == R"({"date":"2015-09-12"})");
  CHECK(literal(90min) == R"({"interval":{"ms":5400000}})");
  CHECK(literal(weeks(2)) == R"({"interval":{"days":14}})");
  CHECK(literal(years(1)) == R"({"interval":{"months":12}})");
  CHECK(literal(Interval{1, 2, 3ms}) == R"({"interval":{"days":2,"months":1,"ms":3}})");
  CHECK(literal(null(array_of(Type::text))) == R"({"null":"text[]"})");
  CHECK_THROWS_WITH_AS(Expression(1.0 / 0.0), "a literal double must be finite", Error);
  CHECK_THROWS_AS(Expression(Timestamp(Timestamp::duration::max())), Error);
  CHECK_THROWS_WITH_AS((Decimal<4, 2>("123.4")), "'123.4' is no decimal(4,2)", Error);
  CHECK_THROWS_AS((Decimal<4, 2>("1.234")), Error);
  CHECK(Decimal<4, 2>("-99.9").text() == "-99.90");
  CHECK(Decimal<38, 0>("0").value() == 0);
}

TEST_CASE("every node with all that it can be told becomes one that a plan can hold") {
  Pipeline pipeline("all");
  pipeline.bad_rows(BadRows::dead_letters("bad"));
  Stream left =
      pipeline.from("l",
                    {{"id", Type::text, Column::From::key},
                     {"h", Type::text, Column::From::header, "", "trace"},
                     {"time", Type::timestamp, Column::From::timestamp},
                     {"tags", array_of(Type::text), Column::From::value, "$.a.tags"}},
                    {.disorder = 2s, .ahead_max = 1h, .idle = 5s, .bad_records = BadRows::skip()});
  Stream table = pipeline.from("c", {{"id", Type::text, Column::From::key}, {"n", Type::bigint}},
                               {.upsert = true});
  left.merge({left.filter(true)})
      .rekey({"id"})
      .to("union", {.partitions = 3, .format = RowFormat::csv});
  left.unnest("tags", "tag", "i").to_console(RowFormat::csv);
  left.join(left.map({col("id"), col("time").as("t")}), {"id"}, Within{-5min, 5min},
            {.late_topic = "late"})
      .to_console();
  left.join(left.map({col("id").as("other"), col("time").as("t")}), {{"id", "other"}},
            tumbling(1h, 5min), {.how = JoinOptions::How::left})
      .to_console();
  left.join_as_of(table, {"id"}, {.how = JoinOptions::How::semi}).to_console();
  Keyed keyed = left.key_by("id");
  keyed.window(hopping({.size = 1h, .slide = 5min}))
      .aggregate({count()}, {.emit = WindowOptions::Emit::every, .every = 30s, .lateness = 1min})
      .to("w", {.keys = {"window_start", "id"}, .changes = TopicOptions::Changes::all});
  keyed.window(cumulate({.size = 1h, .step = 5min})).aggregate({count()}).to_console();
  keyed.over({.rows = 10}, {count()}, {.emit = Emission::at_once, .late_topic = "late"})
      .to_console();
  keyed.top(3, {descending("time"), ascending("h")}, {.rank = "rank", .emit = Emission::watermark})
      .to_console();
  keyed.dedup({.keep = DedupOptions::Keep::last, .horizon = 1h}).to_console();
  left.top(1, {ascending("time")}, {.ties = true}).to_console();
  left.over({}, {count()}).to_console();
  std::string text = pipeline.plan();
  auto plan = plan::parse(text);
  REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
  CHECK(plan::print(*plan) == text);
  std::set<std::string_view> types;
  for (const auto& node : plan->nodes) types.insert(plan::type_of(node));
  CHECK(types.size() == plan::node_types);
  for (const char* part :
       {R"("bad_rows":{"policy":"dead_letter","topic":"bad"})",
        R"("bad_records":{"policy":"skip"})", R"("from":"header","header":"trace")",
        R"("path":"$.a.tags")", R"("kind":"as_of")", R"("how":"semi")",
        R"("kind":"cumulate","size_ms":3600000,"step_ms":300000)",
        R"("emit":"every","every_ms":30000)", R"("changes":"all")", R"("keep":"last")",
        R"("lower_ms":-300000)", R"("name":"sink-2")", R"("name":"l")"}) {
    CHECK_MESSAGE(text.find(part) != text.npos, part);
  }
}

TEST_CASE("what makes no sense is refused when the pipeline is built, with its place") {
  Pipeline typo("p");
  typo.from("edits", edits, {.event_time = "time"})
      .window(tumbling(1min))
      .aggregate({count(), sum(col("addded"))})
      .named("sums")
      .to_console();
  CHECK(complaint(typo) ==
        "nodes[1] 'sums' aggregates[1].argument: column 'addded' is not there; there are: time, "
        "channel, added");

  Pipeline unread("p");
  unread.from("edits", edits).to_console();
  unread.from("edits", edits);
  CHECK(complaint(unread) == "nodes[2] 'edits-2': no node takes what it gives");

  Pipeline mixed("p");
  Stream own = mixed.from("edits", edits);
  own.join(unread.from("edits", edits), {"channel"}, tumbling(1min)).to_console();
  CHECK(complaint(mixed) ==
        "a stream of the pipeline 'p' is used in 'p': a pipeline has its own sources");

  Pipeline text("p");
  text.from("edits", edits).filter(col("channel") == "\xff").to_console();
  CHECK_THROWS_AS(text.plan(), Error);

  CHECK_THROWS_WITH_AS(own.map({col("added") + 1}),
                       "a column that is computed needs a name: .as(\"...\")", Error);
  CHECK_THROWS_WITH_AS(mixed.from("x", {{"a", decimal(39, 2)}}), "there is no type decimal(39,2)",
                       Error);
}

}  // namespace leat::flow

TEST_SUITE_END();
