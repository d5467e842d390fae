// What all clients of the soak share: chance, how to connect, and what they write down of what they
// do, as history_reader.h says: a line before each operation and one behind it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <leat/client.h>

namespace soak {

namespace asio = boost::asio;
using Steady = std::chrono::steady_clock;

// What each topic is for, and its partitions; as in soak_client.py, but for "work", which is
// rebalances.py's.
inline const std::map<std::string, int> topics{{"in", 4},   {"plain", 2}, {"pair", 3}, {"out", 3},
                                               {"side", 1}, {"moved", 2}, {"work", 8}};

std::int64_t now_us();

std::vector<leat::Partition> partitions_of(const std::vector<std::string>& names);

using Offsets = std::map<leat::Partition, std::int64_t>;

std::string triples(const Offsets& offsets);

/// With the same metadata for each.
std::vector<leat::CommittedOffset> to_commit(const Offsets& offsets, const std::string& uid);

struct Read {
  leat::Partition place;
  std::int64_t offset;
  std::string uid;
};

std::vector<Read> read_all(leat::Records& records);

class Client {
 public:
  Client(asio::io_context& runs_on, const boost::json::object& settings);

  leat::ClientOptions options() const;
  int between(int low, int high) { return std::uniform_int_distribution(low, high)(chance_); }
  double fraction() { return std::uniform_real_distribution(0.0, 1.0)(chance_); }
  bool decide() { return fraction() < 0.75; }
  std::string uid();
  asio::awaitable<void> sleep(double seconds);

  void write(const std::string& members);
  std::uint64_t begin(const std::string& call, const std::string& more);
  void end(std::uint64_t operation, const std::string& outcome, const std::string& more = {});
  void end_failed(std::uint64_t operation, const leat::Exception& exception,
                  const std::string& outcome = "unknown");

  /// Begins a session. Of its partitions, later ones take over from earlier ones. `more` is what is
  /// to be said besides.
  int assigned(const Offsets& from, bool is_committed, const std::string& group = {},
               const std::string& more = {});
  /// Writes what was read, a line for each partition.
  void polled(std::int64_t since, const std::map<leat::Partition, int>& sessions,
              const std::vector<Read>& records, const std::string& more = {});

  asio::io_context& context;
  std::string name;
  int number;
  bool is_stopping = false;
  std::size_t unfinished = 0;

 private:
  std::mt19937 chance_;
  std::string bootstrap_;
  int file_;
  std::uint64_t operations_ = 0;
  std::uint64_t uids_ = 0;
  int sessions_ = 0;
};

}  // namespace soak
