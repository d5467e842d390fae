// What a client of a server should know, seen as a client sees it.
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/core.h>

#include "base/clock.h"
#include "leat/blocking.h"
#include "leat/version.h"
#include "net/address.h"
#include "net/http_client.h"
#include "tools/connect.h"
#include "tools/doctor.h"
#include "tools/metrics_text.h"
#include "tools/progress.h"

namespace leat::tools {

namespace {

constexpr std::chrono::milliseconds patience{3000};
constexpr std::uint16_t default_kafka_port = 9092;
constexpr std::uint16_t default_http_port = 8080;

/// Options for one attempt at `brokers`, within our patience.
ClientOptions options_for(std::string brokers) {
  ClientOptions options;
  options.brokers = std::move(brokers);
  options.connect_timeout = patience;
  options.request_timeout = patience;
  options.operation_timeout = patience;
  return options;
}

/// Every broker's own idea of where clients find it, tried from here.
void check_advertised(const ClusterDescription& cluster, const std::string& brokers,
                      Findings& findings) {
  for (const BrokerDescription& broker : cluster.brokers) {
    std::string address = net::Address{broker.host, broker.port}.to_string();
    std::string where = fmt::format("broker {} tells clients to connect to {}", broker.id, address);
    try {
      ClusterDescription there = blocking::Admin(options_for(address)).describe_cluster();
      if (there.id == cluster.id) {
        findings.ok("advertised", where + ", which works from here");
      } else {
        findings.fail("advertised", fmt::format("{}, and there is another cluster", where),
                      "start it with --advertised HOST:PORT of its own");
      }
    } catch (const Exception& failed) {
      findings.fail("advertised",
                    fmt::format("{}, which fails from here: {}", where, failed.what()),
                    fmt::format("start it with --advertised HOST:PORT that clients can reach, such "
                                "as {}",
                                brokers));
    }
  }
}

/// Gives false where nobody answers: then nothing else can be checked.
bool check_cluster(const DoctorOptions& options, Findings& findings) {
  ClusterDescription cluster;
  auto begin = std::chrono::steady_clock::now();
  try {
    cluster = blocking::Admin(options_for(options.brokers)).describe_cluster();
  } catch (const Exception& failed) {
    bool is_usage = failed.code() == ClientError::invalid_argument;
    findings.fail("connect", failed.what(),
                  is_usage ? "say HOST:PORT with -b"
                           : "is leat serve running, and does -b (or LEAT_BROKERS) name its Kafka "
                             "address?");
    return false;
  }
  std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  findings.ok("connect",
              fmt::format("{}: cluster {}, {} {}, in {:.1f} ms", options.brokers, cluster.id,
                          cluster.brokers.size(),
                          cluster.brokers.size() == 1 ? "broker" : "brokers", took.count()));
  check_advertised(cluster, options.brokers, findings);
  return true;
}

/// Where its HTTP side should be, if nobody said.
Result<net::Address> http_address(const DoctorOptions& options) {
  if (options.http) return net::Address::parse(*options.http, default_http_port);
  auto brokers = net::Address::parse_list(options.brokers, default_kafka_port);
  if (!brokers) return fail(brokers);
  return net::Address{brokers->front().host, default_http_port};
}

void check_clock(std::string_view metrics, std::int64_t asked_ms, std::int64_t answered_ms,
                 Findings& findings) {
  auto theirs = find_metric(metrics, "leat_time_seconds");
  if (!theirs) return;
  constexpr double skew_max_s = 1;
  double ours = static_cast<double>(asked_ms + answered_ms) / 2000;
  double skew = *theirs - ours;
  findings.expect(std::abs(skew) <= skew_max_s, "clock",
                  fmt::format("the server's clock is {:.3f} s {} ours", std::abs(skew),
                              skew < 0 ? "behind" : "ahead of"),
                  "run NTP on both machines: timestamps and retention go by these clocks");
}

void check_disk(std::string_view metrics, Findings& findings) {
  constexpr double low = 1e9;
  auto free = find_metric(metrics, "redpanda_storage_disk_free_bytes");
  if (free)
    findings.expect(*free >= low, "disk",
                    bytes_text(static_cast<std::uint64_t>(*free)) + " free for the data directory",
                    "make room, or let topics keep less: leat topic alter TOPIC -c "
                    "retention.bytes=N");
  auto damaged = find_metric(metrics, "leat_log_damaged_ranges");
  if (damaged && *damaged > 0)
    findings.fail("damage", fmt::format("{} ranges of offsets cannot be read", *damaged),
                  "stop the server and ask leat fsck --data DIR");
}

void check_descriptors(std::string_view metrics, Findings& findings) {
  auto open = find_metric(metrics, "process_open_fds");
  auto most = find_metric(metrics, "process_max_fds");
  if (!open || !most) return;
  constexpr double enough = 4096;
  bool is_enough = *most >= enough && *open * 2 < *most;
  findings.expect(is_enough, "descriptors",
                  fmt::format("the server has {} of {} descriptors open", *open, *most),
                  "give it more: ulimit -n 65536, or LimitNOFILE= in its systemd unit");
}

void check_durability(std::string_view metrics, Findings& findings) {
  auto mode = find_label(metrics, "leat_durability_mode", "mode");
  if (!mode) return;
  findings.expect(*mode == "fsync", "durability",
                  *mode == "fsync" ? "fsync: what is acknowledged is on disk"
                                   : *mode + ": a power cut may take back acknowledged records",
                  "if that is not meant, start the server with --durability fsync");
}

void check_version(std::string_view metrics, Findings& findings) {
  auto version = find_label(metrics, "leat_build_info", "version");
  if (!version) return;
  findings.expect(*version == version_text, "version",
                  fmt::format("the server is leat {}, this is leat {}", *version, version_text),
                  "use the same version on both sides");
}

void check_http(const DoctorOptions& options, Findings& findings) {
  auto address = http_address(options);
  if (!address) return findings.fail("http", address.error().what, "say HOST:PORT with --http");
  SystemClock clock;
  auto server = net::HttpClient::connect(*address, patience);
  auto ready = server ? (*server)->get("/readyz") : Result<net::HttpAnswer>(fail(server));
  std::int64_t asked_ms = clock.wall_ms();
  auto metrics = ready ? (*server)->get("/metrics") : Result<net::HttpAnswer>(fail(ready));
  std::int64_t answered_ms = clock.wall_ms();
  if (!metrics) {
    findings.warn("http", metrics.error().what,
                  "name the server's HTTP address with --http: clock, disk, limits and durability "
                  "are asked there");
    return;
  }
  std::string body = ready->body.substr(0, ready->body.find('\n'));
  if (ready->status == 200) {
    findings.ok("ready", body);
  } else {
    findings.fail("ready", body, "the server's log says more");
  }
  check_version(metrics->body, findings);
  check_durability(metrics->body, findings);
  check_clock(metrics->body, asked_ms, answered_ms, findings);
  check_disk(metrics->body, findings);
  check_descriptors(metrics->body, findings);
}

}  // namespace

void check_server(const DoctorOptions& options, Findings& findings) {
  if (check_cluster(options, findings)) check_http(options, findings);
}

}  // namespace leat::tools
