// AlterConfigs, which replaces all settings of a topic, and IncrementalAlterConfigs, which changes
// some. Settings of brokers are given at their start and only shown.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "broker/topic_name.h"
#include "server/handlers.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

using broker::ConfigMap;
using wire::AlterConfigOperation;
using wire::AlterConfigsRequest;
using wire::ConfigResourceType;
using wire::IncrementalAlterConfigsRequest;

template <class Request>
struct Pending {
  explicit Pending(Call<Request> from) : call(std::move(from)) {}
  Call<Request> call;
  typename Request::Response response;
  std::size_t being_done = 0;
};

/// The settings after the request, of which none has been checked yet.
Result<ConfigMap> apply(const AlterConfigsRequest::Resource& asked, const ConfigMap&) {
  ConfigMap configs;
  for (const auto& config : asked.configs) configs[config.name] = *config.value;
  return configs;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += text.empty() ? part : "," + part;
  return text;
}

/// A list with the parts of another put in or taken out.
Result<std::string> change_list(const IncrementalAlterConfigsRequest::Config& change,
                                const ConfigMap& configs) {
  const broker::ConfigKey* key = broker::find_topic_config(change.name);
  if (key == nullptr || key->type != broker::ConfigType::list) {
    return fail(Errc::invalid_config,
                fmt::format("'{:.200}' is not a list, which could be added to", change.name));
  }
  std::vector<std::string> parts = split(broker::config_value(configs, change.name));
  for (const std::string& part : split(*change.value)) {
    auto at = std::find(parts.begin(), parts.end(), part);
    if (change.config_operation == AlterConfigOperation::append) {
      if (at == parts.end()) parts.push_back(part);
    } else if (at != parts.end()) {
      parts.erase(at);
    }
  }
  return join(parts);
}

Result<ConfigMap> apply(const IncrementalAlterConfigsRequest::Resource& asked, ConfigMap configs) {
  for (const auto& config : asked.configs) {
    switch (config.config_operation) {
      case AlterConfigOperation::set: configs[config.name] = *config.value; break;
      case AlterConfigOperation::remove: configs.erase(config.name); break;
      case AlterConfigOperation::append:
      case AlterConfigOperation::subtract: {
        auto list = change_list(config, configs);
        if (!list) return fail(list);
        configs[config.name] = std::move(*list);
        break;
      }
      default:
        return fail(Errc::invalid_request, fmt::format("there is no operation {}",
                                                       static_cast<int>(config.config_operation)));
    }
  }
  return configs;
}

bool needs_value(const AlterConfigsRequest::Config&) {
  return true;
}
bool needs_value(const IncrementalAlterConfigsRequest::Config& config) {
  return config.config_operation != AlterConfigOperation::remove;
}

template <class Resource>
Result<void> check_names(const Resource& asked) {
  std::set<std::string_view> names;
  for (const auto& config : asked.configs) {
    if (!names.insert(config.name).second) {
      return fail(Errc::invalid_request,
                  fmt::format("'{:.200}' stands in the request more than once", config.name));
    }
    if (!config.value && needs_value(config)) {
      return fail(Errc::invalid_request, fmt::format("'{:.200}' has no value", config.name));
    }
  }
  return {};
}

/// The topic that is asked for and its settings afterwards.
struct Alteration {
  Uuid topic_id;
  ConfigMap configs;
};

template <class Resource>
Result<Alteration> plan(const Resource& asked, const Node& node) {
  if (auto checked = check_names(asked); !checked) return fail(checked);
  if (asked.resource_type == ConfigResourceType::broker) {
    return fail(Errc::invalid_request, "the settings of a broker are given at its start");
  }
  if (asked.resource_type != ConfigResourceType::topic) {
    return fail(Errc::invalid_request, fmt::format("resources of type {} have no settings here",
                                                   static_cast<int>(asked.resource_type)));
  }
  auto named = broker::check_topic_name(asked.resource_name);
  if (!named) return fail(named);
  broker::TopicPtr topic = node.broker.find_topic(asked.resource_name);
  if (!topic) {
    return fail(Errc::unknown_topic_or_partition,
                fmt::format("there is no topic '{}'", asked.resource_name));
  }
  auto configs = apply(asked, topic->info.configs);
  if (!configs) return fail(configs);
  auto checked = broker::check_topic_configs(*configs);
  if (!checked) return fail(checked);
  return Alteration{topic->info.id, std::move(*configs)};
}

template <class Answer>
void refuse(Answer& answer, const Error& error) {
  answer.error_code = to_wire(error.code);
  answer.error_message = error.what;
}

template <class Request>
void alter(const std::shared_ptr<Pending<Request>>& pending, std::size_t index) {
  const auto& asked = pending->call.request().resources[index];
  auto alteration = plan(asked, pending->call.node());
  if (!alteration) return refuse(pending->response.responses[index], alteration.error());
  if (pending->call.request().validate_only) return;
  ++pending->being_done;
  pending->call.broker().alter_topic(
      alteration->topic_id, std::move(alteration->configs), [pending, index](Result<void> altered) {
        if (!altered) refuse(pending->response.responses[index], altered.error());
        if (--pending->being_done == 0) pending->call.answer(pending->response);
      });
}

template <class Request>
void alter_all(Call<Request> call) {
  auto pending = std::make_shared<Pending<Request>>(std::move(call));
  const auto& resources = pending->call.request().resources;
  std::map<std::pair<ConfigResourceType, std::string_view>, int> counts;
  for (const auto& asked : resources) ++counts[{asked.resource_type, asked.resource_name}];
  pending->response.responses.resize(resources.size());
  // Held until all have been asked for.
  pending->being_done = 1;
  for (std::size_t i = 0; i < resources.size(); ++i) {
    auto& answer = pending->response.responses[i];
    answer.resource_type = resources[i].resource_type;
    answer.resource_name = resources[i].resource_name;
    if (counts[{resources[i].resource_type, resources[i].resource_name}] > 1) {
      refuse(answer, {Errc::invalid_request, "it stands in the request more than once"});
    } else {
      alter(pending, i);
    }
  }
  if (--pending->being_done == 0) pending->call.answer(pending->response);
}

}  // namespace

void handle(Call<AlterConfigsRequest> call) {
  alter_all(std::move(call));
}
void handle(Call<IncrementalAlterConfigsRequest> call) {
  alter_all(std::move(call));
}

}  // namespace leat::server
