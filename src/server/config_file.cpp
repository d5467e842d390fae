#include "server/config_file.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include <fmt/core.h>
#include <toml++/toml.h>

namespace leat::server {
namespace {

/// Why a value is refused; empty when it was taken.
using Refusal = std::string;
using Set = std::function<Refusal(const toml::node&)>;

struct Setting {
  std::string name;  // with its table: "limits.connections"
  Set set;
};

Set flag(bool& into) {
  return [&into](const toml::node& node) -> Refusal {
    auto value = node.value_exact<bool>();
    if (!value) return "takes true or false";
    into = *value;
    return "";
  };
}

/// A level of a feature.
Set level(std::int16_t& into, std::int16_t most) {
  return [&into, most](const toml::node& node) -> Refusal {
    auto value = node.value_exact<std::int64_t>();
    if (!value || *value < 0 || *value > most) {
      return fmt::format("takes a whole number from 0 to {}", most);
    }
    into = static_cast<std::int16_t>(*value);
    return "";
  };
}

/// A whole number of at least `least`.
template <class T>
Set number(T& into, std::int64_t least) {
  return [&into, least](const toml::node& node) -> Refusal {
    auto value = node.value_exact<std::int64_t>();
    if (!value || *value < least || !std::in_range<T>(*value)) {
      return fmt::format("takes a whole number of at least {}", least);
    }
    into = static_cast<T>(*value);
    return "";
  };
}

Set milliseconds(std::chrono::milliseconds& into) {
  return [&into](const toml::node& node) -> Refusal {
    auto value = node.value_exact<std::int64_t>();
    if (!value || *value < 1) return "takes a number of milliseconds";
    into = std::chrono::milliseconds(*value);
    return "";
  };
}

Set text(std::function<Refusal(const std::string&)> take) {
  return [take = std::move(take)](const toml::node& node) -> Refusal {
    auto value = node.value_exact<std::string>();
    return value ? take(*value) : "takes a text in quotes";
  };
}

Set address(std::optional<std::uint16_t> default_port, std::function<void(net::Address)> take) {
  return text([default_port, take = std::move(take)](const std::string& value) -> Refusal {
    auto parsed = net::Address::parse(value, default_port);
    if (!parsed) return "takes HOST:PORT; " + parsed.error().what;
    take(std::move(*parsed));
    return "";
  });
}

std::vector<Setting> settings(ServerOptions& options) {
  Limits& limits = options.limits;
  broker::BrokerOptions& broker = options.broker;
  log::StoreOptions& store = broker.store;
  auto take_durability = [&store](const std::string& value) -> Refusal {
    auto parsed = parse_durability(value);
    if (!parsed) return parsed.error().what;
    store.durability = *parsed;
    return "";
  };
  return {
      {"data", text([&store](const std::string& value) -> Refusal {
         store.directory = value;
         return value.empty() ? "takes the name of a directory" : "";
       })},
      {"listen", address({}, [&options](net::Address a) { options.kafka = std::move(a); })},
      {"http", address({}, [&options](net::Address a) { options.http = std::move(a); })},
      {"advertised", address(0, [&options](net::Address a) { options.advertised = std::move(a); })},
      {"shards", number(options.shards, 1)},
      {"insecure", flag(options.is_public_allowed)},
      {"durability", text(take_durability)},
      {"store.sync_interval_ms", milliseconds(store.sync_interval)},
      {"store.journal_bytes", number(store.journal_bytes, 1 << 20)},
      {"store.pending_bytes", number(store.pending_bytes_max, 1 << 20)},
      {"store.free_bytes_min", number(store.free_bytes_min, 0)},
      {"store.scrub_bytes_per_second", number(store.scrub_bytes_per_second, 0)},
      {"topics.auto_create", flag(broker.auto_create_topics)},
      {"topics.default_partitions", number(broker.default_partitions, 1)},
      {"topics.partitions_max", number(broker.partitions_max, 1)},
      {"topics.accept_replication", flag(options.accept_replication)},
      {"transactions.version", level(options.transaction_version, 2)},
      {"limits.connections", number(limits.connections_max, 1)},
      {"limits.connections_per_address", number(limits.connections_per_address_max, 1)},
      {"limits.frame_bytes", number(limits.frame_bytes_max, 1 << 10)},
      {"limits.request_memory_bytes", number(limits.request_memory_bytes, 1 << 20)},
      {"limits.fetch_bytes", number(limits.fetch_bytes_max, 1 << 10)},
      {"limits.fetch_sessions", number(limits.fetch_sessions_max, 0)},
      {"limits.fetch_session_bytes", number(limits.fetch_session_bytes_max, 0)},
      {"limits.frame_timeout_ms", milliseconds(limits.frame_timeout)},
      {"limits.write_timeout_ms", milliseconds(limits.write_timeout)},
      {"limits.idle_timeout_ms", milliseconds(limits.idle_timeout)},
      {"limits.stop_timeout_ms", milliseconds(limits.stop_timeout)},
  };
}

/// Letters to add, drop or change to make one of the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string suggest(const std::string& name, const std::vector<Setting>& known) {
  auto distance = [&](const Setting& setting) {
    // A name without its table, or in the wrong one, is a likely slip.
    std::string own = setting.name.substr(setting.name.find('.') + 1);
    std::string asked = name.substr(name.find('.') + 1);
    return std::min(edit_distance(name, setting.name), edit_distance(asked, own) + 1);
  };
  auto nearest = std::min_element(
      known.begin(), known.end(),
      [&](const Setting& a, const Setting& b) { return distance(a) < distance(b); });
  bool is_near = distance(*nearest) <= std::max<std::size_t>(2, name.size() / 3);
  return is_near ? fmt::format("; did you mean '{}'?", nearest->name) : "";
}

class Reader {
 public:
  Reader(const std::string& name, std::vector<Setting> known)
      : name_(name), known_(std::move(known)) {}

