// Asking a test's server over HTTP.
#pragma once

#include <string>

#include <fmt/core.h>

#include "plan/json.h"
#include "server/peer.h"

namespace leat::server {

/// The whole answer, with its status and headers.
inline std::string ask_http(TestServer& server, const std::string& method, const std::string& path,
                            const std::string& body = "") {
  Peer peer = server.connect_http();
  bool is_post = method == "POST";
  std::string headers =
      is_post ? fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size())
              : "";
  peer.send(
      fmt::format("{} {} HTTP/1.1\r\nConnection: close\r\n{}\r\n{}", method, path, headers, body));
  return peer.receive_all();
}

/// What the answer to a GET has as JSON; nothing where that is no object.
inline plan::JsonObject get_json(TestServer& server, const std::string& path) {
  std::string answer = ask_http(server, "GET", path);
  auto begin = answer.find("\r\n\r\n");
  if (begin == answer.npos) return {};
  auto json = plan::parse_json(answer.substr(begin), plan::RepeatedNames::last_counts);
  auto* object = json ? std::get_if<plan::JsonObject>(&*json) : nullptr;
  return object == nullptr ? plan::JsonObject() : std::move(*object);
}

/// A member's text, a number's digits; empty for anything else.
inline std::string text_at(const plan::JsonObject& object, const std::string& name) {
  auto found = object.find(name);
  if (found == object.end()) return "";
  if (const auto* text = std::get_if<std::string>(&found->second)) return *text;
  const auto* number = std::get_if<plan::JsonNumber>(&found->second);
  return number == nullptr ? "" : number->token;
}

}  // namespace leat::server
