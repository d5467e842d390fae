// What the routes to a server's pipelines and views share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_server.h"
#include "pipeline/service.h"

namespace leat::server {

/// The status that tells of an error.
int status_of(Errc code);
/// What a service's answer is over HTTP.
pipeline::Service::Answer answer_of(net::HttpServer::Answer answer);
/// The same of one that is JSON already.
pipeline::ServedViews::Text text_answer_of(net::HttpServer::Answer answer);
/// That a path has other methods only.
net::HttpResponse not_allowed(const std::vector<std::string_view>& methods);

/// What is behind the root of a path: of "/v1/pipelines/a/why" {"a", "why"}.
std::vector<std::string> parts_of(const std::string& path, std::string_view root);
/// The values of `name` in "a=1&b=2&a=3".
std::vector<std::string> parameters(const std::string& query, std::string_view name);
/// The first of them.
std::optional<std::string> parameter(const std::string& query, std::string_view name);
/// The names of all of them.
std::vector<std::string> parameter_names(const std::string& query);

}  // namespace leat::server
