#include "tools/connect.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include <fmt/core.h>

#include "leat/blocking.h"
#include "tools/command.h"
#include "tools/http_api.h"

namespace leat::tools {

namespace {

Error to_error(const Exception& exception) {
  bool is_usage = exception.code() == ClientError::invalid_argument;
  return {is_usage ? Errc::invalid_argument : Errc::broker_error, exception.what()};
}

}  // namespace

ClientOptions client_options(const std::string& brokers, std::stop_token stop) {
  ClientOptions options;
  options.brokers = brokers;
  options.stop = std::move(stop);
  return options;
}

std::vector<std::string> list_names(const std::string& kind, const std::string& where) {
  if (kind == "PIPELINE") return list_pipelines(where);
  if (kind == "VIEW") return list_views(where);
  constexpr std::chrono::milliseconds patience{1000};
  const char* environment = std::getenv("LEAT_BROKERS");
  ClientOptions options = client_options(!where.empty() ? where
                                         : environment  ? environment
                                                        : default_brokers);
  options.connect_timeout = patience;
  options.request_timeout = patience;
  options.operation_timeout = patience;
  std::vector<std::string> names;
  try {
    blocking::Admin admin(std::move(options));
    if (kind == "GROUP") {
      for (GroupListing& group : admin.list_groups()) names.push_back(std::move(group.id));
    } else {
      for (TopicDescription& topic : admin.list_topics())
        if (!topic.is_internal) names.push_back(std::move(topic.name));
    }
  } catch (const Exception&) {
    // Nothing to choose from.
  }
  return names;
}

Result<std::pair<std::string, std::string>> parse_config(const std::string& text) {
  std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return fail(Errc::invalid_argument, fmt::format("'{}' is not KEY=VALUE", text));
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

std::vector<std::string> codec_names() {
  // In the order of Compression.
  return {"none", "gzip", "snappy", "lz4", "zstd"};
}

Compression codec_named(const std::string& name) {
  std::vector<std::string> names = codec_names();
  auto at = std::find(names.begin(), names.end(), name) - names.begin();
  return static_cast<Compression>(at);
}

Result<void> attempt(const std::function<void()>& work) {
  try {
    work();
  } catch (const Exception& failed) {
    return tl::unexpected(to_error(failed));
  }
  return {};
}

int fail_command(const Error& error) {
  complain(error.what);
  return error.code == Errc::invalid_argument ? exit_usage : exit_error;
}

int fail_command(const Exception& exception) {
  return fail_command(to_error(exception));
}

}  // namespace leat::tools
