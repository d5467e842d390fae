// How many connections may be open: in all, and from one address.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

#include <boost/asio/ip/address.hpp>

namespace leat::net {

/// Thread-safe.
class ConnectionLimit {
 public:
  ConnectionLimit(std::size_t connections_max, std::size_t per_address_max);

  /// One admitted connection, for as long as it lives. May outlive the limit.
  using Token = std::shared_ptr<void>;
  /// nullptr when that would be one too many.
  Token admit(const boost::asio::ip::address& peer);
  std::size_t open() const;

 private:
  struct Counts {
    std::mutex mutex;
    // Guarded by mutex:
    std::size_t all = 0;
    std::map<boost::asio::ip::address, std::size_t> by_address;
  };
  std::size_t connections_max_;
  std::size_t per_address_max_;
  std::shared_ptr<Counts> counts_;
};

}  // namespace leat::net
