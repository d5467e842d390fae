// Host and port as people write them: "localhost:9092", "[::1]:9092", "broker-1".
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace leat::net {

/// Where something listens. The host is a name or an IPv4 or IPv6 address, without brackets.
struct Address {
  std::string host;
  std::uint16_t port = 0;

  /// "HOST:PORT"; an IPv6 address with a port stands in brackets. Without a port that is
  /// `default_port`, and an error if there is none.
  static Result<Address> parse(std::string_view text, std::optional<std::uint16_t> default_port);
  /// Several, with commas between them. Blanks around each are ignored; at least one must be left.
  static Result<std::vector<Address>> parse_list(std::string_view text,
                                                 std::optional<std::uint16_t> default_port);
  /// As parse() reads it.
  std::string to_string() const;
  friend auto operator<=>(const Address&, const Address&) = default;
};

}  // namespace leat::net
