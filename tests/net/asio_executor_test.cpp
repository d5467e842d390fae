#include "net/asio_executor.h"

#include <string>
#include <thread>

#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include "net/deadline.h"

TEST_SUITE_BEGIN("net");

using leat::net::AsioExecutor;
using leat::net::Deadline;
using std::chrono::hours;
using std::chrono::milliseconds;

TEST_CASE("posted work runs in order, and timers when they are due unless cancelled") {
  boost::asio::io_context io;
  AsioExecutor executor(io);
  std::string ran;
  executor.after(milliseconds(20), [&] { ran += 'c'; });
  auto cancelled = executor.after(milliseconds(5), [&] { ran += 'x'; });
  executor.post([&] { ran += 'a'; });
  executor.post([&] {
    ran += 'b';
    executor.cancel(cancelled);
  });
  CHECK(ran.empty());
  io.run();
  CHECK(ran == "abc");
}

TEST_CASE("a timer cancelled on the executor does not run, even when it was due already") {
  boost::asio::io_context io;
  AsioExecutor executor(io);
  int ran = 0;
  leat::Executor::TimerId second = 0;
  executor.after(milliseconds(1), [&] {
    ++ran;
    executor.cancel(second);
  });
  second = executor.after(milliseconds(1), [&] { ++ran; });
  std::this_thread::sleep_for(milliseconds(5));
  io.run();
  CHECK(ran == 1);
}

TEST_CASE("held work waits for release while others use the context") {
  boost::asio::io_context io;
  AsioExecutor executor(io);
  std::string ran;
  executor.hold();
  executor.post([&] { ran += 'a'; });
  executor.after(milliseconds(0), [&] { ran += 'b'; });
  boost::asio::post(io, [&] { ran += 'x'; });
  io.run();
  CHECK(ran == "x");
  executor.release();
  executor.post([&] { ran += 'c'; });
  io.restart();
  io.run();
  CHECK(ran == "xabc");
}

TEST_CASE("what goes with a timer that is cancelled may use the executor") {
  boost::asio::io_context io;
  AsioExecutor executor(io);
  int ran = 0;
  std::shared_ptr<void> gone(nullptr, [&](void*) {
    executor.post([&] { ++ran; });
    executor.after(milliseconds(0), [&] { ++ran; });
  });
  auto timer = executor.after(hours(1), [gone = std::move(gone)] {});
  executor.cancel(timer);
  io.run();
  CHECK(ran == 2);
}

TEST_CASE("a deadline expires once, not when cleared, and not before the time it was moved to") {
  boost::asio::io_context io;
  int expired = 0;
  Deadline deadline(io.get_executor(), [&] { ++expired; });
  deadline.set(milliseconds(1));
  io.run();
  CHECK(expired == 1);

  io.restart();
  deadline.set(milliseconds(1));
  deadline.clear();
  io.run();
  CHECK(expired == 1);

  io.restart();
  auto start = std::chrono::steady_clock::now();
  deadline.set(milliseconds(1));
  deadline.set(milliseconds(30));
  io.run();
  CHECK(expired == 2);
  CHECK(std::chrono::steady_clock::now() - start >= milliseconds(30));

  io.restart();
  deadline.set(hours(1));
  deadline.set(milliseconds(1));
  io.run();
  CHECK(expired == 3);
}

TEST_SUITE_END();
