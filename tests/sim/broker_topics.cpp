// What the clients of a simulated broker ask about topics: to make, change, list and delete them.
#include <algorithm>
#include <utility>

#include "sim/broker_simulation.h"

namespace leat::sim {
namespace {

using wire::ErrorCode;

/// The names that topics may have: few, so that they are used again.
constexpr std::int64_t names = 6;
constexpr std::int32_t partitions_max = 6;

/// The settings that are given and changed.
constexpr const char* config_keys[] = {"segment.bytes", "index.interval.bytes", "retention.ms",
                                       "retention.bytes"};

}  // namespace

void BrokerSimulation::list_topics() {
  wire::MetadataRequest request;
  request.allow_auto_topic_creation = false;
  constexpr wire::Version first_with_ids = 10;
  auto version = std::max(draw_version<wire::MetadataRequest>(), first_with_ids);
  auto use = [this, expected = history_.expect_listing()](wire::MetadataResponse& response) {
    listed(expected, response);
  };
  ask<wire::MetadataRequest>(draw_client(), request, version, use);
}

void BrokerSimulation::listed(const History::Listing& expected,
                              const wire::MetadataResponse& response) {
  std::vector<History::Listed> list;
  for (const auto& topic : response.topics) {
    if (topic.is_internal) continue;
    list.push_back({topic.topic_id, topic.name.value_or(""),
                    static_cast<std::int32_t>(topic.partitions.size())});
  }
  object(history_.listed(expected, list));
  for (const auto& topic : response.topics) {
    for (const auto& partition : topic.partitions) {
      TopicPartition id{topic.topic_id, PartitionId{partition.partition_index}};
      object(history_.told_epoch(id, partition.leader_epoch));
    }
  }
}

void BrokerSimulation::create_topic() {
  std::string name = fmt::format("t{}", random_.below(names));
  if (!history_.is_free(name)) return;
  // What is on its way to a topic that had this name must not reach the new one.
  for (const auto& client : clients_) {
    if (client->connection && client->connection->unanswered() > 0) return;
  }
  ask_for_topic(draw_client(), name);
}

void BrokerSimulation::ask_for_topic(Client& client, const std::string& name) {
  wire::CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = name;
  topic.num_partitions = static_cast<std::int32_t>(random_.between(1, 3));
  topic.replication_factor = 1;
  bool retires = random_.one_in(4);
  Configs configs;
  configs["segment.bytes"] = std::to_string(std::int64_t{1} << random_.between(11, 17));
  configs["index.interval.bytes"] = std::to_string(std::int64_t{1} << random_.between(10, 14));
  bool ages = retires && random_.one_in(2);
  configs["retention.ms"] = std::to_string(ages ? random_.between(1000, 100'000) : -1);
  if (retires) {
    configs["retention.bytes"] = std::to_string(std::int64_t{1} << random_.between(10, 16));
  }
  for (const auto& [key, value] : configs) topic.configs.push_back({key, value});
  history_.create_asked(name, topic.num_partitions, retires, configs);
  trace("create {} with {} partitions", name, topic.num_partitions);
  crasher_.now(Doing::creating_topic);
  auto use = [this, name](wire::CreateTopicsResponse& response) {
    const auto& answer = response.topics.at(0);
    trace("creation of {}: {}", name, wire::name(answer.error_code));
    bool is_taken =
        answer.error_code == ErrorCode::topic_already_exists && history_.may_be_taken(name);
    if (answer.error_code == ErrorCode::none) {
      object(history_.created(name, answer.topic_id));
    } else if (!is_taken && !is_excused(answer.error_code, Uuid{})) {
      object(fmt::format("topic {} is not made: {}", name, wire::name(answer.error_code)));
    }
  };
  constexpr wire::Version with_id = 7;
  ask<wire::CreateTopicsRequest>(client, request, with_id, use);
}

void BrokerSimulation::delete_topic() {
  std::vector<Uuid> all;
  for (const auto& [id, topic] : history_.topics()) {
    if (!topic.is_deleted && topic.is_listed) all.push_back(id);
  }
  if (!all.empty()) ask_to_delete(draw_client(), all[random_.below(all.size())]);
}

void BrokerSimulation::ask_to_delete(Client& client, const Uuid& id) {
  ++history_.topics()[id].deletions_asked;
  wire::DeleteTopicsRequest request;
  auto version = draw_version<wire::DeleteTopicsRequest>();
  constexpr wire::Version first_with_ids = 6;
  // A name may be another topic's by now.
  if (!history_.is_only_one_named(id)) version = std::max(version, first_with_ids);
  if (version >= first_with_ids) {
    request.topics.emplace_back().topic_id = id;
  } else {
    request.topic_names.push_back(name_of(id));
  }
  trace("delete {}", name_of(id));
  crasher_.now(Doing::deleting_topic);
  ++changes_[name_of(id)];
  auto use = [this, id](wire::DeleteTopicsResponse& response) {
    --changes_[name_of(id)];
    const TopicHistory& topic = history_.topics()[id];
    bool may_be_gone = topic.deletions_asked > 1 || !topic.is_promised;
    auto code = response.responses.at(0).error_code;
    trace("deletion of {}: {}", name_of(id), wire::name(code));
    bool is_gone =
        code == ErrorCode::unknown_topic_or_partition || code == ErrorCode::unknown_topic_id;
    if (code == ErrorCode::none) {
      object(history_.deleted(id));
    } else if (is_gone ? !may_be_gone : !is_excused(code, id)) {
      object(fmt::format("topic {} is not deleted: {}", name_of(id), wire::name(code)));
    }
  };
  ask<wire::DeleteTopicsRequest>(client, request, version, use);
}

/// Deletes a topic and makes another of its name at once, while others still ask for the old one.
void BrokerSimulation::recreate_topic() {
  auto id = draw_topic();
  if (!id || changes_[name_of(*id)] > 0 || !history_.is_only_one_named(*id)) return;
  Client& client = draw_client();
  ask_to_delete(client, *id);
  history_.name_reused(*id);
  ask_for_topic(client, name_of(*id));
}

/// One that may be asked for.
std::optional<Uuid> BrokerSimulation::draw_topic() {
  std::vector<Uuid> all;
  for (const auto& [id, topic] : history_.topics()) {
    if (history_.is_usable(id)) all.push_back(id);
  }
  if (all.empty()) return std::nullopt;
  return all[random_.below(all.size())];
}

void BrokerSimulation::create_partitions() {
  auto id = draw_topic();
  if (!id) return;
  std::int32_t count = history_.topics()[*id].partitions_asked + 1;
  if (count > partitions_max) return;
  wire::CreatePartitionsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = name_of(*id);
  topic.count = count;
  history_.partitions_asked(*id, count);
  trace("{} partitions for {}", count, topic.name);
  crasher_.now(Doing::adding_partitions);
  ++changes_[topic.name];
  auto use = [this, id = *id, count](wire::CreatePartitionsResponse& response) {
    --changes_[name_of(id)];
    auto code = response.results.at(0).error_code;
    trace("{} partitions for {}: {}", count, name_of(id), wire::name(code));
    bool was_overtaken =
        code == ErrorCode::invalid_partitions && history_.topics()[id].partitions_asked > count;
    if (code == ErrorCode::none) {
      history_.partitions_made(id, count);
    } else if (is_excused(code, id) || was_overtaken) {
      history_.partitions_refused(id);
    } else {
      object(fmt::format("{} gets no partitions: {}", name_of(id), wire::name(code)));
    }
  };
  ask<wire::CreatePartitionsRequest>(draw_client(), request,
                                     draw_version<wire::CreatePartitionsRequest>(), use);
}

void BrokerSimulation::alter_configs() {
  auto id = draw_topic();
  if (!id || history_.topics()[*id].configs.size() != 1) return;
  const Configs before = history_.topics()[*id].configs.front();
  Configs configs = before;
  const std::string key = config_keys[random_.below(std::size(config_keys))];
  if (random_.one_in(4)) {
    configs.erase(key);
  } else {
    configs[key] = std::to_string(std::int64_t{1} << random_.between(11, 17));
  }
  history_.configs_asked(*id, configs);
  const std::string name = name_of(*id);
  trace("{} of {} becomes {}", key, name, configs.contains(key) ? configs[key] : "its default");
  crasher_.now(Doing::altering_topic);
  ++changes_[name];
  if (random_.one_in(2)) {
    wire::AlterConfigsRequest request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = wire::ConfigResourceType::topic;
    resource.resource_name = name;
    for (const auto& [config, value] : configs) resource.configs.push_back({config, value});
    auto use = [this, id = *id, configs](wire::AlterConfigsResponse& response) {
      altered(id, configs, response.responses.at(0).error_code);
    };
    return ask<wire::AlterConfigsRequest>(draw_client(), request,
                                          draw_version<wire::AlterConfigsRequest>(), use);
  }
  wire::IncrementalAlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = wire::ConfigResourceType::topic;
  resource.resource_name = name;
  auto& change = resource.configs.emplace_back();
  change.name = key;
  change.config_operation = wire::AlterConfigOperation::remove;
  if (configs.contains(key)) {
    change.config_operation = wire::AlterConfigOperation::set;
    change.value = configs[key];
  }
  auto use = [this, id = *id, configs](wire::IncrementalAlterConfigsResponse& response) {
    altered(id, configs, response.responses.at(0).error_code);
  };
  ask<wire::IncrementalAlterConfigsRequest>(
      draw_client(), request, draw_version<wire::IncrementalAlterConfigsRequest>(), use);
}

void BrokerSimulation::altered(const Uuid& id, const Configs& configs, ErrorCode code) {
  --changes_[name_of(id)];
  trace("settings of {}: {}", name_of(id), wire::name(code));
  if (code == ErrorCode::none) {
    history_.configs_altered(id, configs);
  } else if (!is_excused(code, id)) {
    object(fmt::format("{} keeps its settings: {}", name_of(id), wire::name(code)));
  }
}

void BrokerSimulation::describe_configs() {
  auto id = draw_topic();
  if (!id) return;
  wire::DescribeConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = wire::ConfigResourceType::topic;
  resource.resource_name = name_of(*id);
  resource.configuration_keys.emplace(std::begin(config_keys), std::end(config_keys));
  auto version = draw_version<wire::DescribeConfigsRequest>();
  auto use = [this, id = *id, version, before = history_.topics()[*id].configs,
              life = history_.life()](wire::DescribeConfigsResponse& response) {
    const auto& answer = response.results.at(0);
    if (!history_.is_usable(id) || is_excused(answer.error_code, id)) return;
    if (answer.error_code != ErrorCode::none) {
      return object(fmt::format("DescribeConfigs: {}", wire::name(answer.error_code)));
    }
    Configs told;
    for (const auto& config : answer.configs) {
      bool is_given = version == 0 ? !config.is_default
                                   : config.config_source == wire::ConfigSource::topic_config;
      if (is_given) told[config.name] = config.value.value_or("");
    }
    object(history_.told_configs(id, told, before, life));
  };
  ask<wire::DescribeConfigsRequest>(draw_client(), request, version, use);
}

void BrokerSimulation::ask_for_epoch_end() {
  auto of = draw_partition();
  if (!of) return;
  const PartitionHistory& partition = history_.partition(*of);
  ask_for_epoch_end(*of, static_cast<std::int32_t>(random_.between(0, partition.leader_epoch + 1)));
}

/// All that there were.
void BrokerSimulation::verify_epochs(const TopicPartition& of) {
  for (std::int32_t epoch = 0; epoch <= history_.partition(of).leader_epoch + 1; ++epoch) {
    ask_for_epoch_end(of, epoch);
  }
  executor_.run_for(std::chrono::seconds(1));
}

void BrokerSimulation::ask_for_epoch_end(const TopicPartition& of, std::int32_t epoch) {
  wire::OffsetForLeaderEpochRequest request;
  auto& topic = request.topics.emplace_back();
  topic.topic = name_of(of.topic_id);
  auto& asked = topic.partitions.emplace_back();
  asked.partition = of.partition.value();
  asked.leader_epoch = epoch;
  auto version = draw_version<wire::OffsetForLeaderEpochRequest>();
  auto use = [this, of, epoch, version, floor = history_.partition(of).high_watermark](
                 wire::OffsetForLeaderEpochResponse& response) {
    const auto& answer = response.topics.at(0).partitions.at(0);
    if (!history_.is_usable(of.topic_id) || is_excused(answer.error_code, of)) return;
    if (answer.error_code != ErrorCode::none) {
      return object(fmt::format("OffsetForLeaderEpoch: {}", wire::name(answer.error_code)));
    }
    std::int32_t told = version == 0 ? epoch : answer.leader_epoch;
    object(history_.told_epoch_end(of, epoch, told, answer.end_offset, floor));
  };
  ask<wire::OffsetForLeaderEpochRequest>(draw_client(), request, version, use);
}

}  // namespace leat::sim
