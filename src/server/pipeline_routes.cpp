#include "server/pipeline_routes.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "plan/json.h"
#include "plan/literal_json.h"
#include "plan/parameters.h"
#include "server/service_route.h"

namespace leat::server {
namespace {

using pipeline::ReplayRequest;
using pipeline::Service;
using plan::Json;
using plan::JsonObject;

constexpr std::string_view root = "/v1/pipelines";

std::optional<std::uint32_t> to_version(std::string_view text) {
  std::uint32_t version = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  bool is_one = error == std::errc{} && end == text.data() + text.size();
  return is_one ? std::optional(version) : std::nullopt;
}

/// Takes the members of a body, each once; what is left over is an error that names what there is.
class Members {
 public:
  static Result<Members> parse(const std::string& body) {
    if (body.empty()) return Members(JsonObject{});
    auto json = plan::parse_json(body, plan::RepeatedNames::refuse);
    if (!json) return fail(json);
    auto* object = std::get_if<JsonObject>(&*json);
    if (object == nullptr) return fail(Errc::invalid_argument, "the body must be a JSON object");
    return Members(std::move(*object));
  }

  void take(const char* name, std::string& into) {
    take_as(name, "a string", [&](const Json& json) {
      const auto* text = std::get_if<std::string>(&json);
      if (text != nullptr) into = *text;
      return text != nullptr;
    });
  }
  void take(const char* name, bool& into) {
    take_as(name, "true or false", [&](const Json& json) {
      const auto* truth = std::get_if<bool>(&json);
      if (truth != nullptr) into = *truth;
      return truth != nullptr;
    });
  }
  void take_rate(const char* name, ReplayRequest& into) {
    take_as(name, R"(a number that is not negative, or "max")", [&](const Json& json) {
      const auto* text = std::get_if<std::string>(&json);
      into.at_full_speed = text != nullptr && *text == "max";
      auto number = plan::read_double(json);
      if (number) into.rows_per_s = *number;
      return into.at_full_speed || (number && *number >= 0);
    });
  }
  void take(const char* name, plan::Parameters& into) {
    take_as(name, "an object of strings", [&](const Json& json) {
      const auto* values = std::get_if<JsonObject>(&json);
      for (const auto& [of, value] : values == nullptr ? JsonObject{} : *values) {
        const auto* text = std::get_if<std::string>(&value);
        if (text == nullptr) return false;
        into[of] = *text;
      }
      return values != nullptr;
    });
  }
  void take(const char* name, std::optional<std::uint32_t>& into) {
    take_as(name, "a version's number", [&](const Json& json) {
      auto number = plan::read_integer(json);
      bool is_one = number && *number > 0 && *number <= std::numeric_limits<std::int32_t>::max();
      if (is_one) into = static_cast<std::uint32_t>(*number);
      return is_one;
    });
  }
  Result<void> finish() const {
    if (error_) return fail(Errc::invalid_argument, *error_);
    if (object_.empty()) return {};
    return fail(
        Errc::invalid_argument,
        fmt::format(
            "'{}' is not taken here; {}", object_.begin()->first,
            names_.empty() ? "nothing is" : fmt::format("there are: {}", fmt::join(names_, ", "))));
  }

 private:
  explicit Members(JsonObject object) : object_(std::move(object)) {}

  template <class Read>
  void take_as(const char* name, const char* what, Read read) {
    names_.emplace_back(name);
    auto found = object_.find(name);
    if (found == object_.end()) return;
    bool is_null = std::holds_alternative<std::nullptr_t>(found->second);
    if (!is_null && !read(found->second) && !error_) {
      error_ = fmt::format("'{}' must be {}", name, what);
    }
    object_.erase(found);
  }

