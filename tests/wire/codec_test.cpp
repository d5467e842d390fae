#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "wire/messages.h"
#include "wire/randomizer.h"

TEST_SUITE_BEGIN("wire");

using namespace leat;
using namespace leat::wire;

namespace {

/// Calls `f.operator()<M>(version)` for every message and version there is.
template <class F>
void for_each_version(F&& f) {
  auto versions_of = [&]<class M>() {
    CAPTURE(name(M::key));
    for (Version version = M::valid.first; version <= M::valid.last; ++version) {
      CAPTURE(version);
      f.template operator()<M>(version);
    }
  };
  Requests::for_each([&]<class Request>() {
    versions_of.template operator()<Request>();
    versions_of.template operator()<typename Request::Response>();
  });
}

template <class M>
Bytes encode(const M& message, Version version) {
  Encoded out;
  REQUIRE(Codec<M>::encode(message, version, out));
  CHECK(out.holes.empty());
  return std::move(out.bytes);
}

}  // namespace

TEST_CASE("every message of every version comes back as it was written") {
  Random random(1);
  for_each_version([&]<class M>(Version version) {
    for (int i = 0; i < 30; ++i) {
      M message = random_message<M>(random, version);
      Bytes bytes = encode(message, version);
      Result<M> back = Codec<M>::decode(bytes, version);
      REQUIRE(back);
      CHECK(encode(*back, version) == bytes);
      CHECK(Codec<M>::print(*back, version) == Codec<M>::print(message, version));
    }
  });
}

TEST_CASE("a message cut short anywhere is malformed, and so is a response with more behind it") {
  Random random(2);
  for_each_version([&]<class M>(Version version) {
    for (int i = 0; i < 3; ++i) {
      Bytes bytes = encode(random_message<M>(random, version), version);
      for (std::size_t size = 0; size < bytes.size(); ++size) {
        // A copy of that size exactly, so that a sanitizer sees a read past its end.
        Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        Result<M> message = Codec<M>::decode(cut, version);
        REQUIRE(!message);
        CHECK(message.error().code == Errc::malformed);
      }
      bytes.push_back(std::byte{0});
      Result<M> longer = Codec<M>::decode(bytes, version);
      bool is_request = requires {
        typename M::Response;
      };
      CHECK(longer.has_value() == is_request);
    }
  });
}

TEST_CASE("flipped bytes give a message or an error, and what they give can be written again") {
  Random random(3);
  for_each_version([&]<class M>(Version version) {
    for (int i = 0; i < 100; ++i) {
      Bytes bytes = encode(random_message<M>(random, version), version);
      for (std::uint64_t flips = random.below(4) + 1; flips > 0 && !bytes.empty(); --flips) {
        bytes[random.below(bytes.size())] = static_cast<std::byte>(random.next());
      }
      Result<M> message = Codec<M>::decode(bytes, version);
      if (!message) continue;
      Bytes again = encode(*message, version);
      Result<M> back = Codec<M>::decode(again, version);
      REQUIRE(back);
      CHECK(encode(*back, version) == again);
    }
  });
}

TEST_CASE("a version outside the valid ones is neither read nor written") {
  Requests::for_each([]<class Request>() {
    CAPTURE(name(Request::key));
    for (int version : {Request::valid.first - 1, Request::valid.last + 1}) {
      auto wrong = static_cast<Version>(version);
      Encoded out;
      CHECK(Codec<Request>::decode({}, wrong).error().code == Errc::unsupported_version);
      CHECK(Codec<Request>::encode({}, wrong, out).error().code == Errc::unsupported_version);
    }
  });
}

TEST_CASE("a request and its response have the same key and the same versions") {
  std::vector<ApiKey> keys;
  Requests::for_each([&]<class Request>() {
    using Response = typename Request::Response;
    static_assert(Request::key == Response::key);
    static_assert(Request::valid == Response::valid);
    static_assert(Request::flexible == Response::flexible);
    keys.push_back(Request::key);
  });
  CHECK(std::is_sorted(keys.begin(), keys.end()));
}

