#include <string>

#include <doctest/doctest.h>

#include "base/random.h"
#include "base/state.h"

TEST_SUITE_BEGIN("base");

using namespace leat;

namespace {

Bytes snapshot() {
  StateWriter writer;
  writer.section("window", 3);
  writer.write(std::int64_t{-5});
  writer.write_double(0.5);
  writer.write_text("key");
  return writer.finish();
}

}  // namespace

TEST_CASE("a snapshot gives back what was written") {
  Bytes bytes = snapshot();
  auto reader = StateReader::open(bytes);
  REQUIRE(reader);
  REQUIRE(reader->section("window", 3));
  CHECK(reader->read<std::int64_t>() == -5);
  CHECK(reader->read_double() == 0.5);
  CHECK_FALSE(reader->finish());
  CHECK(reader->read_text() == "key");
  CHECK(reader->finish());
  CHECK(reader->read<std::int32_t>() == 0);
  CHECK_FALSE(reader->ok());
}

TEST_CASE("a snapshot of something else is refused") {
  Bytes bytes = snapshot();
  CHECK(StateReader::open(bytes)->section("window", 2).error().code == Errc::snapshot_mismatch);
  CHECK(StateReader::open(bytes)->section("filter", 3).error().code == Errc::snapshot_mismatch);
}

TEST_CASE("a snapshot with a wrong byte, or too few, is refused") {
  const Bytes good = snapshot();
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= std::byte{0x10};
    CHECK_FALSE(StateReader::open(bad));
    CHECK_FALSE(StateReader::open(BytesView(good).first(i)));
  }
}

TEST_SUITE_END();
