// What groups have committed, as those know it who asked for it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace leat::sim {

/// Every commit and every deletion has a number, in the order in which they were asked for, which
/// is the order in which they count. A commit's number is its offset.
class OffsetsModel {
 public:
  using Place = std::pair<std::string, std::int32_t>;  // group, partition

  /// It may expire from that time on, of the server's clock.
  std::int64_t commit(const Place& place, std::int64_t expires_ms);
  void committed(const Place& place, std::int64_t number);
  /// It could not be written, and may be there all the same after a crash. Who forgot what was not
  /// known wrote nothing, so it does not go either.
  void failed(const Place& place, std::int64_t number);
  std::int64_t forget(const Place& place);
  void forgotten(const Place& place, std::int64_t number);
  /// What is wrong with such an answer; empty if nothing is.
  std::string told(const Place& place, std::optional<std::int64_t> offset, std::int64_t now_ms);

 private:
  struct Committed {
    std::map<std::int64_t, std::int64_t> sent;  // and when it may expire
    std::vector<std::int64_t> deletions;        // asked for
    std::set<std::int64_t> failed;
    std::int64_t floor = 0;  // acknowledged or told last
    std::int64_t gone = 0;   // nothing up to here is told again
  };
  std::int64_t last_ = 0;
  std::map<Place, Committed> offsets_;
};

}  // namespace leat::sim
