#include <atomic>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "base/sim_executor.h"
#include "base/thread_executor.h"

TEST_SUITE_BEGIN("base");

using namespace leat;
using namespace std::chrono_literals;

TEST_CASE("a thread executor runs work in order and finishes it before it is gone") {
  std::string seen;
  {
    ThreadExecutor executor("test");
    for (char c = 'a'; c <= 'e'; ++c) executor.post([&seen, c] { seen += c; });
  }
  CHECK(seen == "abcde");
}

TEST_CASE("a cancelled timer does not fire, another one does") {
  std::atomic<int> fired{0};
  std::atomic<bool> done{false};
  ThreadExecutor executor("test");
  auto timer = executor.after(1h, [&] { fired += 100; });
  executor.after(1ms, [&] {
    fired += 1;
    done = true;
    done.notify_one();
  });
  executor.cancel(timer);
  done.wait(false);
  CHECK(fired == 1);
}

TEST_CASE("a timer that is due is cancelled by work that runs before it") {
  std::atomic<bool> fired{false};
  std::atomic<bool> done{false};
  ThreadExecutor executor("test");
  auto timer = executor.after(1ms, [&] { fired = true; });
  executor.post([] { std::this_thread::sleep_for(20ms); });
  executor.post([&] {
    executor.cancel(timer);
    executor.post([&] { done = true; });
  });
  while (!done) std::this_thread::yield();
  CHECK_FALSE(fired);
}

TEST_CASE("simulated time moves to the next timer and no further") {
  SimExecutor sim(1000);
  std::string seen;
  sim.after(5ms, [&] { seen += 'b'; });
  sim.post([&] { seen += 'a'; });
  sim.after(20ms, [&] { seen += 'c'; });
  sim.run_for(10ms);
  CHECK(seen == "ab");
  CHECK(sim.wall_ms() == 1010);
  sim.run_until_idle();
  CHECK(seen == "abc");
  CHECK(sim.wall_ms() == 1020);
}

TEST_SUITE_END();