  JsonObject object_;
  std::vector<std::string> names_;
  std::optional<std::string> error_;
};

Result<ReplayRequest> read_replay(const std::string& body) {
  auto members = Members::parse(body);
  if (!members) return fail(members);
  ReplayRequest request;
  members->take("from", request.from);
  members->take("to", request.to);
  members->take_rate("rate", request);
  members->take("diff", request.diff);
  members->take("final", request.flush);
  members->take("promote", request.promote);
  members->take("version", request.version);
  members->take("dead_letters", request.dead_letters);
  members->take("topic", request.topic);
  members->take("late", request.late);
  if (auto finished = members->finish(); !finished) return fail(finished);
  if (!request.topic.empty() && !request.dead_letters) {
    return fail(Errc::invalid_argument, "'topic' says which dead letters: 'dead_letters' is false");
  }
  return request;
}

Result<std::uint32_t> read_version(const std::string& body) {
  auto members = Members::parse(body);
  if (!members) return fail(members);
  std::optional<std::uint32_t> version;
  members->take("version", version);
  if (auto finished = members->finish(); !finished) return fail(finished);
  if (!version) return fail(Errc::invalid_argument, "'version' is missing: which one");
  return *version;
}

Result<void> read_nothing(const std::string& body) {
  auto members = Members::parse(body);
  return members ? members->finish() : fail(members);
}

/// Of one method at one path.
using Route = void (*)(const net::HttpRequest&, const std::string& name, Service&, Service::Answer);

struct Entry {
  std::string_view method;
  /// Behind the name.
  std::string_view what;
  Route route;
};

void pause(const net::HttpRequest& request, const std::string& name, Service& service,
           Service::Answer answer) {
  auto read = read_nothing(request.body);
  read ? service.pause(name, std::move(answer)) : answer(fail(read));
}

void resume(const net::HttpRequest& request, const std::string& name, Service& service,
            Service::Answer answer) {
  auto read = read_nothing(request.body);
  read ? service.resume(name, std::move(answer)) : answer(fail(read));
}

void run_now(const net::HttpRequest& request, const std::string& name, Service& service,
             Service::Answer answer) {
  auto members = Members::parse(request.body);
  if (!members) return answer(fail(members));
  plan::Parameters values;
  members->take("set", values);
  auto read = members->finish();
  read ? service.run_now(name, std::move(values), std::move(answer)) : answer(fail(read));
}

void deploy(const net::HttpRequest& request, Service& service, Service::Answer answer) {
  plan::Parameters values;
  for (const std::string& assignment : parameters(request.query, "set")) {
    auto added = plan::add_parameter(values, assignment);
    if (!added) return answer(fail(added));
  }
  service.deploy(request.body, std::move(values), std::move(answer));
}

void promote(const net::HttpRequest& request, const std::string& name, Service& service,
             Service::Answer answer) {
  auto version = read_version(request.body);
  version ? service.promote(name, *version, std::move(answer)) : answer(fail(version));
}

void replay(const net::HttpRequest& request, const std::string& name, Service& service,
            Service::Answer answer) {
  auto replay = read_replay(request.body);
  replay ? service.replay(name, std::move(*replay), std::move(answer)) : answer(fail(replay));
}

/// Of a query; false if it is none.
bool read_version(const std::string& query, std::optional<std::uint32_t>& version) {
  auto text = parameter(query, "version");
  if (!text) return true;
  version = to_version(*text);
  return version.has_value();
}

void show_replay(const net::HttpRequest& request, const std::string& name, Service& service,
                 Service::Answer answer) {
  std::optional<std::uint32_t> version;
  if (read_version(request.query, version)) {
    return service.show_replay(name, version, std::move(answer));
  }
  answer(fail(Errc::invalid_argument, "version must be a version's number"));
}

void stop_replay(const net::HttpRequest& request, const std::string& name, Service& service,
                 Service::Answer answer) {
  std::optional<std::uint32_t> version;
  if (read_version(request.query, version)) {
    return service.stop_replay(name, version, std::move(answer));
  }
  answer(fail(Errc::invalid_argument, "version must be a version's number"));
}

void drop(const net::HttpRequest& request, const std::string& name, Service& service,
          Service::Answer answer) {
  service.drop(name, parameter(request.query, "topics") == "true", std::move(answer));
}

void drop_version(const net::HttpRequest& request, const std::string& name, Service& service,
                  Service::Answer answer) {
  std::optional<std::uint32_t> version;
  bool is_read = read_version(request.query, version);
  if (!is_read || !version) {
    return answer(fail(Errc::invalid_argument, "version must be a version's number"));
  }
  service.drop_version(name, *version, parameter(request.query, "topics") == "true",
                       std::move(answer));
}

constexpr Entry entries[] = {
    {"GET", "",
     [](const net::HttpRequest&, const std::string& name, Service& service,
        Service::Answer answer) { service.show(name, std::move(answer)); }},
    {"GET", "why",
     [](const net::HttpRequest&, const std::string& name, Service& service,
        Service::Answer answer) { service.why(name, std::move(answer)); }},
    {"GET", "versions",
     [](const net::HttpRequest&, const std::string& name, Service& service,
        Service::Answer answer) { service.versions(name, std::move(answer)); }},
    {"GET", "replay", show_replay},
    {"DELETE", "", drop},
    {"DELETE", "replay", stop_replay},
    {"DELETE", "versions", drop_version},
    {"POST", "pause", pause},
    {"POST", "resume", resume},
    {"POST", "run", run_now},
    {"POST", "promote", promote},
    {"POST", "replay", replay},
};

}  // namespace

bool is_pipeline_path(const std::string& path) {
  return path == root || path.starts_with(std::string(root) + "/");
}

void answer_pipelines(const net::HttpRequest& request, Service& service,
                      net::HttpServer::Answer answer) {
  std::vector<std::string> parts = parts_of(request.path, root);
  std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  if (parts.empty()) {
    if (method == "GET") return service.list(answer_of(std::move(answer)));
    if (method == "POST") return deploy(request, service, answer_of(std::move(answer)));
    return answer(not_allowed({"GET", "POST"}));
  }
  std::string what = parts.size() > 1 ? parts[1] : "";
  std::vector<std::string_view> allowed;
  for (const Entry& entry : entries) {
    if (entry.what != what || parts.size() > 2) continue;
    if (entry.method == method) {
      return entry.route(request, parts[0], service, answer_of(std::move(answer)));
    }
    allowed.push_back(entry.method);
  }
  if (!allowed.empty()) return answer(not_allowed(allowed));
  answer(net::error_response(404, "there is nothing at " + request.path));
}

}  // namespace leat::server
