#include "tools/http_api.h"

#include <charconv>
#include <cstdlib>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "net/address.h"

namespace leat::tools {

namespace {

constexpr std::uint16_t default_kafka_port = 9092;
constexpr std::uint16_t default_http_port = 8080;
/// Some of what is asked waits for the disk, or for runs to end.
constexpr std::chrono::milliseconds patience{60'000};
constexpr std::chrono::milliseconds shell_patience{1'000};

Result<net::Address> address_of(const std::string& said) {
  if (!said.empty()) return net::Address::parse(said, default_http_port);
  const char* brokers = std::getenv("LEAT_BROKERS");
  if (brokers == nullptr) return net::Address{"127.0.0.1", default_http_port};
  auto parsed = net::Address::parse_list(brokers, default_kafka_port);
  if (!parsed) return fail(parsed);
  return net::Address{parsed->front().host, default_http_port};
}

std::vector<std::string> names_at(const std::string& address, const std::string& target,
                                  const char* of, const char* name) {
  const char* said = std::getenv("LEAT_HTTP");
  auto where = address_of(address.empty() && said != nullptr ? said : address);
  if (!where) return {};
  auto client = net::HttpClient::connect(*where, shell_patience);
  if (!client) return {};
  auto answer = (*client)->get(target);
  if (!answer) return {};
  auto json = plan::parse_json(answer->body, plan::RepeatedNames::last_counts);
  if (!json) return {};
  std::vector<std::string> names;
  for (const plan::Json& item : items_of(member(*json, of))) {
    names.push_back(text_of(member(item, name)));
  }
  return names;
}

}  // namespace

void http_option(Arguments& arguments, std::string& into) {
  arguments.option("--http HOST:PORT", into,
                   "Where the server answers HTTP (default: port 8080 of this machine, or of the "
                   "one that LEAT_BROKERS names)",
                   "LEAT_HTTP");
}

Result<void> HttpApi::connect() {
  if (client_) return {};
  auto address = address_of(address_);
  if (!address) return fail(address);
  auto client = net::HttpClient::connect(*address, patience);
  if (!client) {
    return fail(client.error().code,
                fmt::format("{}. Is `leat serve` running? --http HOST:PORT, or LEAT_HTTP, says "
                            "where it answers HTTP",
                            client.error().what));
  }
  client_ = std::move(*client);
  return {};
}

Result<plan::Json> HttpApi::ask(const std::string& method, const std::string& target,
                                const std::string& body) {
  if (auto connected = connect(); !connected) return fail(connected);
  auto answer = client_->ask(method, target, body);
  if (!answer) {
    client_.reset();
    return fail(answer);
  }
  auto json = plan::parse_json(answer->body, plan::RepeatedNames::last_counts, 1000);
  constexpr int first_error = 400;
  if (answer->status < first_error) {
    if (json) return json;
    return fail(Errc::malformed,
                fmt::format("what answers there is no leat serve: {}", json.error().what));
  }
  std::string what = json ? text_of(member(*json, "error")) : "";
  if (what.empty()) what = fmt::format("{} {}: status {}", method, target, answer->status);
  constexpr int bad_request = 400;
  return fail(answer->status == bad_request ? Errc::invalid_argument : Errc::broker_error, what);
}

std::vector<std::string> list_pipelines(const std::string& address) {
  return names_at(address, "/v1/pipelines", "pipelines", "name");
}

std::vector<std::string> list_views(const std::string& address) {
  return names_at(address, "/v1/views", "views", "view");
}

std::string url_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '.' || c == '_' || c == '-';
    out += is_plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

const plan::Json& member(const plan::Json& json, const char* name) {
  static const plan::Json nothing;
  const auto* object = std::get_if<plan::JsonObject>(&json);
  if (object == nullptr) return nothing;
  auto found = object->find(name);
  return found == object->end() ? nothing : found->second;
}

std::string text_of(const plan::Json& json) {
  if (const auto* text = std::get_if<std::string>(&json)) return *text;
  if (const auto* number = std::get_if<plan::JsonNumber>(&json)) return number->token;
  if (const auto* truth = std::get_if<bool>(&json)) return *truth ? "true" : "false";
  return "";
}

std::string cell_of(const plan::Json& json) {
  std::string text = text_of(json);
  return text.empty() ? "-" : text;
}

double number_of(const plan::Json& json) {
  double number = 0;
  const auto* found = std::get_if<plan::JsonNumber>(&json);
  if (found != nullptr) {
    std::from_chars(found->token.data(), found->token.data() + found->token.size(), number);
  }
  return number;
}

bool is_true(const plan::Json& json) {
  const auto* truth = std::get_if<bool>(&json);
  return truth != nullptr && *truth;
}

const plan::JsonArray& items_of(const plan::Json& json) {
  static const plan::JsonArray nothing;
  const auto* array = std::get_if<plan::JsonArray>(&json);
  return array == nullptr ? nothing : *array;
}

}  // namespace leat::tools
