#include "client/group_protocol.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

TEST_SUITE_BEGIN("client");

using namespace leat;
using namespace leat::client;

namespace {

std::string hex(BytesView bytes) {
  std::string out;
  for (std::byte byte : bytes) out += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return out;
}

Bytes from_hex(const std::string& text) {
  Bytes out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    out.push_back(static_cast<std::byte>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return out;
}

/// Version 3: topic "t", user data 0x2a, owned t 0 and 2, generation 5, rack "r".
const std::string in_version_3 =
    "0003"
    "00000001"
    "000174"
    "00000001"
    "2a"
    "00000001"
    "000174"
    "00000002"
    "00000000"
    "00000002"
    "00000005"
    "000172";

}  // namespace

TEST_CASE("a subscription is written as Kafka's version 3") {
  Subscription subscription{{"t"}, Bytes{std::byte{0x2a}}, {{"t", {0, 2}}}, 5, "r"};
  CHECK(hex(encode_subscription(subscription)) == in_version_3);
  CHECK(hex(encode_subscription({{"t"}, {}, {}, no_generation, {}})) ==
        "0003"
        "00000001"
        "000174"
        "ffffffff"
        "00000000"
        "ffffffff"
        "ffff");
}

TEST_CASE("subscriptions of all versions are read, each with what it has") {
  auto read = [](int version, std::size_t size) {
    Bytes bytes = from_hex(in_version_3);
    bytes.resize(size);
    bytes[1] = static_cast<std::byte>(version);
    return decode_subscription(bytes).value();
  };
  Bytes data{std::byte{0x2a}};
  CHECK(read(0, 14) == Subscription{{"t"}, data, {}, no_generation, {}});
  CHECK(read(1, 33) == Subscription{{"t"}, data, {{"t", {0, 2}}}, no_generation, {}});
  CHECK(read(2, 37) == Subscription{{"t"}, data, {{"t", {0, 2}}}, 5, {}});
  CHECK(read(3, 40) == Subscription{{"t"}, data, {{"t", {0, 2}}}, 5, "r"});
  CHECK(read(9, 40) == Subscription{{"t"}, data, {{"t", {0, 2}}}, 5, "r"});
}

TEST_CASE("nothing is read of what is cut short or counts too much") {
  Bytes subscription = from_hex(in_version_3);
  for (std::size_t size = 0; size < subscription.size(); ++size) {
    CHECK_FALSE(decode_subscription(BytesView(subscription).first(size)));
  }
  TopicPartitions partitions{{"edits", {0, 3}}, {"t", {}}};
  Bytes bytes = encode_assignment(partitions);
  CHECK(decode_assignment(bytes) == partitions);
  CHECK(decode_assignment({}) == TopicPartitions{});
  CHECK_FALSE(decode_shared_out(bytes));
  CHECK_FALSE(decode_shared_out({}));
  Bytes noted = encode_assignment(partitions, {{"t", 3}, {"u", 1}});
  CHECK(decode_assignment(noted) == partitions);
  CHECK(decode_shared_out(noted) == SharedOut{{"t", 3}, {"u", 1}});
  for (std::size_t size = 0; size < noted.size(); ++size) {
    CHECK_FALSE(decode_shared_out(BytesView(noted).first(size)));
  }
  for (std::size_t size = 1; size < bytes.size() - sizeof(std::int32_t); ++size) {
    CHECK_FALSE(decode_assignment(BytesView(bytes).first(size)));
  }
  Bytes huge = bytes;
  huge[2] = std::byte{0x7f};
  CHECK_FALSE(decode_assignment(huge));
}

TEST_CASE("what a sticky member had is told in Kafka's way, the older one too") {
  Possession possession{{{"t", {0, 2}}}, 5};
  Bytes bytes = encode_possession(possession);
  CHECK(hex(bytes) ==
        "00000001"
        "000174"
        "00000002"
        "00000000"
        "00000002"
        "00000005");
  CHECK(decode_possession(bytes) == possession);
  BytesView older = BytesView(bytes).first(bytes.size() - 4);
  CHECK(decode_possession(older) == Possession{{{"t", {0, 2}}}, no_generation});
  CHECK_FALSE(decode_possession(older.first(older.size() - 1)));
  CHECK_FALSE(decode_possession(BytesView(bytes).first(bytes.size() - 1)));
}

TEST_SUITE_END();