TEST_CASE("an array that claims more elements than bytes are left is refused unread (fault 17)") {
  // Metadata v1: the array's count; ListOffsets v1: the replica id before it.
  auto code = [](auto decoded) { return decoded ? Errc::unsupported : decoded.error().code; };
  for (std::int32_t count : {INT32_MAX, 4, -2, INT32_MIN}) {
    Bytes bytes;
    ByteWriter(bytes).write(count);
    bytes.resize(bytes.size() + 3);
    CHECK(code(Codec<MetadataRequest>::decode(bytes, 1)) == Errc::malformed);
  }
  Bytes null_array;
  ByteWriter(null_array).write<std::int32_t>(-1);
  ByteWriter(null_array).write<std::int32_t>(-1);
  CHECK(code(Codec<ListOffsetsRequest>::decode(null_array, 1)) == Errc::malformed);
  Bytes compact;
  ByteWriter(compact).write_uvarint(UINT32_MAX);
  compact.resize(compact.size() + 20);
  CHECK(code(Codec<MetadataRequest>::decode(compact, 9)) == Errc::malformed);
}

TEST_CASE("an array of many tiny elements is refused before it takes much memory") {
  // Every byte 1 is an empty compact string: 32 bytes of memory for 1 on the wire.
  constexpr std::uint32_t count = 10'000'000;
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.write<std::int8_t>(0);
  writer.write_uvarint(count + 1);
  bytes.resize(bytes.size() + count, std::byte{1});
  writer.write_uvarint(0);
  CHECK(Codec<FindCoordinatorRequest>::decode(bytes, 4).error().code == Errc::malformed);
}

