// Asks an HTTP server, and waits for what it says.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/address.h"

namespace leat::net {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

/// One connection, and another one where the server has closed it in between, as servers do with
/// idle ones. For use by one thread at a time; needs no loop. After an error it is of no use any
/// more.
class HttpClient {
 public:
  /// `timeout` is for connecting, and for each answer. Errc::connection_failed, naming the address.
  static Result<std::unique_ptr<HttpClient>> connect(const Address& address,
                                                     std::chrono::milliseconds timeout);
  ~HttpClient();

  /// `target` is a path with its query: "/readyz".
  Result<HttpAnswer> get(const std::string& target) { return ask("GET", target, ""); }
  /// With a `body` of JSON where the method is POST.
  Result<HttpAnswer> ask(const std::string& method, const std::string& target,
                         const std::string& body);

 private:
  struct State;
  explicit HttpClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace leat::net
