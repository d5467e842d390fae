// A server as its operator sees it: start, stop, refusals, HTTP, settings.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <future>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "server/config_file.h"
#include "server/http_routes.h"
#include "server/peer.h"
#include "server/wrapped_files.h"

TEST_SUITE_BEGIN("server");

using namespace leat;
using namespace leat::server;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string get(TestServer& server, const std::string& path) {
  Peer peer = server.connect_http();
  peer.send("GET " + path + " HTTP/1.1\r\nConnection: close\r\n\r\n");
  return peer.receive_all();
}

/// A port that nobody listens on, or hardly.
std::uint16_t free_port() {
  TestServer other;
  return other.server().kafka_address().port;
}

/// The error with which a server with these options does not start.
Error refusal(const ServerOptions& options) {
  auto server = Server::start(options);
  REQUIRE_FALSE(server);
  return server.error();
}

}  // namespace

TEST_CASE("topics and records outlive a stop, and a stop under load") {
  TestServer server;
  server.create_topic("t");
  std::int64_t acknowledged = 0;
  {
    Peer peer = server.connect();
    for (int i = 0; i < 50; ++i) {
      auto partition = produce(peer, "t", batch_of({"value"}));
      CHECK(partition.error_code == wire::ErrorCode::none);
      acknowledged = partition.base_offset + 1;
    }
    // In flight when the stop comes: answered before the connection ends, or never.
    for (int i = 0; i < 50; ++i) peer.send_request(produce_request("t", batch_of({"v"})), 9, i);
    server.stop();
    for (int i = 0;; ++i) {
      auto frame = peer.receive_frame();
      if (!frame) break;
      ++acknowledged;
    }
  }
  server.restart();
  Peer peer = server.connect();
  CHECK(fetch(peer, fetch_request("t", 0)).high_watermark >= acknowledged);
}

