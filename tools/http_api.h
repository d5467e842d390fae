// What a server is asked over HTTP, and its answers, which are JSON.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http_client.h"
#include "plan/json.h"
#include "tools/command.h"

namespace leat::tools {

/// `--http`, which every command has that asks over HTTP: LEAT_HTTP otherwise.
void http_option(Arguments& arguments, std::string& into);

/// A connection that is made when it is needed, and again where it was lost.
class HttpApi {
 public:
  /// `address` is what --http says; empty for port 8080 where LEAT_BROKERS is, or here.
  explicit HttpApi(std::string address) : address_(std::move(address)) {}

  /// The answer's JSON; the server's own error if it has one to tell. Errc::connection_failed says
  /// how to reach one.
  Result<plan::Json> ask(const std::string& method, const std::string& target,
                         const std::string& body = "");

 private:
  Result<void> connect();

  std::string address_;
  std::unique_ptr<net::HttpClient> client_;
};

/// The names of pipelines, for a shell that waits: soon, and none where anything is wrong.
std::vector<std::string> list_pipelines(const std::string& address);

/// The same for views.
std::vector<std::string> list_views(const std::string& address);

/// Text as part of a path or a query.
std::string url_text(std::string_view text);

// Looking into answers. What is not there is empty, or null.
const plan::Json& member(const plan::Json& json, const char* name);
/// A string's text, a number's digits, "true" or "false".
std::string text_of(const plan::Json& json);
/// The same, with a dash for null and what is empty.
std::string cell_of(const plan::Json& json);
double number_of(const plan::Json& json);
bool is_true(const plan::Json& json);
/// Empty if it is no array.
const plan::JsonArray& items_of(const plan::Json& json);

}  // namespace leat::tools