TEST_CASE("a request that names millions of partitions is refused, one of twenty thousand is not") {
  auto fetch_of = [](std::size_t partitions) {
    FetchRequest request;
    request.topics.emplace_back().partitions.resize(partitions);
    Encoded encoded;
    REQUIRE(Codec<FetchRequest>::encode(request, 12, encoded));
    return encoded.bytes;
  };
  CHECK(Codec<FetchRequest>::decode(fetch_of(20'000), 12).has_value());
  CHECK(Codec<FetchRequest>::decode(fetch_of(3'000'000), 12).error().code == Errc::malformed);
}

TEST_CASE("a tagged field that is unknown is skipped, and one not whole is malformed (fault 18)") {
  // ApiVersions v3: error, no APIs, throttle, then the tags.
  auto decode = [](std::string_view tags) {
    Bytes bytes(7);
    bytes[2] = std::byte{1};
    ByteWriter(bytes).write_bytes(as_bytes(tags));
    return Codec<ApiVersionsResponse>::decode(bytes, 3);
  };
  using namespace std::string_view_literals;
  CHECK(decode("\x00"sv));
  CHECK(decode("\x01\x63\x03xyz"sv));
  Result<ApiVersionsResponse> known =
      decode("\x02\x01\x08\x00\x00\x00\x00\x00\x00\x00\x05\x03\x01\x01"sv);
  REQUIRE(known);
  CHECK(known->finalized_features_epoch == 5);
  CHECK(known->zk_migration_ready);
  CHECK(!decode(""sv));
  CHECK(!decode("\x01\x63\x04xyz"sv));                                   // longer than the rest
  CHECK(!decode("\x01\x01\x07\x00\x00\x00\x00\x00\x00\x00"sv));          // too short for its field
  CHECK(!decode("\x01\x01\x09\x00\x00\x00\x00\x00\x00\x00\x05\x00"sv));  // too long for its field
  CHECK(!decode("\xff\xff\xff\xff\x0f"sv));                              // many, and none there
}

TEST_CASE("the second protocol of transactions has its fields where Kafka has them") {
  using namespace std::string_literals;
  using namespace std::string_view_literals;
  auto is = [](const Bytes& bytes, std::string_view wanted) { return as_text(bytes) == wanted; };
  EndTxnResponse ended;
  ended.producer_id = 258;
  ended.producer_epoch = 7;
  CHECK(is(encode(ended, 4), "\0\0\0\0\0\0\0"sv));
  CHECK(is(encode(ended, 5), "\0\0\0\0\0\0\0\0\0\0\0\0\x01\x02\0\x07\0"sv));
  AddPartitionsToTxnRequest added;
  added.transactions.push_back({"id", 258, 7, true, {{"t", {3}}}});
  std::string_view topics = "\x02\x02t\x02\0\0\0\x03\0"sv;
  CHECK(is(encode(added, 4),
           "\x02\x03id\0\0\0\0\0\0\x01\x02\0\x07\x01"s + std::string(topics) + "\0\0"s));
  added = {};
  added.transactional_id = "id";
  added.producer_id = 258;
  added.producer_epoch = 7;
  added.topics.push_back({"t", {3}});
  CHECK(is(encode(added, 3), "\x03id\0\0\0\0\0\0\x01\x02\0\x07"s + std::string(topics) + "\0"s));
  AddPartitionsToTxnResponse answered;
  answered.error_code = ErrorCode::coordinator_not_available;
  answered.transactions.push_back({"id", {{"t", {{3, ErrorCode::producer_fenced}}}}});
  CHECK(is(encode(answered, 4), "\0\0\0\0\0\x0f\x02\x03id\x02\x02t\x02\0\0\0\x03\0\x5a\0\0\0\0"sv));
}

TEST_CASE("null is refused where a version does not have it, and written as empty") {
  MetadataRequest all_topics;
  CHECK(encode(all_topics, 0) == Bytes(4));
  CHECK(encode(all_topics, 1) == Bytes(4, std::byte{0xff}));
  CHECK(!Codec<MetadataRequest>::decode(Bytes(4, std::byte{0xff}), 0));
  MetadataRequest by_id;
  by_id.topics.emplace().emplace_back();
  CHECK(Codec<MetadataRequest>::decode(encode(by_id, 12), 12)->topics->at(0).name == std::nullopt);
  CHECK(Codec<MetadataRequest>::decode(encode(by_id, 8), 8)->topics->at(0).name == "");
}

TEST_CASE("a string longer than the wire carries is an error that names its field") {
  for (Version version : {Version{2}, Version{5}}) {
    CreateTopicsRequest request;
    request.topics.emplace_back().name = std::string(32'767, 'x');
    Encoded out;
    CHECK(Codec<CreateTopicsRequest>::encode(request, version, out));
    request.topics[0].name += 'x';
    Result<void> encoded = Codec<CreateTopicsRequest>::encode(request, version, out);
    REQUIRE(!encoded);
    CHECK(encoded.error().code == Errc::invalid_argument);
    CHECK(encoded.error().what.ends_with("name"));
  }
}

TEST_CASE("a printed message shows names and values of its version, and cannot forge a line") {
  FetchRequest fetch;
  fetch.topics.push_back({.topic = "a\n\"b\\", .topic_id = {}, .partitions = {{.partition = 7}}});
  CHECK(Codec<FetchRequest>::print(fetch, 4) ==
        "Fetch request v4 {replica_id: -1, max_wait_ms: 0, min_bytes: 0, max_bytes: 2147483647, "
        "isolation_level: 0, topics: [{topic: \"a\\x0a\\\"b\\\\\", partitions: [{partition: 7, "
        "fetch_offset: 0, partition_max_bytes: 0}]}]}");
  ProduceResponse produce;
  ProduceResponse::Partition& partition =
      produce.responses.emplace_back().partition_responses.emplace_back();
  partition.error_code = ErrorCode::corrupt_message;
  CHECK(Codec<ProduceResponse>::print(produce, 3).find("error_code: CORRUPT_MESSAGE") !=
        std::string::npos);
  DeleteTopicsRequest deletes;
  deletes.topic_names.resize(66, "t");
  CHECK(Codec<DeleteTopicsRequest>::print(deletes, 1).find("\"t\", and 2 more]") !=
        std::string::npos);
}

TEST_CASE("error codes have Kafka's numbers, names and advice") {
  CHECK(static_cast<int>(ErrorCode::unknown_topic_id) == 100);
  CHECK(name(ErrorCode::unknown_server_error) == "UNKNOWN_SERVER_ERROR");
  CHECK(name(ErrorCode::none) == "NONE");
  CHECK(name(ErrorCode::invalid_record) == "INVALID_RECORD");
  CHECK(name(ErrorCode::share_session_limit_reached) == "SHARE_SESSION_LIMIT_REACHED");
  CHECK(name(static_cast<ErrorCode>(-2)) == "UNKNOWN_ERROR_CODE");
  CHECK(name(static_cast<ErrorCode>(1000)) == "UNKNOWN_ERROR_CODE");
  CHECK(retriable(ErrorCode::not_leader_or_follower));
  CHECK(!retriable(ErrorCode::message_too_large));
  CHECK(!retriable(static_cast<ErrorCode>(1000)));
}

TEST_CASE("Produce is advertised from version 0 on, though read from version 3 on") {
  CHECK(advertised_versions<ProduceRequest>() == Versions{0, 12});
  CHECK(advertised_versions<FetchRequest>() == FetchRequest::valid);
}

TEST_SUITE_END();
