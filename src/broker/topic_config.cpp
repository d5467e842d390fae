// The table of settings. Names, types and defaults are Kafka's, so that tools written for it show
// what they expect. Settings of what a single node does not have (replication, tiers) are kept and
// shown, and change nothing.

#include "broker/topic_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include <fmt/core.h>

#include "base/assert.h"

namespace leat::broker {
namespace {

/// Old versions of DescribeConfigs cannot carry what is longer than twice this.
constexpr std::size_t config_value_bytes_max = 16 << 10;
constexpr double int32_most = std::numeric_limits<std::int32_t>::max();
constexpr double int64_most = 9.3e18;  // above any int64, which bounds the number by itself
constexpr std::string_view int64_max_text = "9223372036854775807";

constexpr std::array keys = {
    ConfigKey{
        "cleanup.policy", "log.cleanup.policy", ConfigType::list, "delete",
        "What happens to old segments: deleted by age and size, or kept for compaction by key.",
        "delete|compact"},
    ConfigKey{"compression.gzip.level", "compression.gzip.level", ConfigType::int32, "-1",
              "Kept for tools; batches stay as their producer compressed them.", "", -1, 9},
    ConfigKey{"compression.lz4.level", "compression.lz4.level", ConfigType::int32, "9",
              "Kept for tools; batches stay as their producer compressed them.", "", 1, 17},
    ConfigKey{"compression.type", "compression.type", ConfigType::string, "producer",
              "Kept for tools; batches stay as their producer compressed them.",
              "producer|uncompressed|gzip|snappy|lz4|zstd"},
    ConfigKey{"compression.zstd.level", "compression.zstd.level", ConfigType::int32, "3",
              "Kept for tools; batches stay as their producer compressed them.", "", -131072, 22},
    ConfigKey{"delete.retention.ms", "log.cleaner.delete.retention.ms", ConfigType::int64,
              "86400000", "How long compaction keeps a tombstone.", "", 0, int64_most},
    ConfigKey{"file.delete.delay.ms", "log.segment.delete.delay.ms", ConfigType::int64, "60000",
              "Kept for tools; files are removed as soon as no reader holds them.", "", 0,
              int64_most},
    ConfigKey{"flush.messages", "log.flush.interval.messages", ConfigType::int64, int64_max_text,
              "Kept for tools; the server's durability mode decides when data is synced.", "", 1,
              int64_most},
    ConfigKey{"flush.ms", "log.flush.interval.ms", ConfigType::int64, int64_max_text,
              "Kept for tools; the server's durability mode decides when data is synced.", "", 0,
              int64_most},
    ConfigKey{"follower.replication.throttled.replicas", "", ConfigType::list, "",
              "Kept for tools; a single node has no followers."},
    ConfigKey{"index.interval.bytes", "log.index.interval.bytes", ConfigType::int32, "16384",
              "About how many bytes of a segment lie between two entries of its index.", "", 1024,
              int32_most},
    ConfigKey{"leader.replication.throttled.replicas", "", ConfigType::list, "",
              "Kept for tools; a single node has no followers."},
    ConfigKey{"local.retention.bytes", "log.local.retention.bytes", ConfigType::int64, "-2",
              "Kept for tools; there is one tier of storage.", "", -2, int64_most},
    ConfigKey{"local.retention.ms", "log.local.retention.ms", ConfigType::int64, "-2",
              "Kept for tools; there is one tier of storage.", "", -2, int64_most},
    ConfigKey{"max.compaction.lag.ms", "log.cleaner.max.compaction.lag.ms", ConfigType::int64,
              int64_max_text, "How long a record may stay uncompacted.", "", 1, int64_most},
    ConfigKey{"max.message.bytes", "message.max.bytes", ConfigType::int32, "1048588",
              "The largest record batch that is accepted, as it is sent.", "", 0, int32_most},
    ConfigKey{"message.timestamp.after.max.ms", "log.message.timestamp.after.max.ms",
              ConfigType::int64, "3600000", "How far a record's timestamp may lie in the future.",
              "", 0, int64_most},
    ConfigKey{"message.timestamp.before.max.ms", "log.message.timestamp.before.max.ms",
              ConfigType::int64, int64_max_text,
              "How far a record's timestamp may lie in the past.", "", 0, int64_most},
    ConfigKey{"message.timestamp.type", "log.message.timestamp.type", ConfigType::string,
              "CreateTime", "Whether records carry the producer's time or that of their append.",
              "CreateTime|LogAppendTime"},
    ConfigKey{"min.cleanable.dirty.ratio", "log.cleaner.min.cleanable.ratio", ConfigType::decimal,
              "0.5", "The share of uncompacted bytes from which a log is compacted.", "", 0, 1},
    ConfigKey{"min.compaction.lag.ms", "log.cleaner.min.compaction.lag.ms", ConfigType::int64, "0",
              "How long a record stays uncompacted at least.", "", 0, int64_most},
    ConfigKey{"min.insync.replicas", "min.insync.replicas", ConfigType::int32, "1",
              "Kept for tools; a single node is always the one replica.", "", 1, int32_most},
    ConfigKey{"preallocate", "log.preallocate", ConfigType::boolean, "false", "Kept for tools."},
    ConfigKey{"remote.log.copy.disable", "", ConfigType::boolean, "false",
              "Kept for tools; there is one tier of storage."},
    ConfigKey{"remote.log.delete.on.disable", "", ConfigType::boolean, "false",
              "Kept for tools; there is one tier of storage."},
    // Taken for true, records would be lost that were thought to be kept elsewhere.
    ConfigKey{"remote.storage.enable", "", ConfigType::boolean, "false",
              "There is one tier of storage, so this cannot be turned on.", "false"},
    ConfigKey{"retention.bytes", "log.retention.bytes", ConfigType::int64, "-1",
              "The size of a partition above which its oldest segments go; -1 for no limit.", "",
              -1, int64_most},
    ConfigKey{"retention.ms", "log.retention.ms", ConfigType::int64, "604800000",
              "The age, counted from its last append, at which a segment goes; -1 for never.", "",
              -1, int64_most},
    ConfigKey{"segment.bytes", "log.segment.bytes", ConfigType::int32, "1073741824",
              "The size at which a new segment is begun.", "", 1024, int32_most},
    ConfigKey{"segment.index.bytes", "log.index.size.max.bytes", ConfigType::int32, "10485760",
              "Kept for tools; an index is as large as its segment needs.", "", 4, int32_most},
    ConfigKey{"segment.jitter.ms", "log.roll.jitter.ms", ConfigType::int64, "0", "Kept for tools.",
              "", 0, int64_most},
    ConfigKey{"segment.ms", "log.roll.ms", ConfigType::int64, "604800000",
              "The age at which a new segment is begun even if the last is small.", "", 1,
              int64_most},
    ConfigKey{"unclean.leader.election.enable", "unclean.leader.election.enable",
              ConfigType::boolean, "false", "Kept for tools; a single node elects nobody."},
};

static_assert(std::is_sorted(keys.begin(), keys.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));

template <class Number>
bool is_number(std::string_view text, double least, double most) {
  Number value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() &&
         static_cast<double>(value) >= least && static_cast<double>(value) <= most;
}

/// Calls `visit(part)` for the parts of `text` between commas, without surrounding spaces.
template <class Visit>
void for_each_part(std::string_view text, char separator, Visit visit) {
  while (!text.empty()) {
    std::size_t end = std::min(text.find(separator), text.size());
    std::string_view part = text.substr(0, end);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    visit(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

bool is_choice(std::string_view choices, std::string_view value) {
  bool found = false;
  for_each_part(choices, '|', [&](std::string_view choice) { found |= choice == value; });
  return found;
}

bool is_valid(const ConfigKey& key, std::string_view value) {
  switch (key.type) {
    case ConfigType::boolean:
      if (!key.choices.empty()) return is_choice(key.choices, value);
      return value == "true" || value == "false";
    case ConfigType::string: return key.choices.empty() || is_choice(key.choices, value);
    case ConfigType::int16:
    case ConfigType::int32: return is_number<std::int32_t>(value, key.least, key.most);
    case ConfigType::int64: return is_number<std::int64_t>(value, key.least, key.most);
    case ConfigType::decimal: return is_number<double>(value, key.least, key.most);
    case ConfigType::list: {
      bool valid = !value.empty() || key.choices.empty();
      for_each_part(value, ',', [&](std::string_view part) {
        valid &= key.choices.empty() || is_choice(key.choices, part);
      });
      return valid;
    }
  }
  return false;
}

std::string expectation(const ConfigKey& key) {
  if (!key.choices.empty()) return fmt::format("one of {}", key.choices);
  switch (key.type) {
    case ConfigType::boolean: return "true or false";
    case ConfigType::int16:
    case ConfigType::int32: return fmt::format("a whole number from {} to {}", key.least, key.most);
    case ConfigType::int64: return fmt::format("a whole number of at least {}", key.least);
    case ConfigType::decimal: return fmt::format("a number from {} to {}", key.least, key.most);
    case ConfigType::string:
    case ConfigType::list: return "text";
  }
  return "text";
}

std::int64_t number(const ConfigMap& configs, std::string_view name) {
  std::string text = config_value(configs, name);
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  ASSERT(error == std::errc{});
  return value;
}

double decimal(const ConfigMap& configs, std::string_view name) {
  std::string text = config_value(configs, name);
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  ASSERT(error == std::errc{} && end == text.data() + text.size());
  return value;
}

CleanupPolicy cleanup_policy(const ConfigMap& configs) {
  bool remove = false;
  bool compact = false;
  std::string text = config_value(configs, "cleanup.policy");
  for_each_part(text, ',', [&](std::string_view part) {
    remove |= part == "delete";
    compact |= part == "compact";
  });
  if (compact) return remove ? CleanupPolicy::compact_and_remove : CleanupPolicy::compact;
  return CleanupPolicy::remove;
}

}  // namespace

std::span<const ConfigKey> topic_config_keys() {
  return keys;
}

const ConfigKey* find_topic_config(std::string_view name) {
  auto found = std::lower_bound(keys.begin(), keys.end(), name,
                                [](const ConfigKey& key, auto n) { return key.name < n; });
  return found != keys.end() && found->name == name ? &*found : nullptr;
}

Result<void> check_topic_configs(const ConfigMap& configs) {
  for (const auto& [name, value] : configs) {
    const ConfigKey* key = find_topic_config(name);
    if (key == nullptr) {
      return fail(Errc::invalid_config, fmt::format("there is no topic setting '{:.200}'", name));
    }
    if (value.size() > config_value_bytes_max) {
      return fail(Errc::invalid_config,
                  fmt::format("a value of {} bytes is too long for {}: {} are "
                              "allowed",
                              value.size(), name, config_value_bytes_max));
    }
    if (!is_valid(*key, value)) {
      return fail(Errc::invalid_config, fmt::format("'{:.200}' is not a value of {}: it takes {}",
                                                    value, name, expectation(*key)));
    }
  }
  return {};
}

TopicSettings parse_topic_settings(const ConfigMap& configs) {
  TopicSettings settings;
  settings.cleanup = cleanup_policy(configs);
  settings.log.segment_bytes = number(configs, "segment.bytes");
  settings.log.segment_ms = number(configs, "segment.ms");
  settings.log.index_interval_bytes = number(configs, "index.interval.bytes");
  // What is only compacted is never removed by age or size.
  bool removes = settings.cleanup != CleanupPolicy::compact;
  settings.log.retention_bytes = removes ? number(configs, "retention.bytes") : -1;
  settings.log.retention_ms = removes ? number(configs, "retention.ms") : -1;
  settings.log.is_compacted = settings.cleanup != CleanupPolicy::remove;
  settings.log.min_compaction_lag_ms = number(configs, "min.compaction.lag.ms");
  settings.log.max_compaction_lag_ms = number(configs, "max.compaction.lag.ms");
  settings.log.delete_retention_ms = number(configs, "delete.retention.ms");
  settings.log.min_cleanable_dirty_ratio = decimal(configs, "min.cleanable.dirty.ratio");
  settings.max_message_bytes = static_cast<std::int32_t>(number(configs, "max.message.bytes"));
  settings.timestamp_before_max_ms = number(configs, "message.timestamp.before.max.ms");
  settings.timestamp_after_max_ms = number(configs, "message.timestamp.after.max.ms");
  if (config_value(configs, "message.timestamp.type") == "LogAppendTime") {
    settings.timestamps = TimestampKind::log_append_time;
  }
  return settings;
}

std::string config_value(const ConfigMap& configs, std::string_view name) {
  auto given = configs.find(std::string(name));
  if (given != configs.end()) return given->second;
  const ConfigKey* key = find_topic_config(name);
  ASSERT(key != nullptr);
  return std::string(key->default_value);
}

}  // namespace leat::broker
