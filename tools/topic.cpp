// leat topic: makes, lists, describes, changes and deletes topics.
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "leat/blocking.h"
#include "tools/commands.h"
#include "tools/connect.h"
#include "tools/output.h"
#include "tools/record_json.h"
#include "tools/table.h"

namespace leat::tools {

namespace {

using Configs = std::vector<std::pair<std::string, std::string>>;

struct TopicOptions {
  std::string brokers = default_brokers;
  std::string name;
  std::optional<std::int64_t> partitions;
  std::optional<std::int64_t> replication_factor;
  std::vector<std::string> configs;
  bool internal = false;
  std::string format = "text";

  bool json() const { return format == "json"; }
};

Result<Configs> parse_configs(const std::vector<std::string>& texts) {
  Configs configs;
  for (const std::string& text : texts) {
    auto config = parse_config(text);
    if (!config) return fail(config);
    configs.push_back(std::move(*config));
  }
  return configs;
}

/// Says on stdout what was done to the topic.
int report_done(const TopicOptions& options, const char* what) {
  Output output;
  std::string json_name;
  append_json_text(json_name, options.name);
  if (options.json())
    output.print(fmt::format("{{\"topic\":{},\"{}\":true}}\n", json_name, what));
  else
    output.print(fmt::format("{} topic {}\n", what, options.name));
  return exit_ok;
}

int create(const TopicOptions& options, blocking::Admin& admin) {
  Result<Configs> configs = parse_configs(options.configs);
  if (!configs) return fail_command(configs.error());
  if (options.partitions && (*options.partitions < 1 || *options.partitions > INT32_MAX))
    return fail_command({Errc::invalid_argument, "a topic has at least one partition"});
  NewTopic topic(options.name);
  if (options.partitions) topic.partitions = static_cast<std::int32_t>(*options.partitions);
  if (options.replication_factor)
    topic.replication_factor = static_cast<std::int16_t>(*options.replication_factor);
  topic.configs = std::move(*configs);
  admin.create_topic(std::move(topic));
  return report_done(options, "created");
}

int alter(const TopicOptions& options, blocking::Admin& admin) {
  Result<Configs> configs = parse_configs(options.configs);
  if (!configs) return fail_command(configs.error());
  if (configs->empty())
    return fail_command({Errc::invalid_argument, "nothing to change: give -c KEY=VALUE"});
  std::vector<ConfigChange> changes;
  for (auto& [key, value] : *configs) changes.push_back({key, value});
  admin.alter_topic_configs(options.name, std::move(changes));
  return report_done(options, "altered");
}

int remove(const TopicOptions& options, blocking::Admin& admin) {
  admin.delete_topic(options.name);
  return report_done(options, "deleted");
}

int list(const TopicOptions& options, blocking::Admin& admin) {
  std::vector<TopicDescription> topics = admin.list_topics();
  Output output;
  Table table({"TOPIC", "PARTITIONS"});
  std::string json = "[";
  for (const TopicDescription& topic : topics) {
    if (topic.is_internal && !options.internal) continue;
    table.add({topic.name, std::to_string(topic.partitions.size())});
    if (json.size() > 1) json += ',';
    json += "{\"topic\":";
    append_json_text(json, topic.name);
    json += fmt::format(",\"id\":\"{}\",\"partitions\":{},\"internal\":{}}}", topic.id,
                        topic.partitions.size(), topic.is_internal);
  }
  output.print(options.json() ? json + "]\n" : table.to_string());
  return exit_ok;
}

struct Described {
  TopicDescription topic;
  /// Start and end of each partition.
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> ends;
  std::vector<ConfigEntry> configs;
};

Described describe_whole(const std::string& name, blocking::Admin& admin) {
  Described described;
  described.topic = admin.describe_topic(name);
  std::size_t count = described.topic.partitions.size();
  std::vector<OffsetQuery> queries;
  for (auto kind : {OffsetQuery::Kind::start, OffsetQuery::Kind::end})
    for (std::size_t i = 0; i < count; ++i)
      queries.push_back({{name, static_cast<std::int32_t>(i)}, kind});
  std::vector<std::optional<std::int64_t>> offsets = admin.list_offsets(std::move(queries));
  for (std::size_t i = 0; i < count; ++i) {
    described.starts.push_back(offsets[i].value_or(-1));
    described.ends.push_back(offsets[count + i].value_or(-1));
  }
  try {
    described.configs = admin.topic_configs(name);
  } catch (const Exception&) {
    // A broker may keep its settings to itself.
  }
  return described;
}

std::string to_text(const Described& described) {
  std::string out = "topic " + described.topic.name;
  if (!described.topic.id.empty()) out += ", id " + described.topic.id;
  out += "\n\n";
  Table partitions({"PARTITION", "LEADER", "EPOCH", "REPLICAS", "ISR", "START", "END"});
  for (std::size_t i = 0; i < described.topic.partitions.size(); ++i) {
    const auto& partition = described.topic.partitions[i];
    partitions.add({std::to_string(i), std::to_string(partition.leader),
                    std::to_string(partition.leader_epoch),
                    fmt::format("{}", fmt::join(partition.replicas, ",")),
                    fmt::format("{}", fmt::join(partition.in_sync_replicas, ",")),
                    std::to_string(described.starts[i]), std::to_string(described.ends[i])});
  }
  out += partitions.to_string();
  if (described.configs.empty()) return out;
  Table configs({"CONFIG", "VALUE", "FROM"});
  for (const auto& config : described.configs)
    configs.add(
        {config.name, config.value.value_or("(secret)"), config.is_default ? "default" : "topic"});
  return out + "\n" + configs.to_string();
}

std::string to_json(const Described& described) {
  std::string out = "{\"topic\":";
  append_json_text(out, described.topic.name);
  out += fmt::format(",\"id\":\"{}\",\"internal\":{},\"partitions\":[", described.topic.id,
                     described.topic.is_internal);
  for (std::size_t i = 0; i < described.topic.partitions.size(); ++i) {
    const auto& partition = described.topic.partitions[i];
    out += fmt::format(
        "{}{{\"partition\":{},\"leader\":{},\"leader_epoch\":{},\"replicas\":[{}],\"isr\":[{}],"
        "\"start_offset\":{},\"end_offset\":{}}}",
        i == 0 ? "" : ",", i, partition.leader, partition.leader_epoch,
        fmt::join(partition.replicas, ","), fmt::join(partition.in_sync_replicas, ","),
        described.starts[i], described.ends[i]);
  }
  out += "],\"configs\":{";
  for (std::size_t i = 0; i < described.configs.size(); ++i) {
    const auto& config = described.configs[i];
    if (i > 0) out += ',';
    append_json_text(out, config.name);
    out += ":{\"value\":";
    if (config.value)
      append_json_text(out, *config.value);
    else
      out += "null";
    out += fmt::format(",\"default\":{}}}", config.is_default);
  }
  return out + "}}\n";
}

int describe(const TopicOptions& options, blocking::Admin& admin) {
  Described described = describe_whole(options.name, admin);
  Output output;
  output.print(options.json() ? to_json(described) : to_text(described));
  return exit_ok;
}

using Action = int (*)(const TopicOptions&, blocking::Admin&);

Arguments& declare_action(Arguments& topic, const std::shared_ptr<TopicOptions>& options,
                          const char* name, const char* summary, const char* examples,
                          Action action) {
  Arguments& arguments = topic.subcommand(name, summary, examples);
  arguments.brokers(options->brokers);
  arguments.format(options->format);
  arguments.run([options, action] {
    blocking::Admin admin(client_options(options->brokers));
    return action(*options, admin);
  });
  return arguments;
}

void declare(Arguments& topic) {
  auto options = std::make_shared<TopicOptions>();
  Arguments& creating =
      declare_action(topic, options, "create", "Makes a topic",
                     "  leat topic create edits                          one partition\n"
                     "  leat topic create edits -p 4 -c retention.ms=-1  four, kept for ever",
                     create);
  creating.required("NAME", options->name, "The topic");
  creating.option("-p,--partitions N", options->partitions, "How many (default: the broker's)");
  creating.option("-r,--replication-factor N", options->replication_factor,
                  "Copies of each partition (default: the broker's)");
  creating.option("-c,--config KEY=VALUE", options->configs, "As often as needed");
  Arguments& listing = declare_action(topic, options, "list", "Lists the topics",
                                      "  leat topic list\n"
                                      "  leat topic list --format json | jq -r '.[].topic'",
                                      list);
  listing.flag("--internal", options->internal, "With the ones that the broker keeps for itself");
  Arguments& describing =
      declare_action(topic, options, "describe", "Shows partitions, offsets and settings",
                     "  leat topic describe edits", describe);
  describing.required("TOPIC", options->name, "The topic");
  Arguments& altering = declare_action(topic, options, "alter", "Changes settings",
                                       "  leat topic alter edits -c retention.ms=86400000", alter);
  altering.required("TOPIC", options->name, "The topic");
  altering.option("-c,--config KEY=VALUE", options->configs, "As often as needed");
  Arguments& deleting = declare_action(topic, options, "delete", "Deletes a topic and its records",
                                       "  leat topic delete edits", remove);
  deleting.required("TOPIC", options->name, "The topic");
}

}  // namespace

const Command topic_command{"topic", "Makes, lists, describes, changes and deletes topics",
                            "  leat topic create edits -p 4\n"
                            "  leat topic describe edits --format json\n"
                            "  leat topic list -b broker-1:9092,broker-2:9092",
                            declare};

}  // namespace leat::tools
