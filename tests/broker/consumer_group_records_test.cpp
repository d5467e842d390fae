// The records of consumer groups, byte for byte as Kafka has them.
#include "broker/consumer_group_records.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "broker/group_records.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

namespace {

using Kind = ConsumerGroupKey::Kind;

std::string hex(BytesView bytes) {
  std::string text;
  for (std::byte byte : bytes) text += fmt::format("{:02x}", static_cast<int>(byte));
  return text;
}

Bytes from_hex(std::string_view text) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

Uuid topic_id() {
  return *Uuid::from_hex("000102030405060708090a0b0c0d0e0f");
}

const std::string topic_hex = "000102030405060708090a0b0c0d0e0f";

}  // namespace

TEST_CASE("keys of consumer groups are Kafka's kinds 3 and 5 to 8") {
  CHECK(hex(encode(ConsumerGroupKey{Kind::group, "g"})) ==
        "0003"
        "000167");
  CHECK(hex(encode(ConsumerGroupKey{Kind::member, "g", "m"})) ==
        "0005"
        "000167"
        "00016d");
  CHECK(hex(encode(ConsumerGroupKey{Kind::target_epoch, "g"})) ==
        "0006"
        "000167");
  CHECK(hex(encode(ConsumerGroupKey{Kind::target, "g", "m"})) ==
        "0007"
        "000167"
        "00016d");
  CHECK(hex(encode(ConsumerGroupKey{Kind::current, "g", "m"})) ==
        "0008"
        "000167"
        "00016d");
  for (Kind kind : {Kind::group, Kind::member, Kind::target_epoch, Kind::target, Kind::current}) {
    bool is_of_group = kind == Kind::group || kind == Kind::target_epoch;
    ConsumerGroupKey key{kind, "g", is_of_group ? "" : "m"};
    auto decoded = decode_group_key(encode(key));
    REQUIRE(decoded);
    CHECK(std::get<ConsumerGroupKey>(*decoded) == key);
  }
  // What Kafka keeps of topics and expressions, and what we do not know, is passed over.
  for (const char* text : {"0004"
                           "000167",
                           "0010"
                           "000167"
                           "000161",
                           "0063"
                           "000167"}) {
    auto decoded = decode_group_key(from_hex(text));
    REQUIRE(decoded);
    CHECK(std::holds_alternative<UnknownKey>(*decoded));
  }
  CHECK_FALSE(
      decode_group_key(from_hex("0005"
                                "000167"
                                "0002")));
}

TEST_CASE("values of consumer groups are Kafka's, flexible from their first version") {
  CHECK(hex(encode(ConsumerGroupRecord{7, 0})) ==
        "0000"
        "00000007"
        "00");
  CHECK(hex(encode(ConsumerGroupRecord{7, 1})) ==
        "0000"
        "00000007"
        "01"
        "00"
        "08"
        "0000000000000001");
  CHECK(hex(encode_target_epoch(7)) ==
        "0000"
        "00000007"
        "00");
  Assignment partitions{{topic_id(), {0, 2}}};
  std::string partitions_hex = "02" + topic_hex +
                               "03"
                               "00000000"
                               "00000002"
                               "00";
  CHECK(hex(encode(partitions)) == "0000" + partitions_hex + "00");
  CurrentAssignment current{7, 6, ReconcileState::unrevoked_partitions, partitions, {}};
  CHECK(hex(encode(current)) ==
        "0000"
        "00000007"
        "00000006"
        "01" +
            partitions_hex +
            "01"
            "00");
  ConsumerMemberRecord member;
  member.instance_id = "i";
  member.client_id = "c";
  member.client_host = "/h";
  member.topics = {"t"};
  member.topic_regex = "x";
  member.rebalance_timeout_ms = 1000;
  member.assignor = "range";
  CHECK(hex(encode(member)) ==
        "0000"
        "0269"
        "00"
        "0263"
        "032f68"
        "02"
        "0274"
        "0278"
        "000003e8"
        "0672616e6765"
        "00");
}

TEST_CASE("values of consumer groups come back, with fields that we do not know passed over") {
  ConsumerMemberRecord member;
  member.rack_id = "r";
  member.client_id = "c";
  member.topics = {"t", "u"};
  CHECK(decode_consumer_member_record(encode(member)) == member);
  CHECK(decode_consumer_group_record(encode(ConsumerGroupRecord{3, -5})) ==
        ConsumerGroupRecord{3, -5});
  CHECK(decode_target_epoch(encode_target_epoch(3)) == 3);
  CurrentAssignment current{
      3, 2, ReconcileState::unreleased_partitions, {{topic_id(), {1}}}, {{topic_id(), {0}}}};
  CHECK(decode_current_assignment(encode(current)) == current);
  // When the group was made, which Kafka 4.3 writes in a second tag.
  auto group =
      decode_consumer_group_record(from_hex("0000"
                                            "00000007"
                                            "02"
                                            "00"
                                            "08"
                                            "0000000000000001"
                                            "01"
                                            "08"
                                            "0000000000000009"));
  CHECK(group == ConsumerGroupRecord{7, 1});
  // The epochs of single partitions, within them.
  auto with_epochs =
      decode_target(from_hex("0000"
                             "02" +
                             topic_hex +
                             "02"
                             "00000001"
                             "01"
                             "00"
                             "05"
                             "0200000007"
                             "00"));
  CHECK(with_epochs == Assignment{{topic_id(), {1}}});
}

TEST_CASE("a value of a consumer group that is cut short, or newer, is an error") {
  CurrentAssignment current{3, 2, ReconcileState::stable, {{topic_id(), {1, 2}}}, {}};
  Bytes whole = encode(current);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    auto decoded = decode_current_assignment(BytesView(whole).first(size));
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code == Errc::corrupt_message);
  }
  CHECK_FALSE(
      decode_current_assignment(from_hex("0000"
                                         "00000001"
                                         "00000001"
                                         "03"
                                         "01"
                                         "01"
                                         "00")));
  auto newer =
      decode_target_epoch(from_hex("0001"
                                   "00000001"
                                   "00"));
  REQUIRE_FALSE(newer);
  CHECK(newer.error().code == Errc::unsupported_format);
}

TEST_SUITE_END();
