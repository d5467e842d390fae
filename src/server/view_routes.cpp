#include "server/view_routes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "server/service_route.h"

namespace leat::server {

namespace {

using pipeline::ViewQuestion;

constexpr std::string_view root = "/v1/views";
constexpr std::size_t limit_max = 100'000;
constexpr std::array<std::string_view, 4> known{"key", "as_of", "limit", "after"};

Result<std::size_t> read_limit(const std::string& text) {
  std::size_t limit = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  bool is_one = error == std::errc() && end == text.data() + text.size() && limit <= limit_max;
  if (is_one) return limit;
  return fail(Errc::invalid_argument,
              fmt::format("limit must be a number up to {}: where there are more rows, the answer "
                          "says where the next ones begin",
                          limit_max));
}

Result<ViewQuestion> read_question(const std::string& view, const net::HttpRequest& request,
                                   const Clock& clock) {
  for (const std::string& name : parameter_names(request.query)) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return fail(Errc::invalid_argument,
                fmt::format("'{}' is not taken here; there are: {}", name, fmt::join(known, ", ")));
  }
  ViewQuestion question;
  question.view = view;
  question.key = parameter(request.query, "key");
  question.after = parameter(request.query, "after");
  if (auto moment = parameter(request.query, "as_of")) {
    auto at = pipeline::ViewTime::parse(*moment, clock.wall_ms());
    if (!at) return fail(at);
    question.at = *at;
  }
  if (auto text = parameter(request.query, "limit")) {
    auto limit = read_limit(*text);
    if (!limit) return fail(limit);
    question.limit = *limit;
  }
  return question;
}

}  // namespace

bool is_view_path(const std::string& path) {
  return path == root || path.starts_with(std::string(root) + "/");
}

void answer_views(const net::HttpRequest& request, pipeline::Service& service, const Clock& clock,
                  net::HttpServer::Answer answer) {
  std::vector<std::string> parts = parts_of(request.path, root);
  std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  if (parts.size() > 1) {
    return answer(net::error_response(404, "there is nothing at " + request.path));
  }
  if (parts.empty()) {
    if (method == "GET") return service.list_views(answer_of(std::move(answer)));
    if (method == "POST") return service.define_view(request.body, answer_of(std::move(answer)));
    return answer(not_allowed({"GET", "POST"}));
  }
  if (method == "DELETE") return service.drop_view(parts[0], answer_of(std::move(answer)));
  if (method != "GET") return answer(not_allowed({"GET", "DELETE"}));
  auto question = read_question(parts[0], request, clock);
  auto tell = text_answer_of(std::move(answer));
  if (!question) return tell(fail(question));
  service.read_view(std::move(*question), std::move(tell));
}

}  // namespace leat::server
