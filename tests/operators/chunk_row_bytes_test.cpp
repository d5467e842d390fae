#include <cstddef>

#include <doctest/doctest.h>

#include "operators/chunk_row_bytes.h"
#include "plan/plan.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;

TEST_CASE("a row holds all columns of its source, and those that were computed on its way") {
  auto plan = plan::parse(R"({"version": 1, "name": "p", "nodes": [
      {"name": "s", "type": "source", "topic": "t", "columns": [
          {"name": "a", "type": "bigint"}, {"name": "b", "type": "text"}]},
      {"name": "f", "type": "filter", "input": "s",
          "condition": {"call": ">", "arguments": [{"column": "a"}, {"bigint": 1}]}},
      {"name": "m", "type": "project", "input": "f", "columns": [
          {"name": "a", "expression": {"column": "a"}},
          {"name": "c", "expression": {"call": "+", "arguments": [
              {"column": "a"}, {"bigint": 1}]}}]},
      {"name": "n", "type": "project", "input": "s", "columns": [
          {"name": "a", "expression": {"column": "a"}},
          {"name": "c", "expression": {"column": "a"}}]},
      {"name": "u", "type": "union", "inputs": ["m", "n"]},
      {"name": "out", "type": "sink", "console": true, "input": "u"}]})");
  REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
  auto bound = plan::bind(*plan);
  REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
  std::size_t of_source = operators::chunk_row_bytes(*bound, 0);
  CHECK(of_source > 8 + 16);
  CHECK(operators::chunk_row_bytes(*bound, 1) == of_source);
  CHECK(operators::chunk_row_bytes(*bound, 2) == of_source + 9);
  CHECK(operators::chunk_row_bytes(*bound, 3) == of_source);
  CHECK(operators::chunk_row_bytes(*bound, 4) == of_source + 9);
}

TEST_SUITE_END();
