#include "client/group_protocol.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

TEST_SUITE_BEGIN("client");

using namespace leat;
using namespace leat::client;

namespace {

/// "a: t 0 1; b: t 2" for members that all want all topics unless said otherwise.
std::string assign(const std::map<std::string, Subscription>& members,
                   const std::map<std::string, std::int32_t>& counts) {
  std::string all;
  for (const auto& [id, topics] : assign_ranges(members, counts)) {
    all += id + ":";
    for (const auto& [topic, partitions] : topics) {
      all += fmt::format(" {} {}", topic, fmt::join(partitions, " "));
    }
    all += ";";
  }
  return all;
}

}  // namespace

TEST_CASE("partitions are shared out in ranges, the first members getting more") {
  CHECK(assign({{"a", {"t"}}}, {{"t", 3}}) == "a: t 0 1 2;");
  CHECK(assign({{"a", {"t"}}, {"b", {"t"}}}, {{"t", 3}}) == "a: t 0 1;b: t 2;");
  CHECK(assign({{"a", {"t"}}, {"b", {"t"}}, {"c", {"t"}}}, {{"t", 2}}) == "a: t 0;b: t 1;c:;");
  CHECK(assign({{"a", {"t", "u"}}, {"b", {"u"}}}, {{"t", 2}, {"u", 3}}) ==
        "a: t 0 1 u 0 1;b: u 2;");
  CHECK(assign({{"a", {"nope"}}}, {{"t", 3}}) == "a:;");
}

TEST_CASE("what members tell each other is read as it was written, and nothing that is cut short") {
  Subscription topics{"edits", "t"};
  CHECK(decode_subscription(encode_subscription(topics)) == topics);
  TopicPartitions partitions{{"edits", {0, 3}}, {"t", {}}};
  Bytes bytes = encode_assignment(partitions);
  CHECK(decode_assignment(bytes) == partitions);
  CHECK(decode_assignment({}) == TopicPartitions{});
  for (std::size_t size = 1; size < bytes.size() - sizeof(std::int32_t); ++size) {
    CHECK_FALSE(decode_assignment(BytesView(bytes).first(size)));
  }
  Bytes huge = bytes;
  huge[2] = std::byte{0x7f};
  CHECK_FALSE(decode_assignment(huge));
}

TEST_SUITE_END();
