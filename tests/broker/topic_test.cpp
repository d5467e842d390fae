#include <string>

#include <doctest/doctest.h>

#include "broker/topic_config.h"
#include "broker/topic_name.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

TEST_CASE("a topic's name takes what Kafka takes and nothing else (fault 24)") {
  for (std::string name :
       {std::string("a"), std::string("A.b_c-9"), std::string("..."), std::string(249, 'x')}) {
    CHECK_MESSAGE(check_topic_name(name), name);
  }
  for (std::string name :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("a b"),
        std::string("\0", 1), std::string("é"), std::string(250, 'x')}) {
    auto checked = check_topic_name(name);
    CHECK_FALSE(checked);
    CHECK(checked.error().code == Errc::invalid_topic);
  }
}

TEST_CASE("names that differ only in dots and underscores collide") {
  CHECK(topic_names_collide("a.b", "a_b"));
  CHECK(topic_names_collide("a", "a"));
  CHECK_FALSE(topic_names_collide("a.b", "a-b"));
  CHECK_FALSE(topic_names_collide("a.b", "a.bc"));
}

TEST_CASE("every default is a value that its setting takes") {
  for (const ConfigKey& key : topic_config_keys()) {
    ConfigMap configs{{std::string(key.name), std::string(key.default_value)}};
    auto checked = check_topic_configs(configs);
    CHECK_MESSAGE(checked, key.name);
  }
}

TEST_CASE("every topic setting of Kafka 4 is there, with Kafka's default") {
  const std::string most = "9223372036854775807";
  const ConfigMap kafka = {{"cleanup.policy", "delete"},
                           {"compression.gzip.level", "-1"},
                           {"compression.lz4.level", "9"},
                           {"compression.type", "producer"},
                           {"compression.zstd.level", "3"},
                           {"delete.retention.ms", "86400000"},
                           {"file.delete.delay.ms", "60000"},
                           {"flush.messages", most},
                           {"flush.ms", most},
                           {"follower.replication.throttled.replicas", ""},
                           {"leader.replication.throttled.replicas", ""},
                           {"local.retention.bytes", "-2"},
                           {"local.retention.ms", "-2"},
                           {"max.compaction.lag.ms", most},
                           {"max.message.bytes", "1048588"},
                           {"message.timestamp.after.max.ms", "3600000"},
                           {"message.timestamp.before.max.ms", most},
                           {"message.timestamp.type", "CreateTime"},
                           {"min.cleanable.dirty.ratio", "0.5"},
                           {"min.compaction.lag.ms", "0"},
                           {"min.insync.replicas", "1"},
                           {"preallocate", "false"},
                           {"remote.log.copy.disable", "false"},
                           {"remote.log.delete.on.disable", "false"},
                           {"remote.storage.enable", "false"},
                           {"retention.bytes", "-1"},
                           {"retention.ms", "604800000"},
                           {"segment.bytes", "1073741824"},
                           {"segment.index.bytes", "10485760"},
                           {"segment.jitter.ms", "0"},
                           {"segment.ms", "604800000"},
                           {"unclean.leader.election.enable", "false"}};
  for (const auto& [name, value] : kafka) {
    const ConfigKey* key = find_topic_config(name);
    REQUIRE_MESSAGE(key != nullptr, name);
    CHECK_MESSAGE(key->default_value == value, name);
    CHECK_FALSE(key->documentation.empty());
  }
  // Ours alone: entries of an index are further apart.
  CHECK(topic_config_keys().size() == kafka.size() + 1);
  CHECK(config_value({}, "index.interval.bytes") == "16384");
}

TEST_CASE("a setting that does not exist or does not fit is refused by name") {
  struct Case {
    ConfigMap configs;
    std::string in_message;
  };
  for (const Case& c :
       {Case{{{"retention.mss", "1"}}, "retention.mss"},
        Case{{{"retention.ms", "soon"}}, "retention.ms"},
        Case{{{"retention.ms", "-2"}}, "retention.ms"},
        Case{{{"retention.ms", "1x"}}, "retention.ms"},
        Case{{{"segment.bytes", "99999999999"}}, "segment.bytes"},
        Case{{{"cleanup.policy", "shred"}}, "delete|compact"},
        Case{{{"cleanup.policy", ""}}, "cleanup.policy"},
        Case{{{"leader.replication.throttled.replicas", std::string(20'000, '1')}}, "too long"},
        Case{{{"preallocate", "yes"}}, "true or false"},
        Case{{{"remote.storage.enable", "true"}}, "remote.storage.enable"},
        Case{{{"min.cleanable.dirty.ratio", "1.5"}}, "from 0 to 1"}}) {
    auto checked = check_topic_configs(c.configs);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == Errc::invalid_config);
    CHECK(checked.error().what.find(c.in_message) != std::string::npos);
  }
}

TEST_CASE("what is only compacted is never removed by age or size") {
  CHECK(parse_topic_settings({}).log.retention_ms == 604'800'000);
  TopicSettings compacted = parse_topic_settings(
      {{"cleanup.policy", "compact"}, {"retention.ms", "5"}, {"retention.bytes", "5"}});
  CHECK(compacted.cleanup == CleanupPolicy::compact);
  CHECK(compacted.log.retention_ms == -1);
  CHECK(compacted.log.retention_bytes == -1);
  TopicSettings both =
      parse_topic_settings({{"cleanup.policy", "compact, delete"}, {"retention.ms", "5"}});
  CHECK(both.cleanup == CleanupPolicy::compact_and_remove);
  CHECK(both.log.retention_ms == 5);
}

TEST_SUITE_END();
