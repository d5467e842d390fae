// A client that costs next to nothing: whole frames, made beforehand, over a blocking socket.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>

#include "base/assert.h"
#include "base/bytes.h"
#include "net/address.h"

namespace leat::bench {

inline int connect_to(const net::Address& address) {
  int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(address.port);
  ::inet_pton(AF_INET, address.host.c_str(), &to.sin_addr);
  ASSERT(socket >= 0 && ::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  return socket;
}

inline void send_all(int socket, BytesView bytes) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ASSERT(sent > 0);
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
}

/// The length of the next frame, and at least its first `least` bytes in `into`; the rest is let
/// go of without being copied.
inline std::size_t receive_frame(int socket, MutableBytes into, std::size_t least) {
  auto receive = [&](MutableBytes bytes, int flags) {
    while (!bytes.empty()) {
      ssize_t got = ::recv(socket, bytes.data(), bytes.size(), flags);
      ASSERT(got > 0);
      bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
  };
  std::byte size_bytes[4];
  receive(size_bytes, 0);
  auto size = static_cast<std::size_t>(load_big_endian<std::int32_t>(size_bytes));
  std::size_t kept = std::min(size, least);
  receive(into.first(kept), 0);
  for (std::size_t left = size - kept; left > 0;) {
    std::size_t part = std::min(left, into.size());
    receive(into.first(part), MSG_TRUNC);
    left -= part;
  }
  return size;
}

}  // namespace leat::bench
