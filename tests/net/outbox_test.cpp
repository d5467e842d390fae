#include "net/outbox.h"

#include <cstdio>
#include <memory>
#include <string>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("net");

using leat::as_text;
using leat::Bytes;
using leat::Errc;
using leat::net::FileRange;
using leat::net::Outbox;

namespace {

Bytes bytes_of(const std::string& text) {
  auto view = leat::as_bytes(text);
  return {view.begin(), view.end()};
}

/// Two connected sockets, the first of which does not block.
struct SocketPair {
  SocketPair() {
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  }
  ~SocketPair() {
    ::close(ends[0]);
    close_peer();
  }
  void close_peer() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }
  std::string receive(std::size_t max) {
    std::string text(max, ' ');
    ssize_t n = ::recv(ends[1], text.data(), max, MSG_DONTWAIT);
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
  }
  int ends[2];
};

/// An unnamed file with `content`.
std::shared_ptr<std::FILE> file_with(const std::string& content) {
  std::shared_ptr<std::FILE> file(std::tmpfile(), &std::fclose);
  std::fwrite(content.data(), 1, content.size(), file.get());
  std::fflush(file.get());
  return file;
}

}  // namespace

TEST_CASE("parts in memory and in files arrive in order, however slowly the peer reads") {
  SocketPair sockets;
  auto file = file_with("0123456789" + std::string(3'000'000, 'f') + "end");
  int descriptor = ::fileno(file.get());
  Outbox outbox;
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    outbox.add(bytes_of("<" + std::to_string(i) + ">"));
    expected += "<" + std::to_string(i) + ">";
  }
  outbox.add(FileRange{file, descriptor, 5, 3'000'008});
  expected += "56789" + std::string(3'000'000, 'f') + "end";
  outbox.add(bytes_of("after"));
  outbox.add(FileRange{file, descriptor, 0, 3});
  expected += "after012";
  CHECK(outbox.pending_bytes() == expected.size());

  std::string received;
  while (received.size() < expected.size()) {
    REQUIRE(outbox.send(sockets.ends[0], 500'000));
    std::string got = sockets.receive(100'000);
    REQUIRE(!got.empty());
    received += got;
  }
  CHECK(received == expected);
  CHECK(outbox.empty());
  CHECK(outbox.pending_bytes() == 0);
  CHECK(outbox.memory_bytes() == 0);
  CHECK(outbox.sent_bytes() == expected.size());
}

TEST_CASE("a file that ends too early and a peer that has gone are errors") {
  SocketPair sockets;
  auto file = file_with("short");
  Outbox outbox;
  outbox.add(FileRange{file, ::fileno(file.get()), 0, 100});
  auto sent = outbox.send(sockets.ends[0], 1'000);
  REQUIRE_FALSE(sent);
  CHECK(sent.error().code == Errc::io_error);

  sockets.close_peer();
  Outbox late;
  late.add(bytes_of("anyone?"));
  sent = late.send(sockets.ends[0], 1'000);
  REQUIRE_FALSE(sent);
  CHECK(sent.error().code == Errc::connection_failed);
}

TEST_SUITE_END();
