#include "tools/word_completion.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <fmt/ranges.h>

namespace leat::tools {
namespace {

OptionSpec option(std::vector<std::string> names, std::string kind = "",
                  std::vector<std::string> choices = {}) {
  bool takes_value = !kind.empty();
  return {std::move(names), takes_value, false, {std::move(kind), std::move(choices), ""}};
}

CommandSpec program() {
  OptionSpec brokers = option({"-b", "--brokers"}, "HOST:PORT");
  OptionSpec config = option({"-c", "--config"}, "KEY=VALUE");
  config.repeats = true;
  CommandSpec consume{"consume",
                      "",
                      {brokers, option({"-e", "--exit"}), option({"--to"}, "TOPIC"),
                       option({"--format"}, "FORMAT", {"text", "json"})},
                      {{false, {"TOPIC", {}, ""}}},
                      {}};
  CommandSpec produce{
      "produce", "Sends lines", {}, {{false, {"TOPIC", {}, ""}}, {true, {"FILE", {}, ""}}}, {}};
  CommandSpec create{"create", "", {brokers, config}, {{false, {"NAME", {}, ""}}}, {}};
  CommandSpec topic{"topic", "", {}, {}, {create, {"delete", "", {}, {}, {}}}};
  CommandSpec group{"group", "", {brokers}, {{false, {"GROUP", {}, ""}}}, {}};
  CommandSpec backup{"backup", "", {}, {{false, {"DIR", {}, ""}}}, {}};
  return {"leat", "", {option({"--help"})}, {}, {consume, produce, topic, group, backup}};
}

/// What completes a line whose last word is the one asked for; topics are named after the cluster.
std::string complete(const std::vector<std::string>& words) {
  auto list = [](const std::string& kind, const std::string& brokers) {
    if (kind == "GROUP") return std::vector<std::string>{"audit" + brokers};
    return std::vector<std::string>{"edits" + brokers, "orders" + brokers};
  };
  std::vector<std::string> lines = complete_words(program(), words, list);
  return fmt::format("{}", fmt::join(lines, " "));
}

TEST_SUITE_BEGIN("tools");

TEST_CASE("commands complete, with what they do, and their commands") {
  CHECK(complete({""}) == "consume produce\tSends lines topic group backup");
  CHECK(complete({"co"}) == "consume");
  CHECK(complete({"x"}) == "");
  CHECK(complete({"--h"}) == "--help");
  CHECK(complete({"topic", ""}) == "create delete");
  CHECK(complete({"topic", "d"}) == "delete");
}

TEST_CASE("options complete where they may stand, and once unless they repeat") {
  CHECK(complete({"consume", "--"}) == "--brokers --exit --to --format");
  CHECK(complete({"consume", "-e", "--e"}) == "");
  CHECK(complete({"consume", "-e", "--exit", "--t"}) == "--to");
  CHECK(complete({"topic", "create", "-c", "a=b", "--c"}) == "--config");
  CHECK(complete({"consume", "--", "-"}) == "");
}

TEST_CASE("an option's value completes, in a word of its own or behind =") {
  CHECK(complete({"consume", "--format", ""}) == "text json");
  CHECK(complete({"consume", "--format", "j"}) == "json");
  CHECK(complete({"consume", "--format=j"}) == "--format=json");
  CHECK(complete({"consume", "--to", "o"}) == "orders");
  CHECK(complete({"consume", "-b", ""}) == "");
}

TEST_CASE("topics are asked of the cluster that the line names") {
  CHECK(complete({"consume", ""}) == "edits orders");
  CHECK(complete({"consume", "e"}) == "edits");
  CHECK(complete({"consume", "-b", "a:1", "o"}) == "ordersa:1");
  CHECK(complete({"consume", "--brokers=a:1", "o"}) == "ordersa:1");
  CHECK(complete({"consume", "-ba:1", "o"}) == "ordersa:1");
  CHECK(complete({"consume", "edits", ""}) == "");
}

TEST_CASE("positional arguments complete by their place, and files by the shell") {
  CHECK(complete({"produce", ""}) == "edits orders");
  CHECK(complete({"produce", "edits", ""}) == ":files");
  CHECK(complete({"produce", "edits", "a", "b"}) == ":files");
  CHECK(complete({"backup", ""}) == ":directories");
  CHECK(complete({"backup", "a", ""}) == "");
  CHECK(complete({"topic", "create", "e"}) == "");
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::tools
