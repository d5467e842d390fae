#include "server/service_route.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "plan/json.h"

namespace leat::server {

namespace {

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int code = 0;
    bool is_escape = text[i] == '%' && i + 2 < text.size();
    if (is_escape) {
      auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, code, 16);
      is_escape = error == std::errc{} && end == text.data() + i + 3;
    }
    out += is_escape ? static_cast<char>(code) : text[i];
    if (is_escape) i += 2;
  }
  return out;
}

/// Calls `visit(name, value)` for each of "a=1&b=2".
template <class Visit>
void for_each_parameter(const std::string& query, Visit visit) {
  std::string_view rest = query;
  while (!rest.empty()) {
    // Not find(): g++ 12 warns of its length.
    auto length_to = [](std::string_view text, char end) {
      return static_cast<std::size_t>(std::find(text.begin(), text.end(), end) - text.begin());
    };
    std::size_t end = length_to(rest, '&');
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    std::size_t equals = length_to(pair, '=');
    visit(pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size())));
  }
}

}  // namespace

int status_of(Errc code) {
  switch (code) {
    case Errc::not_found: return 404;
    case Errc::plan_error:
    case Errc::malformed:
    case Errc::invalid_argument:
    case Errc::offset_out_of_range: return 400;
    case Errc::invalid_request: return 409;
    case Errc::cancelled: return 503;
    default: return 500;
  }
}

pipeline::ServedViews::Text text_answer_of(net::HttpServer::Answer answer) {
  return [answer = std::move(answer)](Result<std::string> text) mutable {
    if (!text) {
      return answer(net::error_response(status_of(text.error().code), text.error().what));
    }
    answer({200, "application/json", std::move(*text) + "\n"});
  };
}

pipeline::Service::Answer answer_of(net::HttpServer::Answer answer) {
  return [tell = text_answer_of(std::move(answer))](Result<plan::Json> json) mutable {
    if (!json) return tell(fail(json));
    std::string body;
    plan::append_json(body, *json);
    tell(std::move(body));
  };
}

net::HttpResponse not_allowed(const std::vector<std::string_view>& methods) {
  std::string allow = fmt::format("{}", fmt::join(methods, ", "));
  net::HttpResponse response = net::error_response(405, fmt::format("only {} here", allow));
  response.allow = std::move(allow);
  return response;
}

std::vector<std::string> parts_of(const std::string& path, std::string_view root) {
  std::vector<std::string> parts;
  std::string_view rest = std::string_view(path).substr(root.size());
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the slash
    std::size_t end = std::min(rest.find('/'), rest.size());
    if (end > 0) parts.push_back(decoded(rest.substr(0, end)));
    rest.remove_prefix(end);
  }
  return parts;
}

std::vector<std::string> parameters(const std::string& query, std::string_view name) {
  std::vector<std::string> values;
  for_each_parameter(query, [&](std::string_view found, std::string_view value) {
    if (found == name) values.push_back(decoded(value));
  });
  return values;
}

std::optional<std::string> parameter(const std::string& query, std::string_view name) {
  auto values = parameters(query, name);
  return values.empty() ? std::nullopt : std::optional(std::move(values.front()));
}

std::vector<std::string> parameter_names(const std::string& query) {
  std::vector<std::string> names;
  for_each_parameter(
      query, [&](std::string_view found, std::string_view) { names.push_back(decoded(found)); });
  return names;
}

}  // namespace leat::server