TEST_CASE("a stop takes bounded time, whatever peers do") {
  TestServer server(
      [](ServerOptions& options) { options.limits.stop_timeout = milliseconds(100); });
  server.create_topic("t");
  Peer idle = server.connect();
  Peer half = server.connect();
  half.send("\0\0");
  Peer deaf = server.connect();
  Bytes large = batch_of({std::string(900'000, 'x')});
  produce(deaf, "t", large);
  for (int i = 0; i < 50; ++i) deaf.send_request(fetch_request("t", 0), 12);
  server.stop();
  CHECK(idle.is_closed_by_server());
  CHECK(half.is_closed_by_server());
}

TEST_CASE("a listener beyond loopback is refused unless it is forced") {
  TemporaryDirectory directory;
  ServerOptions options;
  options.broker.store.directory = directory.path() + "/data";
  options.kafka = {"0.0.0.0", 0};
  CHECK(contains(refusal(options).what, "--insecure"));
  options.kafka = {"127.0.0.1", 0};
  options.http = net::Address{"0.0.0.0", 0};
  CHECK(contains(refusal(options).what, "HTTP"));
  options.is_public_allowed = true;
  CHECK(Server::start(options));
}

TEST_CASE("a taken port, a held directory and a newer format are refused with what to do") {
  TestServer server;
  TemporaryDirectory directory;
  ServerOptions options;
  options.broker.store.directory = directory.path() + "/data";
  options.kafka = server.server().kafka_address();
  Error taken = refusal(options);
  CHECK(contains(taken.what, server.server().kafka_address().to_string()));

  options = ServerOptions();
  options.kafka = {"127.0.0.1", 0};
  options.broker.store.directory = directory.path();
  std::ofstream(directory.path() + "/format") << "leat data directory, format 99\n";
  CHECK(refusal(options).code == Errc::unsupported_format);

  options = server.options();
  Error held = refusal(options);
  CHECK(held.code == Errc::locked);
  CHECK(contains(held.what, "pid "));
  CHECK(contains(held.what, "-b " + server.server().kafka_address().to_string()));
}

TEST_CASE("health, readiness and metrics are answered over HTTP, anything else is 404 or 405") {
  TestServer server;
  server.create_topic("measured", 2);
  Peer peer = server.connect();
  produce(peer, "measured", batch_of({"a", "b"}), 1);
  CHECK(contains(get(server, "/healthz"), "200 OK"));
  std::string ready = get(server, "/readyz");
  CHECK(contains(ready, "200 OK"));
  CHECK(contains(ready, R"("status":"ready")"));
  std::string metrics = get(server, "/metrics");
  for (std::string line : {
           "kafka_brokers 1\n",
           "kafka_topic_partition_current_offset{topic=\"measured\",partition=\"1\"} 2\n",
           "kafka_topic_partition_oldest_offset{topic=\"measured\",partition=\"0\"} 0\n",
           "leat_kafka_requests_total{api=\"Produce\"} 1\n",
           "leat_kafka_connections 1\n",
           "leat_durability_mode{mode=\"fsync\"} 1\n",
           "redpanda_storage_disk_free_bytes ",
           "leat_kafka_request_latency_seconds_count{api=\"Produce\"} 1\n",
       }) {
    CHECK_MESSAGE(contains(metrics, line), line);
  }
  CHECK(contains(get(server, "/nothing"), "404"));
  Peer poster = server.connect_http();
  poster.send("DELETE /metrics HTTP/1.1\r\nConnection: close\r\n\r\n");
  std::string refusal = poster.receive_all();
  CHECK(contains(refusal, "405"));
  CHECK(contains(refusal, "Allow: GET, HEAD\r\n"));
}

TEST_CASE("until it has recovered, and when it stops, a server is alive and not ready") {
  Metrics metrics;
  Progress progress;
  auto status = [&](const std::string& path) {
    return answer_http({"GET", path, ""}, progress, metrics).status;
  };
  CHECK(status("/readyz") == 503);
  CHECK(status("/healthz") == 200);
  CHECK(status("/metrics") == 200);
  progress.phase = Progress::Phase::stopping;
  CHECK(status("/readyz") == 503);
}

TEST_CASE("a signal during recovery stops the server soon, and the next start recovers all") {
  TestServer server;
  server.create_topic("t", 3);
  {
    Peer peer = server.connect();
    for (std::int32_t p = 0; p < 3; ++p) produce(peer, "t", batch_of({"a"}), p);
  }
  // As a crash: the next start has a journal to apply.
  server.server().stop_now();
  static_cast<void>(server.server().wait());
  ServerOptions options = server.options();
  server.discard();

  std::atomic<bool> is_recovering{false};
  std::atomic<bool> may_go_on{false};
  auto hold = [&](file::FilePtr real, const std::string& path) {
    if (contains(path, "/partitions/")) {
      is_recovering = true;
      may_go_on.wait(false);
    }
    return real;
  };
  options.handle_signals = true;
  options.http = net::Address{"127.0.0.1", free_port()};
  auto starting = std::async(std::launch::async, [&] {
    return Server::start(options, std::make_unique<WrappedFiles>(hold));
  });
  CHECK(wait_for([&] { return is_recovering.load(); }));
  auto ask = [&](const std::string& path) {
    Peer peer(*options.http);
    peer.send("GET " + path + " HTTP/1.1\r\nConnection: close\r\n\r\n");
    return peer.receive_all();
  };
  std::string ready = ask("/readyz");
  CHECK(contains(ready, "503"));
  CHECK(contains(ready, R"("status":"recovering")"));
  CHECK(contains(ready, R"("percent":)"));
  ::kill(::getpid(), SIGTERM);
  CHECK(wait_for([&] { return contains(ask("/readyz"), "stopping"); }));
  may_go_on = true;
  may_go_on.notify_all();
  auto stopped = starting.get();
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == Errc::cancelled);

  server.restart();
  Peer peer = server.connect();
  for (std::int32_t p = 0; p < 3; ++p) {
    CHECK(fetch(peer, fetch_request("t", 0, p)).high_watermark == 1);
  }
}

TEST_CASE("errors that clients are answered with are counted by their name") {
  TestServer server;
  Peer peer = server.connect();
  for (int i = 0; i < 2; ++i) produce(peer, "missing", batch_of({"a"}));
  CHECK(contains(get(server, "/metrics"),
                 "leat_kafka_errors_total{error=\"UNKNOWN_TOPIC_OR_PARTITION\"} 2\n"));
}

TEST_CASE("a config file sets what it names, and says where it is wrong") {
  ServerOptions options;
  std::string good = R"(
data = "/var/lib/leat"
listen = "127.0.0.1:1234"
durability = "interval"
[topics]
default_partitions = 4
auto_create = false
[limits]
idle_timeout_ms = 5
)";
  REQUIRE(apply_config(good, "leat.toml", options));
  CHECK(options.broker.store.directory == "/var/lib/leat");
  CHECK(options.kafka == net::Address{"127.0.0.1", 1234});
  CHECK(options.broker.store.durability == log::Durability::interval);
  CHECK(options.broker.default_partitions == 4);
  CHECK_FALSE(options.broker.auto_create_topics);
  CHECK(options.limits.idle_timeout == milliseconds(5));

  auto check_refused = [&](const std::string& text, const std::string& why) {
    auto applied = apply_config(text, "leat.toml", options);
    REQUIRE_FALSE(applied);
    CHECK(applied.error().code == Errc::invalid_argument);
    CHECK_MESSAGE(contains(applied.error().what, why), applied.error().what);
  };
  check_refused("data = 1", "leat.toml:1:8: 'data' takes a text");
  check_refused("\ndurabilty = \"os\"",
                "leat.toml:2:1: there is no setting 'durabilty'; did you "
                "mean 'durability'?");
  check_refused("[limits]\nidle_timeout = 5", "did you mean 'limits.idle_timeout_ms'?");
  check_refused("default_partitions = 5", "did you mean 'topics.default_partitions'?");
  check_refused("zzzzzzzzzzz = 5", "there is no setting 'zzzzzzzzzzz'");
  check_refused("durability = \"never\"", "takes fsync, interval or os");
  check_refused("[topics]\ndefault_partitions = 0", "whole number of at least 1");
  check_refused("[topics]\nauto_create = 1", "true or false");
  check_refused("listen = \"127.0.0.1\"", "takes HOST:PORT");
  check_refused("data = ", "leat.toml:1:");
}

TEST_SUITE_END();
