// A topic's settings by Kafka's names: which exist, their defaults, what values they take.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/options.h"

namespace leat::broker {

/// The settings that were given for a topic, by name; what is missing has its default.
using ConfigMap = std::map<std::string, std::string>;

/// Kafka's ConfigDef.Type numbers, as DescribeConfigs sends them.
enum class ConfigType : std::int8_t {
  boolean = 1,
  string = 2,
  int32 = 3,
  int16 = 4,
  int64 = 5,
  decimal = 6,
  list = 7,
};

/// One setting that a topic or the broker has.
struct ConfigKey {
  std::string_view name;
  /// The broker's setting that gives the default; empty where there is none.
  std::string_view broker_name;
  ConfigType type;
  std::string_view default_value;
  std::string_view documentation;
  /// The values of a string or list, separated by '|'; empty: any.
  std::string_view choices = "";
  /// The range of a number, both ends included.
  double least = 0;
  double most = 0;
};

/// Sorted by name.
std::span<const ConfigKey> topic_config_keys();
const ConfigKey* find_topic_config(std::string_view name);

/// Errc::invalid_config, naming the setting and what it takes, unless every name is known and every
/// value is of its type and range.
Result<void> check_topic_configs(const ConfigMap& configs);

enum class CleanupPolicy { remove, compact, compact_and_remove };
enum class TimestampKind { create_time, log_append_time };

/// The settings that the broker acts on, parsed.
struct TopicSettings {
  log::LogOptions log;
  std::int32_t max_message_bytes = 0;
  CleanupPolicy cleanup = CleanupPolicy::remove;
  TimestampKind timestamps = TimestampKind::create_time;
  /// How far a record's timestamp may lie behind and before the broker's clock.
  std::int64_t timestamp_before_max_ms = 0;
  std::int64_t timestamp_after_max_ms = 0;
};

/// REQUIRES: check_topic_configs(configs) succeeded.
TopicSettings parse_topic_settings(const ConfigMap& configs);

/// The setting's value: as given, or its default. REQUIRES: the name is known.
std::string config_value(const ConfigMap& configs, std::string_view name);

}  // namespace leat::broker
