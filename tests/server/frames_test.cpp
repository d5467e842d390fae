// What comes over a connection before any handler sees it: frames, headers, order, and peers that
// are slow or gone.
#include <sys/resource.h>

#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "server/peer.h"

TEST_SUITE_BEGIN("server");

using namespace leat;
using namespace leat::server;

namespace {

Bytes raw(const std::function<void(ByteWriter&)>& write) {
  Bytes bytes;
  ByteWriter writer(bytes);
  write(writer);
  return bytes;
}

/// A frame of `size` whose content `write` gives.
Bytes frame(const std::function<void(ByteWriter&)>& write) {
  Bytes content = raw(write);
  return raw([&](ByteWriter& out) {
    out.write(static_cast<std::int32_t>(content.size()));
    out.write_bytes(content);
  });
}

Bytes request_header(
    std::int16_t key, std::int16_t version,
    const std::function<void(ByteWriter&)>& body = [](ByteWriter&) {}) {
  return frame([&](ByteWriter& out) {
    out.write(key);
    out.write(version);
    out.write(std::int32_t{1});
    out.write(std::int16_t{-1});
    body(out);
  });
}

/// The server closes the connection over which `bytes` came, and goes on serving others.
void check_closes(TestServer& server, const Bytes& bytes) {
  Peer peer = server.connect();
  peer.send(bytes);
  CHECK(peer.is_closed_by_server());
  Peer other = server.connect();
  CHECK(other.ask(wire::ApiVersionsRequest{}, 0).error_code == wire::ErrorCode::none);
}

}  // namespace

TEST_CASE("a negative or giant frame size ends the connection (fault 16)") {
  TestServer server;
  for (std::int32_t size : {-1, INT32_MIN, 100 * 1024 * 1024 + 1, INT32_MAX}) {
    check_closes(server, raw([&](ByteWriter& out) { out.write(size); }));
  }
}

TEST_CASE("lengths beyond the frame, negative ones and overflowing counts end it (fault 17)") {
  TestServer server;
  // Metadata v1: an array of topics.
  for (std::int32_t count : {-2, 1, 1000, 0x7fffffff, 0x40000000}) {
    check_closes(server, request_header(3, 1, [&](ByteWriter& out) { out.write(count); }));
  }
  for (std::int16_t length : {std::int16_t{-1}, std::int16_t{100}, std::int16_t{32767}}) {
    check_closes(server, request_header(3, 1, [&](ByteWriter& out) {
                   out.write(std::int32_t{1});
                   out.write(length);
                   out.write_bytes(as_bytes("abc"));
                 }));
  }
}

TEST_CASE("overlong varints and bad tagged fields in a header end it (fault 18)") {
  TestServer server;
  // Metadata v9 has a flexible header: its tags are a varint count of (tag, size, bytes).
  std::vector<std::vector<std::uint8_t>> tails{
      {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01},  // a count of more than five bytes
      {0x01, 0x00, 0x05, 0x61},                    // a tag longer than what is left
      {0x01, 0x00, 0xff, 0xff, 0xff, 0xff, 0x0f},  // a tag of 4 GiB
  };
  for (const auto& tail : tails) {
    check_closes(server, request_header(3, 9, [&](ByteWriter& out) {
                   for (std::uint8_t byte : tail) out.write(byte);
                 }));
  }
}

TEST_CASE("an unknown API and an unsupported version end the connection (fault 19)") {
  TestServer server;
  check_closes(server, request_header(999, 0));
  check_closes(server, request_header(-1, 0));
  check_closes(server, request_header(1, 99));  // Fetch
  check_closes(server, request_header(0, 2));   // Produce is advertised from 0 and served from 3
  check_closes(server, request_header(3, -1));
  check_closes(server, frame([](ByteWriter&) {}));
  check_closes(server, frame([](ByteWriter& out) { out.write(std::int16_t{18}); }));
}

TEST_CASE("but an unknown version of ApiVersions is answered as version 0 (fault 19)") {
  TestServer server;
  for (std::int16_t version : {std::int16_t{5}, std::int16_t{99}, std::int16_t{-1}}) {
    Peer peer = server.connect();
    peer.send(request_header(18, version, [](ByteWriter& out) { out.write_bytes(as_bytes("?")); }));
    auto response = peer.receive<wire::ApiVersionsRequest>(0);
    CHECK(response.error_code == wire::ErrorCode::unsupported_version);
    CHECK(!response.api_keys.empty());
    CHECK(peer.ask(wire::ApiVersionsRequest{}, 0).error_code == wire::ErrorCode::none);
  }
}

