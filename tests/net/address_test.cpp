#include "net/address.h"

#include <doctest/doctest.h>

namespace leat::net {
namespace {

/// What `text` parses to, written back, or "error".
std::string parsed(std::string_view text, std::optional<std::uint16_t> default_port = 9092) {
  Result<Address> address = Address::parse(text, default_port);
  return address ? address->to_string() : "error";
}

TEST_SUITE_BEGIN("net");

TEST_CASE("an address is a host with a port, which may be the default one") {
  CHECK(parsed("localhost:1") == "localhost:1");
  CHECK(parsed("broker-1") == "broker-1:9092");
  CHECK(parsed("127.0.0.1:65535") == "127.0.0.1:65535");
  CHECK(parsed("broker-1", std::nullopt) == "error");
}

TEST_CASE("an IPv6 address stands in brackets when it has a port") {
  CHECK(parsed("[::1]:9093") == "[::1]:9093");
  CHECK(parsed("[fe80::1]") == "[fe80::1]:9092");
  CHECK(parsed("::1") == "[::1]:9092");
}

TEST_CASE("an address without a host, or with a port that is none, is refused") {
  for (const char* text :
       {"", ":9092", "[]:9092", "a:", "a:x", "a:65536", "a:-1", "[::1", "[::1]x"})
    CHECK_MESSAGE(parsed(text) == "error", text);
}

TEST_CASE("a list of addresses ignores blanks and empty items, and must name one") {
  Result<std::vector<Address>> list = Address::parse_list("a:1, b:2,,c", 9092);
  REQUIRE(list);
  CHECK(*list == std::vector<Address>{{"a", 1}, {"b", 2}, {"c", 9092}});
  CHECK_FALSE(Address::parse_list(" , ", 9092));
  CHECK_FALSE(Address::parse_list("a:1,b:x", 9092));
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::net
