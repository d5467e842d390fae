#include "tools/connect.h"

#include <chrono>
#include <cstdlib>

#include <fmt/core.h>

#include "client/blocking_client.h"
#include "client/brokers.h"
#include "tools/command.h"

namespace leat::tools {

Result<ClientOptions> client_options(const std::string& brokers, std::stop_token stop) {
  if (auto addresses = client::parse_brokers(brokers); !addresses)
    return tl::unexpected<Error>(addresses.error());
  ClientOptions options;
  options.brokers = brokers;
  options.stop = std::move(stop);
  return options;
}

std::vector<std::string> list_names(const std::string& kind, const std::string& brokers) {
  constexpr std::chrono::milliseconds patience{1000};
  const char* environment = std::getenv("LEAT_BROKERS");
  auto options = client_options(!brokers.empty() ? brokers
                                : environment    ? environment
                                                 : default_brokers);
  if (!options) return {};
  options->connect_timeout = patience;
  options->request_timeout = patience;
  options->operation_timeout = patience;
  client::BlockingClient client(std::move(*options));
  std::vector<std::string> names;
  if (kind == "GROUP") {
    auto groups = client.list_groups();
    if (!groups) return {};
    for (const client::ListedGroup& group : *groups) names.push_back(group.id);
    return names;
  }
  auto topics = client.list_topics();
  if (!topics) return {};
  for (const client::TopicMetadata& topic : *topics)
    if (!topic.is_internal) names.push_back(topic.name);
  return names;
}

Result<std::pair<std::string, std::string>> parse_config(const std::string& text) {
  std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return fail(Errc::invalid_argument, fmt::format("'{}' is not KEY=VALUE", text));
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

int fail_command(const Error& error) {
  complain(error.what);
  return error.code == Errc::invalid_argument ? exit_usage : exit_error;
}

}  // namespace leat::tools