TEST_CASE("pipelined requests are answered in order, however their bytes arrive (fault 30)") {
  TestServer server;
  server.create_topic("t");
  Bytes batch = batch_of({"a"});
  Bytes stream;
  constexpr int rounds = 40;
  for (int i = 0; i < rounds; ++i) {
    auto add = [&](const Bytes& bytes) { stream.insert(stream.end(), bytes.begin(), bytes.end()); };
    add(Peer::encode(produce_request("t", batch), 9, 3 * i));
    add(Peer::encode(produce_request("t", batch), 9, 3 * i + 1));
    add(Peer::encode(wire::MetadataRequest{}, 12, 3 * i + 2));
  }
  for (std::size_t step : {std::size_t{1}, std::size_t{1000}, stream.size()}) {
    Peer peer = server.connect();
    std::thread writer([&] {
      for (std::size_t at = 0; at < stream.size(); at += step) {
        peer.send(BytesView(stream).subspan(at, std::min(step, stream.size() - at)));
      }
    });
    std::int64_t last = -1;
    for (int i = 0; i < rounds; ++i) {
      for (int j = 0; j < 2; ++j) {
        auto response = peer.receive<wire::ProduceRequest>(9, 3 * i + j);
        std::int64_t offset = response.responses[0].partition_responses[0].base_offset;
        CHECK(offset > last);
        last = offset;
      }
      peer.receive<wire::MetadataRequest>(12, 3 * i + 2);
    }
    writer.join();
  }
}

TEST_CASE("a request after a Produce sees what was produced") {
  TestServer server;
  server.create_topic("t");
  Peer peer = server.connect();
  Bytes batch = batch_of({"a", "b"});
  for (std::int16_t acks : {std::int16_t{0}, std::int16_t{1}}) {
    peer.send_request(produce_request("t", batch, 0, acks), 9, 7);
    peer.send_request(fetch_request("t", 0), 12, 8);
    if (acks != 0) peer.receive<wire::ProduceRequest>(9, 7);
    auto response = peer.receive<wire::FetchRequest>(12, 8);
    CHECK(response.responses[0].partitions[0].high_watermark == (acks == 0 ? 2 : 4));
  }
}

TEST_CASE("a peer that ends its side still gets its answers") {
  TestServer server;
  server.create_topic("t");
  Peer peer = server.connect();
  for (int i = 0; i < 10; ++i) peer.send_request(produce_request("t", batch_of({"a"})), 9, i);
  peer.end();
  for (int i = 0; i < 10; ++i) peer.receive<wire::ProduceRequest>(9, i);
  CHECK(peer.is_closed_by_server());
}

