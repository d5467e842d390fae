#include "net/address.h"

#include <charconv>

#include <fmt/core.h>

namespace leat::net {

namespace {

Result<std::uint16_t> parse_port(std::string_view digits, std::string_view text) {
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty())
    return fail(Errc::invalid_argument,
                fmt::format("'{}': the port must be a number from 0 to 65535", text));
  return port;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

Result<Address> Address::parse(std::string_view text, std::optional<std::uint16_t> default_port) {
  std::string_view host = text;
  std::optional<std::string_view> port;
  if (text.starts_with('[')) {
    std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos)
      return fail(Errc::invalid_argument, fmt::format("'{}': ']' is missing", text));
    host = text.substr(1, bracket - 1);
    std::string_view rest = text.substr(bracket + 1);
    if (!rest.empty() && !rest.starts_with(':'))
      return fail(Errc::invalid_argument, fmt::format("'{}': ':' must follow ']'", text));
    if (!rest.empty()) port = rest.substr(1);
  } else if (std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    // More than one colon without brackets is an IPv6 address without a port.
    if (text.find(':', colon + 1) == std::string_view::npos) {
      host = text.substr(0, colon);
      port = text.substr(colon + 1);
    }
  }
  if (host.empty())
    return fail(Errc::invalid_argument, fmt::format("'{}': the host is missing", text));
  if (!port && !default_port)
    return fail(Errc::invalid_argument, fmt::format("'{}': the port is missing", text));
  if (!port) return Address{std::string(host), *default_port};
  Result<std::uint16_t> number = parse_port(*port, text);
  if (!number) return fail(number);
  return Address{std::string(host), *number};
}

Result<std::vector<Address>> Address::parse_list(std::string_view text,
                                                 std::optional<std::uint16_t> default_port) {
  std::vector<Address> addresses;
  std::string_view rest = text;
  while (true) {
    std::size_t comma = rest.find(',');
    std::string_view item = trim(rest.substr(0, comma));
    if (!item.empty()) {
      Result<Address> address = parse(item, default_port);
      if (!address) return fail(address);
      addresses.push_back(std::move(*address));
    }
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (addresses.empty())
    return fail(Errc::invalid_argument, fmt::format("'{}' names no HOST:PORT", text));
  return addresses;
}

std::string Address::to_string() const {
  bool bracketed = host.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(bracketed ? "[{}]:{}" : "{}:{}"), host, port);
}

}  // namespace leat::net
