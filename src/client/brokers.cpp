#include "client/brokers.h"

#include <cstdint>

namespace leat::client {

Result<std::vector<net::Address>> parse_brokers(std::string_view brokers) {
  constexpr std::uint16_t default_port = 9092;
  return net::Address::parse_list(brokers, default_port);
}

}  // namespace leat::client
