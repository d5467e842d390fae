#include "base/recycled_memory.h"

#include <cstring>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("base");

using namespace leat;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

}  // namespace

TEST_CASE("memory that came back is given out again, the last block first") {
  auto memory = std::make_shared<RecycledMemory>(8 * mib);
  auto first = memory->take(mib);
  auto second = memory->take(mib);
  const std::byte* last = second.get();
  first.reset();
  second.reset();
  CHECK(memory->kept_bytes() == 2 * mib);
  auto again = memory->take(mib - 1000);
  CHECK(again.get() == last);
  CHECK(memory->kept_bytes() == mib);
  // One that is too small is not given.
  auto larger = memory->take(2 * mib);
  std::memset(larger.get(), 7, 2 * mib);
  CHECK(memory->kept_bytes() == mib);
}

TEST_CASE("no more is kept than is allowed together with what is out") {
  auto memory = std::make_shared<RecycledMemory>(4 * mib);
  std::vector<std::shared_ptr<std::byte[]>> out;
  for (int i = 0; i < 6; ++i) out.push_back(memory->take(mib));
  // Five are out still, four, and then one takes the place of one.
  for (int i = 0; i < 2; ++i) {
    out.pop_back();
    CHECK(memory->kept_bytes() == 0);
  }
  out.pop_back();
  CHECK(memory->kept_bytes() == mib);
  out.clear();
  CHECK(memory->kept_bytes() == 4 * mib);
  SUBCASE("what does not fit gives way to what is asked for") {
    auto large = memory->take(3 * mib);
    CHECK(memory->kept_bytes() == mib);
  }
  SUBCASE("a lower bound has it let go of the rest") {
    memory->set_bound(mib);
    CHECK(memory->kept_bytes() == mib);
    memory->set_bound(0);
    CHECK(memory->kept_bytes() == 0);
  }
}

TEST_CASE("what is not needed for a while is not kept") {
  auto memory = std::make_shared<RecycledMemory>(64 * mib);
  {
    std::vector<std::shared_ptr<std::byte[]>> out;
    for (int i = 0; i < 10; ++i) out.push_back(memory->take(mib));
  }
  CHECK(memory->kept_bytes() == 10 * mib);
  for (int i = 0; i < 200; ++i) memory->take(mib);
  CHECK(memory->kept_bytes() == mib);
  for (int i = 0; i < 200; ++i) memory->take(100);
  CHECK(memory->kept_bytes() == 0);
}

TEST_CASE("blocks come back on any thread, also when their origin is forgotten") {
  auto memory = std::make_shared<RecycledMemory>(mib);
  std::weak_ptr<RecycledMemory> known = memory;
  auto block = memory->take(mib);
  memory->set_bound(0);
  memory.reset();
  std::thread([held = std::move(block)]() mutable {
    std::memset(held.get(), 1, mib);
    held.reset();
  }).join();
  CHECK(known.expired());
}

TEST_CASE("threads share it") {
  auto memory = std::make_shared<RecycledMemory>(4 * mib);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        std::size_t size = mib / 8 * static_cast<std::size_t>(1 + (i + t) % 8);
        auto block = memory->take(size);
        block[0] = block[size - 1] = static_cast<std::byte>(t);
        std::this_thread::yield();
        CHECK(block[0] == block[size - 1]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(memory->kept_bytes() <= 4 * mib);
}

TEST_SUITE_END();
