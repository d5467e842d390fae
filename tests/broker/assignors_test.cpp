// Tables: who has subscribed to what and had what, and who is to have what then.
#include "broker/assignors.h"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/random.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

namespace {

/// The topic with that letter.
Uuid topic(char letter) {
  Uuid id;
  id.bytes[0] = static_cast<std::uint8_t>(letter);
  return id;
}

/// "x0 x1 y0"
Assignment parse(const std::string& text) {
  Assignment assignment;
  for (std::size_t i = 0; i + 1 < text.size(); i += 3) {
    assignment[topic(text[i])].insert(text[i + 1] - '0');
  }
  return assignment;
}

std::string to_text(const Assignment& assignment) {
  std::string text;
  for (const auto& [id, partitions] : assignment) {
    for (std::int32_t partition : partitions) {
      text +=
          fmt::format("{}{}{}", text.empty() ? "" : " ", static_cast<char>(id.bytes[0]), partition);
    }
  }
  return text;
}

struct Row {
  std::string id;
  std::string topics;  // letters
  std::string had = {};
  std::optional<std::string> instance = {};
};

/// `counts` as "x3 y2".
std::vector<std::string> assign_rows(Assignor assignor, const std::string& counts,
                                     const std::vector<Row>& rows) {
  PartitionCounts partitions;
  for (std::size_t i = 0; i + 1 < counts.size(); i += 3) {
    partitions[topic(counts[i])] = counts[i + 1] - '0';
  }
  std::vector<Assignment> had;
  for (const Row& row : rows) had.push_back(parse(row.had));
  std::vector<AssignorMember> members;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    AssignorMember& member = members.emplace_back();
    member.id = rows[i].id;
    member.instance_id = rows[i].instance;
    for (char letter : rows[i].topics) member.topics.push_back(topic(letter));
    member.previous = &had[i];
  }
  std::vector<std::string> texts;
  for (const Assignment& one : assign(assignor, members, partitions)) {
    texts.push_back(to_text(one));
  }
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("an assignor is known by Kafka's name") {
  CHECK(find_assignor("uniform") == Assignor::uniform);
  CHECK(find_assignor("range") == Assignor::range);
  CHECK_FALSE(find_assignor("cooperative-sticky"));
}

TEST_CASE("range gives each member a range of each topic, the first ones the odd partitions") {
  auto range = [](const std::string& counts, const std::vector<Row>& rows) {
    return assign_rows(Assignor::range, counts, rows);
  };
  CHECK(range("x3 y3", {{"a", "xy"}, {"b", "xy"}}) == Texts{"x0 x1 y0 y1", "x2 y2"});
  CHECK(range("x3 y2", {{"a", "xy"}, {"b", "y"}}) == Texts{"x0 x1 x2 y0", "y1"});
  CHECK(range("x1", {{"a", "x"}, {"b", "x"}}) == Texts{"x0", ""});
  // Whatever their ids, static members go by their instances and before the others.
  CHECK(range("x3", {{"a", "x"}, {"z", "x", "", "one"}}) == Texts{"x2", "x0 x1"});
  CHECK(range("x2", {{"b", "x", "", "two"}, {"z", "x", "", "one"}}) == Texts{"x1", "x0"});
  // A topic that is not there gives nothing.
  CHECK(range("", {{"a", "x"}}) == Texts{""});
}

TEST_CASE("uniform shares evenly and lets everybody keep what he had") {
  auto uniform = [](const std::string& counts, const std::vector<Row>& rows) {
    return assign_rows(Assignor::uniform, counts, rows);
  };
  CHECK(uniform("x4", {{"a", "x"}}) == Texts{"x0 x1 x2 x3"});
  CHECK(uniform("x4", {{"a", "x", "x0 x1 x2 x3"}, {"b", "x"}}) == Texts{"x2 x3", "x0 x1"});
  // Somebody has left.
  CHECK(uniform("x4", {{"a", "x", "x2 x3"}, {"b", "x", ""}}) == Texts{"x2 x3", "x0 x1"});
  CHECK(uniform("x3", {{"a", "x", "x2"}, {"b", "x", "x0 x1"}}) == Texts{"x2", "x0 x1"});
  // A third one comes: one moves of each.
  CHECK(uniform("x6", {{"a", "x", "x0 x1 x2"}, {"b", "x", "x3 x4 x5"}, {"c", "x"}}) ==
        Texts{"x1 x2", "x4 x5", "x0 x3"});
  // Nobody keeps what he does not want any more, or what is gone, or what another has as well.
  CHECK(uniform("x2 y2", {{"a", "x", "x0 y0 y1"}, {"b", "y"}}) == Texts{"x0 x1", "y0 y1"});
  CHECK(uniform("x1", {{"a", "x", "x0 x7 z3"}, {"b", "x", "x0"}}) == Texts{"x0", ""});
  // Who wants more has to leave what only others want to them.
  CHECK(uniform("x2 y2", {{"a", "xy"}, {"b", "x"}}) == Texts{"y0 y1", "x0 x1"});
  CHECK(uniform("x2", {{"a", ""}, {"b", "x"}}) == Texts{"", "x0 x1"});
}

TEST_CASE("whatever they want and had, all partitions go to one each who wants them, evenly") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    PartitionCounts counts;
    auto topics = 1 + random.below(4);
    for (std::uint64_t i = 0; i < topics; ++i) {
      counts[topic(static_cast<char>('a' + i))] = static_cast<std::int32_t>(random.below(9));
    }
    std::vector<std::string> ids;
    std::vector<AssignorMember> members(1 + random.below(7));
    for (std::size_t i = 0; i < members.size(); ++i) ids.push_back(fmt::format("m{}", i));
    for (std::size_t i = 0; i < members.size(); ++i) {
      members[i].id = ids[i];
      for (const auto& [id, count] : counts) {
        if (random.below(3) > 0) members[i].topics.push_back(id);
      }
    }
    std::vector<Assignment> last(members.size());
    for (int round = 0; round < 3; ++round) {
      for (std::size_t i = 0; i < members.size(); ++i) members[i].previous = &last[i];
      for (Assignor assignor : {Assignor::range, Assignor::uniform}) {
        CAPTURE(name(assignor));
        std::vector<Assignment> next = assign(assignor, members, counts);
        REQUIRE(next.size() == members.size());
        for (const auto& [id, count] : counts) {
          for (std::int32_t partition = 0; partition < count; ++partition) {
            std::size_t owners = 0;
            std::size_t wanting = 0;
            std::size_t least = SIZE_MAX;
            std::size_t load = 0;
            for (std::size_t i = 0; i < members.size(); ++i) {
              const auto& wanted = members[i].topics;
              bool wants = std::find(wanted.begin(), wanted.end(), id) != wanted.end();
              wanting += wants ? 1 : 0;
              if (wants) least = std::min(least, count_partitions(next[i]));
              if (!contains(next[i], id, partition)) continue;
              REQUIRE(wants);
              ++owners;
              load = count_partitions(next[i]);
            }
            REQUIRE(owners == (wanting > 0 ? 1 : 0));
            if (assignor == Assignor::uniform && owners > 0) REQUIRE(load <= least + 1);
          }
        }
        last = std::move(next);
        for (std::size_t i = 0; i < members.size(); ++i) members[i].previous = &last[i];
        // Where nothing has changed, nothing moves.
        CHECK(assign(assignor, members, counts) == last);
      }
    }
  }
}

TEST_SUITE_END();
