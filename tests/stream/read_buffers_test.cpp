#include "stream/read_buffers.h"

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;

TEST_CASE("a buffer is given out again when its last owner has let go of it, and not before") {
  ReadBuffers buffers;
  auto first = buffers.take();
  const std::byte* memory = first->room(100).data();
  auto other_owner = first;
  first.reset();
  auto second = buffers.take();
  CHECK(second->room(100).data() != memory);
  other_owner.reset();
  CHECK(buffers.take()->room(100).data() == memory);
}

TEST_CASE("a buffer may outlive those who gave it out") {
  std::shared_ptr<ReadBuffer> buffer;
  {
    ReadBuffers buffers;
    buffer = buffers.take();
  }
  std::memset(buffer->room(5000).data(), 1, 5000);
}

TEST_CASE("threads that hand buffers on to one another find what they wrote") {
  ReadBuffers buffers;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int number = 1; number <= 4; ++number) {
    threads.emplace_back([&, number] {
      for (int i = 0; i < 2'000; ++i) {
        auto buffer = buffers.take();
        MutableBytes room = buffer->room(64);
        std::memset(room.data(), number, room.size());
        for (std::byte byte : room) wrong += byte == static_cast<std::byte>(number) ? 0 : 1;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_SUITE_END();