TEST_CASE("a frame that does not arrive in time ends the connection (fault 28)") {
  TestServer server(
      [](ServerOptions& options) { options.limits.frame_timeout = milliseconds(50); });
  Bytes request = Peer::encode(wire::MetadataRequest{}, 12);
  for (std::size_t bytes : {std::size_t{1}, std::size_t{4}, request.size() - 1}) {
    Peer peer = server.connect();
    peer.send(BytesView(request).first(bytes));
    CHECK(peer.is_closed_by_server());
  }
  // Bytes that trickle in do not move the deadline: these would take ten seconds.
  wire::MetadataRequest long_one;
  long_one.topics.emplace().emplace_back().name = std::string(2'000, 'x');
  request = Peer::encode(long_one, 12);
  Peer slow = server.connect();
  std::atomic<bool> is_over = false;
  std::atomic<std::size_t> sent = 0;
  std::jthread writer([&] {
    for (; sent + 1 < request.size() && !is_over; ++sent) {
      slow.send(BytesView(request).subspan(sent, 1));
      std::this_thread::sleep_for(milliseconds(5));
    }
  });
  CHECK(slow.is_closed_by_server());
  CHECK(sent + 1 < request.size());
  is_over = true;
  writer.join();
}

TEST_CASE("a silent connection is closed when it was idle long enough, not while it waits") {
  TestServer server([](ServerOptions& options) { options.limits.idle_timeout = milliseconds(50); });
  server.create_topic("t");
  Peer idle = server.connect();
  CHECK(idle.is_closed_by_server());
  Peer used = server.connect();
  used.ask(wire::MetadataRequest{}, 12);
  CHECK(used.is_closed_by_server());
  Peer waiting = server.connect();
  wire::FetchRequest request = fetch_request("t", 0);
  request.min_bytes = 1;
  request.max_wait_ms = 300;
  CHECK(fetch(waiting, request).error_code == wire::ErrorCode::none);
}

TEST_CASE("a peer that never reads its answers is closed, and holds bounded memory (fault 28)") {
  TestServer server(
      [](ServerOptions& options) { options.limits.write_timeout = milliseconds(100); });
  server.create_topic("t", 100);
  Peer peer = server.connect();
  Bytes request = Peer::encode(wire::MetadataRequest{}, 12);
  // Some 6 KB each: far more than sockets hold.
  for (int i = 0; i < 20'000; ++i) peer.send(request);
  Counter& closed = server.server().metrics().counter("leat_kafka_connections_timed_out_total", "");
  CHECK(wait_for([&] { return closed.value() > 0; }));
  Peer other = server.connect();
  CHECK(other.ask(wire::ApiVersionsRequest{}, 0).error_code == wire::ErrorCode::none);
}

TEST_CASE("clients that vanish in the middle of anything leave nothing behind (fault 30)") {
  TestServer server;
  server.create_topic("t");
  {
    Peer producer = server.connect();
    produce(producer, "t", batch_of(std::vector<std::string>(1000, std::string(1000, 'x'))));
  }
  wire::FetchRequest waiting = fetch_request("t", 1000);
  waiting.min_bytes = 1;
  waiting.max_wait_ms = 1'000'000;
  for (int i = 0; i < 20; ++i) {
    Peer waits = server.connect();
    waits.send_request(waiting, 12);
    Peer leaves_answers = server.connect();
    for (int j = 0; j < 50; ++j) leaves_answers.send_request(fetch_request("t", 0), 12);
    Peer leaves_half = server.connect();
    leaves_half.send(BytesView(Peer::encode(produce_request("t", batch_of({"a"})), 9)).first(30));
    if (i % 2 == 0) leaves_answers.reset();
  }
  Gauge& open = server.server().metrics().gauge("leat_kafka_connections", "");
  CHECK(wait_for([&] { return open.value() == 0; }));
}

TEST_CASE("connections beyond the caps are refused, and those there are go on (fault 29)") {
  TestServer server([](ServerOptions& options) {
    options.limits.connections_max = 10;
    options.limits.connections_per_address_max = 3;
  });
  std::vector<Peer> peers;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(server.connect());
    peers.back().ask(wire::ApiVersionsRequest{}, 0);
  }
  Peer fourth = server.connect();
  fourth.send_request(wire::ApiVersionsRequest{}, 0);
  CHECK(fourth.is_closed_by_server());
  CHECK(peers[0].ask(wire::ApiVersionsRequest{}, 0).error_code == wire::ErrorCode::none);
}

TEST_CASE("a thousand connections are open at once, and each is answered (fault 29)") {
  constexpr std::size_t count = 1'000;
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  if (limit.rlim_max < 3 * count || ::setrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  TestServer server;
  Gauge& open = server.server().metrics().gauge("leat_kafka_connections", "");
  {
    std::vector<Peer> peers;
    for (std::size_t i = 0; i < count; ++i) peers.push_back(server.connect());
    CHECK(wait_for([&] { return open.value() == count; }));
    for (Peer& peer : peers) peer.send_request(wire::ApiVersionsRequest{}, 0);
    for (Peer& peer : peers) {
      CHECK(peer.receive<wire::ApiVersionsRequest>(0).error_code == wire::ErrorCode::none);
    }
  }
  CHECK(wait_for([&] { return open.value() == 0; }));
}

TEST_CASE("requests wait for memory when all of it is in use, and then go on (fault 14)") {
  TestServer server([](ServerOptions& options) { options.limits.request_memory_bytes = 3 << 20; });
  server.create_topic("t", 1, {{"max.message.bytes", "2000000"}});
  Bytes large = batch_of({std::string(900'000, 'x')});
  std::vector<std::thread> producers;
  std::atomic<int> taken = 0;
  for (int i = 0; i < 6; ++i) {
    producers.emplace_back([&] {
      Peer peer = server.connect();
      for (int j = 0; j < 5; ++j) {
        auto partition = produce(peer, "t", large);
        if (partition.error_code == wire::ErrorCode::none) ++taken;
      }
    });
  }
  for (auto& producer : producers) producer.join();
  CHECK(taken == 30);
}

TEST_SUITE_END();
