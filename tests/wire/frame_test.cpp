#include "wire/frame.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "wire/messages.h"

TEST_SUITE_BEGIN("wire");

using namespace leat;
using namespace leat::wire;

namespace {

Bytes from_hex(std::string_view hex) {
  Bytes bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::string to_hex(BytesView bytes) {
  std::string hex;
  for (std::byte byte : bytes) {
    for (int digit : {static_cast<int>(byte) >> 4, static_cast<int>(byte) & 15}) {
      hex += "0123456789abcdef"[digit];
    }
  }
  return hex;
}

/// The frame as a peer sees it: the holes filled from `parts`, in their order.
Bytes fill_holes(const Encoded& encoded, const std::vector<BytesView>& parts) {
  REQUIRE(encoded.holes.size() == parts.size());
  Bytes all;
  for (std::size_t i = 0; i <= parts.size(); ++i) {
    ByteWriter(all).write_bytes(encoded.run(i));
    if (i == parts.size()) break;
    REQUIRE(encoded.holes[i].size == parts[i].size());
    ByteWriter(all).write_bytes(parts[i]);
  }
  CHECK(encoded.size() == all.size());
  return all;
}

FetchResponse fetch_response(const std::vector<Records>& partitions) {
  FetchResponse response;
  FetchResponse::Topic& topic = response.responses.emplace_back();
  for (const Records& records : partitions) {
    FetchResponse::Partition& partition = topic.partitions.emplace_back();
    partition.partition_index = static_cast<std::int32_t>(topic.partitions.size());
    partition.current_leader = CurrentLeader{1, 2};
    partition.records = records;
  }
  response.node_endpoints.push_back({1, "host", 9092, std::nullopt});
  return response;
}

}  // namespace

TEST_CASE("a request's header is version 1, and 2 with its tags in flexible versions") {
  RequestHeader header{.version = 1, .correlation_id = 0x0102, .client_id = "me"};
  CHECK(to_hex(encode_request(ListOffsetsRequest{}, header)->bytes) ==
        "00000014"
        "0002"
        "0001"
        "00000102"
        "00026d65"
        "ffffffff00000000");
  header.version = 6;
  header.client_id.reset();
  CHECK(to_hex(encode_request(ListOffsetsRequest{}, header)->bytes) ==
        "00000012"
        "0002"
        "0006"
        "00000102"
        "ffff"
        "00"
        "ffffffff"
        "00"
        "01"
        "00");
}

TEST_CASE("a response's header has tags in flexible versions, but never that of ApiVersions") {
  CHECK(to_hex(encode_response(FindCoordinatorResponse{}, 4, 7)->bytes) ==
        "0000000b"
        "00000007"
        "00"
        "00000000"
        "01"
        "00");
  CHECK(to_hex(encode_response(ListOffsetsResponse{}, 1, 7)->bytes) ==
        "00000008"
        "00000007"
        "00000000");
  CHECK(to_hex(encode_response(ApiVersionsResponse{}, 3, 7)->bytes) ==
        "0000000c"
        "00000007"
        "0000"
        "01"
        "00000000"
        "00");
}

TEST_CASE("responses come back, whatever their header") {
  auto check = [](const auto& message, Version version) {
    using M = std::decay_t<decltype(message)>;
    Result<Encoded> encoded = encode_response(message, version, -5);
    REQUIRE(encoded);
    Result<ResponseFrame> frame = parse_response(encoded->run(0).subspan(frame_size_bytes));
    REQUIRE(frame);
    CHECK(frame->correlation_id == -5);
    Result<M> back = decode_response<M>(*frame, version);
    REQUIRE(back);
    CHECK(Codec<M>::print(*back, version) == Codec<M>::print(message, version));
  };
  ApiVersionsResponse versions;
  versions.api_keys = {{ApiKey::fetch, 4, 16}};
  check(versions, 0);
  check(versions, 4);
  MetadataResponse metadata;
  metadata.throttle_time_ms = 3;
  check(metadata, 8);
  check(metadata, 9);
}

TEST_CASE("the header's tagged fields are skipped, if they are whole") {
  RequestFrame frame;
  frame.header.version = 6;
  Bytes rest = from_hex(
      "02"
      "0001aa"
      "870702bbbb"
      "ffffffff000100");
  frame.rest = rest;
  CHECK(decode_request<ListOffsetsRequest>(frame));
  for (std::string_view bad : {"", "01", "0100", "010005aa", "ffffffff7f00", "808080808080"}) {
    CAPTURE(bad);
    rest = from_hex(bad);
    frame.rest = rest;
    CHECK(decode_request<ListOffsetsRequest>(frame).error().code == Errc::malformed);
  }
}

TEST_CASE("a request header that is cut short or has an impossible client id is malformed") {
  Bytes header = from_hex(
      "0012"
      "0003"
      "00000001"
      "00026d65");
  REQUIRE(parse_request(header));
  CHECK(parse_request(header)->header.client_id == "me");
  for (std::size_t size = 0; size < header.size(); ++size) {
    CHECK(parse_request(BytesView(header).first(size)).error().code == Errc::malformed);
  }
  CHECK(
      !parse_request(from_hex("0012"
                              "0003"
                              "00000001"
                              "fffe6d65")));
  CHECK(!parse_response(from_hex("000000")));
}

TEST_CASE("an unknown API or version can still be told from its header") {
  Bytes bytes = from_hex(
      "7fff"
      "7ffe"
      "00000009"
      "ffff"
      "00");
  Result<RequestFrame> frame = parse_request(bytes);
  REQUIRE(frame);
  CHECK(name(frame->header.key) == "unknown API");
  CHECK(frame->header.version == 0x7ffe);
  CHECK(print_request(*frame) == "unknown API request v32766 of unknown content");
  CHECK(decode_request<ApiVersionsRequest>(*frame).error().code == Errc::unsupported_version);
}

TEST_CASE("a frame's size is neither negative nor above what is allowed") {
  CHECK(*parse_frame_size(from_hex("00000000"), 100) == 0);
  CHECK(*parse_frame_size(from_hex("00000064"), 100) == 100);
  CHECK(parse_frame_size(from_hex("00000065"), 100).error().code == Errc::malformed);
  CHECK(parse_frame_size(from_hex("ffffffff"), 100).error().code == Errc::malformed);
  CHECK(parse_frame_size(from_hex("80000000"), SIZE_MAX).error().code == Errc::malformed);
}

TEST_CASE(
    "a server that does not know the version of ApiVersions answers in version 0 (fault 19)") {
  ApiVersionsResponse old;
  old.error_code = ErrorCode::unsupported_version;
  old.api_keys = {{ApiKey::api_versions, 0, 2}};
  Encoded encoded;
  REQUIRE(Codec<ApiVersionsResponse>::encode(old, 0, encoded));
  Result<ApiVersionsResponse> answer = decode_api_versions(encoded.bytes, 4);
  REQUIRE(answer);
  CHECK(answer->error_code == ErrorCode::unsupported_version);
  REQUIRE(answer->api_keys.size() == 1);
  CHECK(answer->api_keys[0].max_version == 2);
  CHECK(!decode_api_versions({}, 4));
}

TEST_CASE("records that are sent from elsewhere leave holes, and the frame is the same") {
  std::string first(100'000, 'a');
  std::string third = "third";
  Records a(as_bytes(first));
  Records c(as_bytes(third));
  for (Version version = FetchResponse::valid.first; version <= FetchResponse::valid.last;
       ++version) {
    CAPTURE(version);
    Result<Encoded> copied =
        encode_response(fetch_response({a, Records(), c, Records(BytesView())}), version, 3);
    Result<Encoded> holes =
        encode_response(fetch_response({Records::elsewhere(a.size()), Records(),
                                        Records::elsewhere(c.size()), Records::elsewhere(0)}),
                        version, 3);
    REQUIRE(copied);
    REQUIRE(holes);
    CHECK(copied->holes.empty());
    CHECK(holes->bytes.size() < 1000);
    CHECK(fill_holes(*holes, {a.bytes(), c.bytes(), {}}) == copied->bytes);
    CHECK(load_big_endian<std::int32_t>(holes->bytes.data()) ==
          static_cast<std::int32_t>(holes->size() - frame_size_bytes));
  }
}

TEST_CASE("decoded records are not copied: they stand in the frame") {
  ProduceRequest request;
  request.topic_data.push_back({"t", {{0, Records(as_bytes("batch"))}, {1, Records()}}});
  for (Version version : {Version{3}, Version{9}}) {
    Result<Encoded> encoded =
        encode_request(request, {.version = version, .correlation_id = 1, .client_id = {}});
    REQUIRE(encoded);
    BytesView bytes = encoded->bytes;
    Result<RequestFrame> frame = parse_request(bytes.subspan(frame_size_bytes));
    REQUIRE(frame);
    Result<ProduceRequest> back = decode_request<ProduceRequest>(*frame);
    REQUIRE(back);
    const std::vector<ProduceRequest::Partition>& partitions =
        back->topic_data.at(0).partition_data;
    BytesView records = partitions.at(0).records.bytes();
    CHECK(as_text(records) == "batch");
    CHECK(records.data() > bytes.data());
    CHECK(records.data() < bytes.data() + bytes.size());
    CHECK(partitions.at(1).records.is_null());
  }
}

TEST_CASE("a frame beyond two GiB is refused, holes included") {
  Records huge = Records::elsewhere(std::size_t{1} << 30);
  Result<Encoded> encoded = encode_response(fetch_response({huge, huge}), 12, 1);
  CHECK(encoded.error().code == Errc::invalid_argument);
}

TEST_SUITE_END();
