#include "lossy_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "base/assert.h"

namespace leat::client {

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

bool send_all(int socket, const char* bytes, std::size_t size) {
  return send(socket, bytes, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size);
}

}  // namespace

LossyProxy::LossyProxy() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  ASSERT(bind(listener_, raw, size) == 0);
  ASSERT(listen(listener_, 64) == 0);
  ASSERT(getsockname(listener_, raw, &size) == 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

LossyProxy::Link::~Link() {
  if (thread.joinable()) thread.join();
  close(client);
  close(server);
}

LossyProxy::~LossyProxy() {
  {
    std::lock_guard lock(mutex_);
    is_over_ = true;
    for (Link& link : links_) shutdown(link.client, SHUT_RDWR);
  }
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
}

void LossyProxy::lead_to(const net::Address& server) {
  std::lock_guard lock(mutex_);
  server_port_ = server.port;
}

void LossyProxy::lose(std::uint64_t seed, std::uint32_t one_in) {
  std::lock_guard lock(mutex_);
  random_ = Random(seed);
  one_in_ = one_in;
}

void LossyProxy::accept_all() {
  for (int client = -1; (client = accept(listener_, nullptr, nullptr)) >= 0;) {
    std::lock_guard lock(mutex_);
    links_.remove_if([](const Link& link) { return link.is_over.load(); });
    Link& link = links_.emplace_back();
    link.client = client;
    link.server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(server_port_);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    bool is_there = connect(link.server, raw, sizeof address) == 0;
    if (is_over_ || !is_there) {
      links_.pop_back();
      continue;
    }
    link.thread = std::thread([this, &link] { serve(link); });
  }
}

void LossyProxy::serve(Link& link) {
  pollfd both[] = {{link.client, POLLIN, 0}, {link.server, POLLIN, 0}};
  bool is_open = true;
  while (is_open && poll(both, 2, -1) > 0) {
    if (both[0].revents != 0) is_open = hand_on(link, false);
    if (is_open && both[1].revents != 0) is_open = hand_on(link, true);
  }
  shutdown(link.client, SHUT_RDWR);
  shutdown(link.server, SHUT_RDWR);
  link.is_over = true;
}

bool LossyProxy::hand_on(Link& link, bool is_answer) {
  std::array<char, 4096> bytes;
  ssize_t got = recv(is_answer ? link.server : link.client, bytes.data(), bytes.size(), 0);
  if (got <= 0) return false;
  if (is_answer && !link.vanishes) {
    Fate fate = draw();
    if (fate == Fate::ends) return false;
    link.vanishes = fate == Fate::vanishes;
  }
  if (is_answer && (link.vanishes || is_silent_)) return true;
  return send_all(is_answer ? link.client : link.server, bytes.data(),
                  static_cast<std::size_t>(got));
}

LossyProxy::Fate LossyProxy::draw() {
  std::lock_guard lock(mutex_);
  if (one_in_ == 0 || !random_.one_in(one_in_)) return Fate::arrives;
  return random_.one_in(2) ? Fate::vanishes : Fate::ends;
}

}  // namespace leat::client
