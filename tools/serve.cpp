// leat serve: a data directory behind Kafka's protocol and HTTP.
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "file/posix_file_system.h"
#include "leat/version.h"
#include "server/config_file.h"
#include "server/server.h"
#include "tools/commands.h"

namespace leat::tools {

namespace {

struct Flags {
  std::optional<std::string> data;
  std::optional<std::string> listen;
  std::optional<std::string> http;
  std::optional<std::string> pg;
  std::optional<std::string> advertised;
  std::optional<std::string> durability;
  std::optional<std::string> config;
  std::optional<std::int64_t> shards;
  bool is_insecure = false;
};

// What else but connections needs descriptors: segments, the journal, the listeners.
constexpr std::uint64_t reserved_descriptors = 512;

/// Takes all the descriptors that the system grants, and leaves the log its share of them.
void fit_descriptors(server::ServerOptions& options) {
  server::Limits& limits = options.limits;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max == RLIM_INFINITY) return;
  std::uint64_t spare =
      std::max<std::uint64_t>(limit.rlim_max, 2 * reserved_descriptors) - reserved_descriptors;
  limits.connections_max = std::min<std::uint64_t>(limits.connections_max, spare);
  // Listeners, the journal and directories need a few.
  std::uint64_t taken = limits.connections_max + 128;
  options.broker.store.open_segments_max =
      std::max<std::uint64_t>(limit.rlim_max, taken + 64) - taken;
}

Result<void> apply_address(const std::optional<std::string>& text, const char* flag,
                           std::optional<std::uint16_t> default_port,
                           std::optional<net::Address>& into) {
  if (!text) return {};
  auto address = net::Address::parse(*text, default_port);
  if (!address) return fail(Errc::invalid_argument, flag + (": " + address.error().what));
  into = std::move(*address);
  return {};
}

Result<void> apply_flags(const Flags& flags, server::ServerOptions& options) {
  if (flags.pg) {
    return fail(Errc::invalid_argument,
                "--pg: this version has no PostgreSQL listener; leave the option out");
  }
  if (flags.data) options.broker.store.directory = *flags.data;
  std::optional<net::Address> kafka = options.kafka;
  Result<void> applied = apply_address(flags.listen, "--listen", std::nullopt, kafka);
  if (applied) applied = apply_address(flags.http, "--http", std::nullopt, options.http);
  if (applied) applied = apply_address(flags.advertised, "--advertised", 0, options.advertised);
  if (!applied) return applied;
  options.kafka = *kafka;
  if (flags.durability) {
    auto durability = server::parse_durability(*flags.durability);
    if (!durability)
      return fail(durability.error().code, "--durability " + durability.error().what);
    options.broker.store.durability = *durability;
  }
  if (flags.shards) {
    if (*flags.shards < 1 || *flags.shards > 1024) {
      return fail(Errc::invalid_argument, "--shards takes a number from 1 to 1024");
    }
    options.shards = static_cast<std::size_t>(*flags.shards);
  }
  options.is_public_allowed = options.is_public_allowed || flags.is_insecure;
  return {};
}

const char* describe(log::Finding::Kind kind) {
  switch (kind) {
    case log::Finding::Kind::damage: return "DAMAGE";
    case log::Finding::Kind::cut: return "cut";
    case log::Finding::Kind::accepted: return "accepted loss";
    case log::Finding::Kind::seal: return "seal";
    case log::Finding::Kind::index: return "index";
    case log::Finding::Kind::journal: return "journal";
    case log::Finding::Kind::unknown: return "unknown file";
  }
  return "finding";
}

void print_finding(const log::Finding& finding) {
  fmt::print(stderr, "  {}: {}, offsets {} to {}, {} bytes at {}: {}\n", describe(finding.kind),
             finding.path, finding.offsets.base.value(), finding.offsets.next.value(),
             finding.bytes, finding.position, finding.cause);
}

void print_banner(const server::Server& server) {
  const log::StoreOptions& store = server.options().broker.store;
  const char* promise = "";
  switch (store.durability) {
    case log::Durability::fsync: promise = "acknowledged records are on disk"; break;
    case log::Durability::interval:
      promise = "a power cut may take back the last acknowledged records";
      break;
    case log::Durability::os:
      promise = "a power cut may take back acknowledged records of the last half minute";
      break;
  }
  fmt::print(stderr, "leat {}: data in {}, durability {} ({})\n", version_text, store.directory,
             server::name(store.durability), promise);
  bool is_damaged = false;
  for (const log::Finding& finding : server.findings()) {
    is_damaged = is_damaged || finding.kind == log::Finding::Kind::damage;
    print_finding(finding);
  }
  if (is_damaged) {
    fmt::print(stderr,
               "Acknowledged records are DAMAGED. They are not served, everything else is. Look: "
               "leat fsck --data {}\n",
               store.directory);
  }
  if (server.options().advertised) {
    fmt::print(stderr, "Clients are told to connect to {}.\n",
               server.options().advertised->to_string());
  }
  fmt::print(stderr, "Try: kcat -b {} -L\n", server.kafka_address().to_string());
}

int serve(const Flags& flags) {
  auto files = std::make_unique<file::PosixFileSystem>();
  server::ServerOptions options;
  options.broker.store.directory = "./leat-data";
  options.http = net::Address{"127.0.0.1", 8080};
  options.handle_signals = true;
  if (flags.config) {
    auto text = file::read_file(*files, *flags.config);
    Result<void> applied = text ? server::apply_config(as_text(*text), *flags.config, options)
                                : Result<void>(fail(text));
    if (!applied) {
      complain(applied.error().what);
      return exit_error;
    }
  }
  if (auto applied = apply_flags(flags, options); !applied) {
    complain(applied.error().what);
    return exit_usage;
  }
  fit_descriptors(options);
  auto server = server::Server::start(std::move(options), std::move(files));
  if (!server) {
    complain(server.error().what);
    return exit_error;
  }
  (*server)->metrics().collect("leat_build_info", "gauge", "1 for the version that is running.",
                               [](const Metrics::Write& write) {
                                 write({{"version", version_text}}, 1);
                               });
  print_banner(**server);
  fmt::print("kafka {}\n", (*server)->kafka_address().to_string());
  if (auto http = (*server)->http_address()) fmt::print("http {}\n", http->to_string());
  fmt::print("ready\n");
  std::fflush(stdout);
  Result<void> ended = (*server)->wait();
  if (!ended) complain(ended.error().what);
  return ended ? exit_ok : exit_error;
}

void declare(Arguments& arguments) {
  auto flags = std::make_shared<Flags>();
  arguments.option("-d,--data DIR", flags->data, "The data directory [./leat-data]");
  arguments.option("--listen HOST:PORT", flags->listen, "For Kafka clients [127.0.0.1:9092]");
  arguments.option("--http HOST:PORT", flags->http, "For health and metrics [127.0.0.1:8080]");
  arguments.option("--pg HOST:PORT", flags->pg, "For PostgreSQL clients; not in this version");
  arguments.option("--advertised HOST[:PORT]", flags->advertised,
                   "What clients are told to connect to [where they connected]");
  arguments.option("--durability MODE", flags->durability,
                   "When a record counts as durable: fsync, interval or os [fsync]");
  arguments.option("--shards N", flags->shards,
                   "Threads that connections and partitions are spread over [1]");
  arguments.option("--config FILE", flags->config,
                   "A TOML file of settings; the options above win");
  arguments.flag("--insecure", flags->is_insecure,
                 "Listen beyond this machine without encryption and authentication");
  arguments.run([flags] { return serve(*flags); });
}

}  // namespace

const Command serve_command{
    "serve", "Serve a data directory to Kafka clients",
    "  leat serve                                    here, on 127.0.0.1:9092 and :8080\n"
    "  leat serve --data /var/lib/leat --http 127.0.0.1:0\n"
    "  leat serve --listen 0.0.0.0:9092 --advertised broker.lan --insecure\n"
    "  leat serve --durability os                    faster, and less safe\n",
    declare};

}  // namespace leat::tools
