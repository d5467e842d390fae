#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "wire/messages.h"
#include "wire/randomizer.h"

TEST_SUITE_BEGIN("wire");

using namespace leat;
using namespace leat::wire;

namespace {

/// Calls `f.operator()<M>(version)` for every message and version there is.
template <class F>
void for_each_version(F&& f) {
  auto versions_of = [&]<class M>() {
    CAPTURE(name(M::key));
    for (Version version = M::valid.first; version <= M::valid.last; ++version) {
      CAPTURE(version);
      f.template operator()<M>(version);
    }
  };
  Requests::for_each([&]<class Request>() {
    versions_of.template operator()<Request>();
    versions_of.template operator()<typename Request::Response>();
  });
}

template <class M>
Bytes encode(const M& message, Version version) {
  Encoded out;
  REQUIRE(Codec<M>::encode(message, version, out));
  CHECK(out.holes.empty());
  return std::move(out.bytes);
}

}  // namespace

TEST_CASE("every message of every version comes back as it was written") {
  Random random(1);
  for_each_version([&]<class M>(Version version) {
    for (int i = 0; i < 30; ++i) {
      M message = random_message<M>(random, version);
      Bytes bytes = encode(message, version);
      Result<M> back = Codec<M>::decode(bytes, version);
      REQUIRE(back);
      CHECK(encode(*back, version) == bytes);
      CHECK(Codec<M>::print(*back, version) == Codec<M>::print(message, version));
    }
  });
}

TEST_CASE(
    "a message that was cut short anywhere is malformed, and so is one with bytes behind it") {
  Random random(2);
  for_each_version([&]<class M>(Version version) {
    for (int i = 0; i < 3; ++i) {
      Bytes bytes = encode(random_message<M>(random, version), version);
      for (std::size_t size = 0; size < bytes.size(); ++size) {
        // A copy of that size exactly, so that a sanitizer sees a read past its end.
        Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        Result<M> message = Codec<M>::decode(cut, version);
        REQUIRE(!message);
        CHECK(message.error().code == Errc::malformed);
      }
      bytes.push_back(std::byte{0});
      CHECK(Codec<M>::decode(bytes, version).error().code == Errc::malformed);
    }
  });
}

TEST_CASE("flipped bytes give a message or an error, and what they give can be written again") {
  Random random(3);
  for_each_version([&]<class M>(Version version) {
    for (int i = 0; i < 100; ++i) {
      Bytes bytes = encode(random_message<M>(random, version), version);
      for (std::uint64_t flips = random.below(4) + 1; flips > 0 && !bytes.empty(); --flips) {
        bytes[random.below(bytes.size())] = static_cast<std::byte>(random.next());
      }
      Result<M> message = Codec<M>::decode(bytes, version);
      if (!message) continue;
      Bytes again = encode(*message, version);
      Result<M> back = Codec<M>::decode(again, version);
      REQUIRE(back);
      CHECK(encode(*back, version) == again);
    }
  });
}

TEST_CASE("a version outside the valid ones is neither read nor written") {
  Requests::for_each([]<class Request>() {
    CAPTURE(name(Request::key));
    for (int version : {Request::valid.first - 1, Request::valid.last + 1}) {
      auto wrong = static_cast<Version>(version);
      Encoded out;
      CHECK(Codec<Request>::decode({}, wrong).error().code == Errc::unsupported_version);
      CHECK(Codec<Request>::encode({}, wrong, out).error().code == Errc::unsupported_version);
    }
  });
}

TEST_CASE("a request and its response have the same key and the same versions") {
  std::vector<ApiKey> keys;
  Requests::for_each([&]<class Request>() {
    using Response = typename Request::Response;
    static_assert(Request::key == Response::key);
    static_assert(Request::valid == Response::valid);
    static_assert(Request::flexible == Response::flexible);
    keys.push_back(Request::key);
  });
  CHECK(std::is_sorted(keys.begin(), keys.end()));
}

TEST_SUITE_END();
