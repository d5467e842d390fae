// What the values of each kind have in them.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "column/timestamp.h"
#include "generate/catalog.h"
#include "generate/event_stream.h"
#include "generate/kinds.h"
#include "plan/json.h"

namespace leat::generate {
namespace {

using plan::Json;
using plan::JsonArray;
using plan::JsonNumber;
using plan::JsonObject;

const Kind& kind_named(std::string_view name) {
  return *std::find_if(kinds().begin(), kinds().end(),
                       [&](const Kind& kind) { return kind.name == name; });
}

/// An event and its value, read.
struct Row {
  Event event;
  JsonObject fields;
  const std::string& text(const char* name) const { return std::get<std::string>(fields.at(name)); }
  double number(const char* name) const {
    return std::stod(std::get<JsonNumber>(fields.at(name)).token);
  }
};

std::vector<Row> take(std::string_view kind, const Traits& traits, std::size_t count) {
  EventStream stream(kind_named(kind).make(traits), traits);
  std::vector<Row> rows;
  while (rows.size() < count) {
    const Event& event = *stream.next();
    auto json = plan::parse_json(event.value, plan::RepeatedNames::refuse);
    REQUIRE_MESSAGE(json.has_value(), event.value);
    rows.push_back({event, std::get<JsonObject>(*json)});
  }
  return rows;
}

Traits without_drift(std::string_view kind) {
  Traits traits = kind_named(kind).defaults;
  traits.drift = 0;
  return traits;
}

/// The names in an object, with a blank between them.
std::string names(const JsonObject& object) {
  std::string names;
  for (const auto& field : object) names += (names.empty() ? "" : " ") + field.first;
  return names;
}

std::int64_t time_in(const Row& row) {
  return column::parse_timestamp(row.text("timestamp"))->ms;
}

}  // namespace

TEST_SUITE_BEGIN("generate");

TEST_CASE("every value is a JSON object, whatever drifts") {
  for (const Kind& kind : kinds()) {
    Traits traits = kind.defaults;
    traits.drift = 1;
    traits.drift_as = Drift::any;
    traits.drift_after = 0;
    CHECK(take(kind.name, traits, 5000).size() == 5000);
  }
}

TEST_CASE("an order has the fields of an order") {
  std::map<std::string, int> statuses;
  int not_positive = 0;
  for (const Row& row : take("orders", without_drift("orders"), 20'000)) {
    REQUIRE(names(row.fields) ==
            "amount customer_id order_date order_id product_id quantity status timestamp");
    REQUIRE(row.event.key == row.text("customer_id"));
    REQUIRE(row.text("order_id") == "o" + std::to_string(row.event.number));
    REQUIRE(time_in(row) == row.event.time_ms);
    REQUIRE(row.text("timestamp").starts_with(row.text("order_date") + "T"));
    REQUIRE(row.number("quantity") >= 1);
    REQUIRE(row.number("quantity") <= 8);
    if (row.number("amount") <= 0) ++not_positive;
    ++statuses[row.text("status")];
  }
  CHECK(statuses.size() == 4);
  CHECK(statuses["cancelled"] > 800);
  CHECK(statuses["cancelled"] < 1200);
  CHECK(not_positive > 120);
  CHECK(not_positive < 280);
}

TEST_CASE("most orders are by known customers, all of known products") {
  Traits traits = without_drift("orders");
  traits.hot = 0;
  std::set<std::string> customers;
  std::set<std::string> products;
  Traits table = kind_named("customers").defaults;
  auto count = static_cast<std::size_t>(known_customers(table));
  CHECK(count == 980);
  for (const Row& row : take("customers", table, count)) {
    REQUIRE(names(row.fields) == "customer_id customer_name customer_segment");
    REQUIRE(row.event.key == row.text("customer_id"));
    REQUIRE(customers.insert(row.event.key).second);
  }
  for (const Row& row : take("products", table, product_count)) {
    REQUIRE(names(row.fields) == "category product_id product_name");
    REQUIRE(products.insert(row.event.key).second);
  }
  int unknown = 0;
  for (const Row& row : take("orders", traits, 20'000)) {
    if (!customers.contains(row.text("customer_id"))) ++unknown;
    REQUIRE(products.contains(row.text("product_id")));
  }
  CHECK(unknown > 320);
  CHECK(unknown < 480);
}

TEST_CASE("tables come again with some rows changed") {
  for (std::string kind : {"customers", "products"}) {
    CAPTURE(kind);
    Traits traits = kind_named(kind).defaults;
    auto rows = static_cast<std::size_t>(kind_named(kind).count(traits));
    auto taken = take(kind, traits, rows * 3);
    for (std::size_t i = 0; i < rows * 2; ++i)
      REQUIRE(taken[i].event.key == taken[i + rows].event.key);
    std::size_t changed = 0;
    for (std::size_t i = 0; i < rows; ++i)
      if (taken[i].event.value != taken[i + rows].event.value) ++changed;
    // A fifth is drawn anew, of which some are what they were.
    CHECK(changed > rows / 10);
    CHECK(changed < rows / 5);
  }
}

TEST_CASE("a transaction has the fields of a transaction, and some are fraud") {
  std::map<std::string, std::vector<std::int64_t>> times;
  int large = 0;
  int exact = 0;
  int often = 0;
  Traits traits = without_drift("transactions");
  traits.hot = 0;
  for (const Row& row : take("transactions", traits, 30'000)) {
    REQUIRE(names(row.fields) == "amount customer_id timestamp transaction_id");
    REQUIRE(row.event.key == row.text("customer_id"));
    REQUIRE(row.number("amount") >= 1);
    REQUIRE(time_in(row) == row.event.time_ms);
    if (row.number("amount") > 10'000) ++large;
    if (row.number("amount") == 10'000) ++exact;
    auto& mine = times[row.event.key];
    mine.push_back(row.event.time_ms);
    if (std::count_if(mine.begin(), mine.end(), [&](std::int64_t time_ms) {
          return time_ms <= row.event.time_ms && time_ms >= row.event.time_ms - 300'000;
        }) > 5)
      ++often;
  }
  CHECK(large > 15);
  CHECK(large < 80);
  CHECK(exact > 5);
  CHECK(often > 50);
  CHECK(often < 400);
}

TEST_CASE("a click has nested fields, and belongs to a session of one user") {
  std::map<std::string, std::vector<Row>> sessions;
  Traits traits = without_drift("clicks");
  traits.hot = 0;
  traits.idle_partitions = 0;
  for (Row& row : take("clicks", traits, 50'000)) {
    REQUIRE(names(row.fields) ==
            "click_id device duration_ms geo page referrer session_id shown timestamp user_id");
    REQUIRE(names(std::get<JsonObject>(row.fields.at("device"))) == "os type");
    REQUIRE(names(std::get<JsonObject>(row.fields.at("geo"))) == "city country");
    REQUIRE(std::get<JsonArray>(row.fields.at("shown")).size() <= 4);
    REQUIRE(row.event.key == row.text("user_id"));
    sessions[row.text("session_id")].push_back(std::move(row));
  }
  for (const auto& [session, rows] : sessions) {
    std::int64_t first_ms = rows.front().event.time_ms;
    for (const Row& row : rows) {
      REQUIRE(row.event.key == rows.front().event.key);
      // 12 clicks, one in 10 seconds, and who was late.
      REQUIRE(row.event.time_ms - first_ms < 140'000);
    }
  }
  double mean = 50'000.0 / static_cast<double>(sessions.size());
  CHECK(mean > 9);
  CHECK(mean < 13);
}

TEST_CASE("nexmark's events stand in the columns of Flink's table") {
  Traits traits = kind_named("nexmark").defaults;
  for (const Row& row : take("nexmark", traits, 5000)) {
    auto type = static_cast<int>(row.number("event_type"));
    const char* name = type == 0 ? "person" : type == 1 ? "auction" : "bid";
    REQUIRE(names(row.fields) == (type == 1   ? std::string("auction event_type")
                                  : type == 2 ? "bid event_type"
                                              : "event_type person"));
    const auto& fields = std::get<JsonObject>(row.fields.at(name));
    if (type == 0)
      REQUIRE(names(fields) == "city creditCard dateTime emailAddress extra id name state");
    else if (type == 1)
      REQUIRE(names(fields) ==
              "category dateTime description expires extra id initialBid itemName reserve seller");
    else
      REQUIRE(names(fields) == "auction bidder channel dateTime extra price url");
    REQUIRE(row.event.key == std::get<JsonNumber>(fields.at(type == 2 ? "auction" : "id")).token);
    auto time = column::parse_timestamp(std::get<std::string>(fields.at("dateTime")));
    REQUIRE(time->ms == row.event.time_ms);
  }
}

TEST_CASE("fields drift from the event on that was named, as often as asked for") {
  struct Case {
    const char* kind;
    const char* field;
    const char* renamed;
    const char* added;
  };
  for (const Case& one : {Case{"orders", "amount", "total", "coupon"},
                          Case{"transactions", "amount", "total", "currency"},
                          Case{"clicks", "duration_ms", "durationMs", "campaign"}}) {
    CAPTURE(one.kind);
    Traits traits = kind_named(one.kind).defaults;
    traits.drift = 0.5;
    traits.drift_as = Drift::any;
    traits.drift_after = 2000;
    std::map<Drift, int> drifts;
    int after = 0;
    for (const Row& row : take(one.kind, traits, 10'000)) {
      Drift drift = Drift::none;
      if (row.fields.contains(one.added)) drift = Drift::added;
      if (row.fields.contains(one.renamed)) drift = Drift::renamed;
      if (!row.fields.contains(one.renamed) && !row.fields.contains(one.field))
        drift = Drift::missing;
      if (row.fields.contains(one.field) &&
          std::holds_alternative<std::string>(row.fields.at(one.field)))
        drift = Drift::retyped;
      if (row.event.number < traits.drift_after)
        REQUIRE(drift == Drift::none);
      else
        ++after;
      ++drifts[drift];
    }
    for (Drift drift : {Drift::added, Drift::renamed, Drift::retyped, Drift::missing}) {
      CHECK(drifts[drift] > after / 10);
      CHECK(drifts[drift] < after * 15 / 100);
    }
  }
}

TEST_CASE("fields drift in the one way that was asked for") {
  Traits traits = kind_named("orders").defaults;
  traits.drift = 1;
  traits.drift_after = 0;
  auto fields_of = [&](Drift drift) {
    traits.drift_as = drift;
    std::set<std::string> all;
    for (const Row& row : take("orders", traits, 500)) all.insert(names(row.fields));
    REQUIRE(all.size() == 1);
    return *all.begin();
  };
  const std::string rest = "customer_id order_date order_id product_id quantity status timestamp";
  CHECK(fields_of(Drift::missing) == rest);
  CHECK(fields_of(Drift::retyped) == "amount " + rest);
  CHECK(fields_of(Drift::renamed) == rest + " total");
  CHECK(fields_of(Drift::added) ==
        "amount coupon customer_id order_date order_id product_id quantity status timestamp");
}

TEST_SUITE_END();

}  // namespace leat::generate