  Result<void> read(const toml::table& table, const std::string& prefix) {
    for (const auto& [key, node] : table) {
      std::string path = prefix + std::string(key.str());
      bool is_table = std::any_of(known_.begin(), known_.end(),
                                  [&](const Setting& s) { return s.name.starts_with(path + "."); });
      Result<void> done =
          is_table && node.is_table() ? read(*node.as_table(), path + ".") : set(path, key, node);
      if (!done) return done;
    }
    return {};
  }

 private:
  Result<void> set(const std::string& path, const toml::key& key, const toml::node& node) {
    auto setting = std::find_if(known_.begin(), known_.end(),
                                [&](const Setting& s) { return s.name == path; });
    if (setting == known_.end()) {
      return refuse(key.source(),
                    fmt::format("there is no setting '{}'{}", path, suggest(path, known_)));
    }
    Refusal refusal = setting->set(node);
    if (refusal.empty()) return {};
    return refuse(node.source(), fmt::format("'{}' {}", path, refusal));
  }

  Result<void> refuse(const toml::source_region& where, const std::string& what) const {
    return fail(Errc::invalid_argument,
                fmt::format("{}:{}:{}: {}", name_, where.begin.line, where.begin.column, what));
  }

  const std::string& name_;
  std::vector<Setting> known_;
};

}  // namespace

Result<log::Durability> parse_durability(std::string_view text) {
  for (auto durability : {log::Durability::fsync, log::Durability::interval, log::Durability::os}) {
    if (text == name(durability)) return durability;
  }
  return fail(Errc::invalid_argument, "takes fsync, interval or os");
}

std::string_view name(log::Durability durability) {
  switch (durability) {
    case log::Durability::fsync: return "fsync";
    case log::Durability::interval: return "interval";
    case log::Durability::os: return "os";
  }
  return "unknown";
}

Result<void> apply_config(std::string_view config, const std::string& name,
                          ServerOptions& options) {
  try {
    toml::table table = toml::parse(config, name);
    return Reader(name, settings(options)).read(table, "");
  } catch (const toml::parse_error& error) {
    const auto& where = error.source().begin;
    return fail(Errc::invalid_argument,
                fmt::format("{}:{}:{}: {}", name, where.line, where.column, error.description()));
  }
}

}  // namespace leat::server
