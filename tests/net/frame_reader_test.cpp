#include "net/frame_reader.h"

#include <cstring>
#include <string>
#include <vector>

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("net");

using leat::as_text;
using leat::Bytes;
using leat::BytesView;
using leat::ByteWriter;
using leat::Errc;
using leat::net::BufferPool;
using leat::net::BufferPtr;
using leat::net::Frame;
using leat::net::FrameReader;

namespace {

constexpr std::size_t limit = 100 << 20;

std::string filled(std::size_t size, char first) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(first + i % 23);
  return text;
}

Bytes stream_of(const std::vector<std::string>& frames) {
  Bytes stream;
  ByteWriter writer(stream);
  for (const auto& frame : frames) {
    writer.write(static_cast<std::int32_t>(frame.size()));
    writer.write_bytes(leat::as_bytes(frame));
  }
  return stream;
}

/// Gives `stream` to `reader`, `step` bytes at a time, and returns the frames that come out.
std::vector<Frame> read_all(FrameReader& reader, BytesView stream, std::size_t step) {
  std::vector<Frame> frames;
  while (!stream.empty()) {
    auto space = reader.space();
    if (space.empty()) FAIL("no space");
    std::size_t n = std::min({step, stream.size(), space.size()});
    std::memcpy(space.data(), stream.data(), n);
    reader.commit(n);
    stream = stream.subspan(n);
    while (true) {
      auto frame = reader.next();
      if (!frame) FAIL(frame.error().what);
      if (!*frame) break;
      frames.push_back(std::move(**frame));
    }
  }
  return frames;
}

}  // namespace

TEST_CASE("frames come out whole, in order and unchanged, however their bytes arrive") {
  std::vector<std::string> frames{"",
                                  "a",
                                  filled(100, 'b'),
                                  filled(70'000, 'c'),
                                  "d",
                                  filled(1'500'000, 'e'),
                                  filled(65'532, 'f'),
                                  filled(9'000'000, 'g'),
                                  "h"};
  for (int i = 0; i < 3'000; ++i) frames.push_back(filled(static_cast<std::size_t>(i), 'i'));
  Bytes stream = stream_of(frames);
  for (std::size_t step : {61UL, 4'096UL, 1'000'000UL}) {
    BufferPool pool(64 << 20);
    FrameReader reader(pool, limit);
    std::vector<Frame> read = read_all(reader, stream, step);
    REQUIRE(read.size() == frames.size());
    bool same = true;
    for (std::size_t i = 0; i < read.size(); ++i)
      same = same && as_text(read[i].bytes) == frames[i];
    CHECK(same);
    CHECK_FALSE(reader.in_frame());
  }
}

TEST_CASE(
    "a negative or giant length is malformed before anything is allocated for it (fault 16)") {
  for (std::int32_t length : {-1, INT32_MIN, 100 * 1024 * 1024 + 1, INT32_MAX}) {
    BufferPool pool(1 << 20);
    FrameReader reader(pool, limit);
    Bytes bytes;
    ByteWriter(bytes).write(length);
    std::memcpy(reader.space().data(), bytes.data(), bytes.size());
    reader.commit(bytes.size());
    auto frame = reader.next();
    REQUIRE_FALSE(frame);
    CHECK(frame.error().code == Errc::malformed);
    CHECK(pool.lent_bytes() == BufferPool::standard_bytes);
  }
}

TEST_CASE("the announcement of a large frame takes little memory until its bytes are there") {
  BufferPool pool(1 << 30);
  FrameReader reader(pool, limit);
  Bytes bytes;
  ByteWriter(bytes).write(std::int32_t{100 * 1024 * 1024});
  std::memcpy(reader.space().data(), bytes.data(), bytes.size());
  reader.commit(bytes.size());
  REQUIRE(reader.next());
  CHECK(reader.space().size() <= 1 << 20);
  CHECK(pool.lent_bytes() <= 1 << 20);
  CHECK(reader.expected_bytes() == 4 + 100 * 1024 * 1024);
}

TEST_CASE("an empty reader holds no memory, and a kept frame survives what follows it") {
  BufferPool pool(1 << 20);
  FrameReader reader(pool, limit);
  std::vector<Frame> first = read_all(reader, stream_of({"kept"}), 100);
  REQUIRE(first.size() == 1);
  for (int i = 0; i < 100; ++i) read_all(reader, stream_of({filled(20'000, 'x')}), 100'000);
  CHECK(as_text(first[0].bytes) == "kept");
  first.clear();
  reader.release_if_empty();
  CHECK(pool.lent_bytes() == 0);
}

TEST_CASE("a pool lends no more than its budget, and again when something comes back") {
  BufferPool pool(3 * BufferPool::standard_bytes);
  std::vector<BufferPtr> lent;
  for (int i = 0; i < 3; ++i) lent.push_back(pool.take(1));
  CHECK(lent.back() != nullptr);
  CHECK(pool.take(1) == nullptr);
  FrameReader reader(pool, limit);
  CHECK(reader.space().empty());
  lent.pop_back();
  CHECK_FALSE(reader.space().empty());
}

TEST_CASE("buffers begin on a page, and the last one given back is the next one lent") {
  BufferPool pool(1 << 20);
  BufferPtr buffer = pool.take(100'000);
  CHECK(buffer->size() >= 100'000);
  CHECK(reinterpret_cast<std::uintptr_t>(buffer->bytes().data()) % 4096 == 0);
  auto* address = buffer.get();
  buffer.reset();
  CHECK(pool.take(100'000).get() == address);
}

TEST_SUITE_END();
