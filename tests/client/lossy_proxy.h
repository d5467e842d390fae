// A way to a real server on which answers get lost.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <thread>

#include "base/random.h"
#include "net/address.h"

namespace leat::client {

/// Listens on loopback, and hands everything on to `lead_to()`'s address and back, with a thread
/// for each connection.
class LossyProxy {
 public:
  LossyProxy();
  ~LossyProxy();
  LossyProxy(const LossyProxy&) = delete;
  LossyProxy& operator=(const LossyProxy&) = delete;

  net::Address address() const { return {"127.0.0.1", port_}; }
  void lead_to(const net::Address& server);
  /// From now on what the server sends ends the connection, or vanishes with all that follows,
  /// once in so many reads; 0: never.
  void lose(std::uint64_t seed, std::uint32_t one_in);
  /// Nothing that the server sends arrives any more.
  void silence() { is_silent_ = true; }

 private:
  enum class Fate { arrives, vanishes, ends };
  struct Link {
    int client = -1;
    int server = -1;
    std::atomic<bool> is_over{false};
    bool vanishes = false;  // all that the server sends
    std::thread thread = {};

    ~Link();
  };

  void accept_all();
  void serve(Link& link);
  /// False when the connection has ended.
  bool hand_on(Link& link, bool is_answer);
  Fate draw();

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> is_silent_{false};
  std::thread acceptor_;
  std::mutex mutex_;
  // Guarded by mutex_:
  bool is_over_ = false;
  std::uint16_t server_port_ = 0;
  Random random_{1};
  std::uint32_t one_in_ = 0;
  std::list<Link> links_;
};

}  // namespace leat::client
