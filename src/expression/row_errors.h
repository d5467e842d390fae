// Rows for which an expression has no valid value.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace leat::expression {

/// Why, by row: an overflow, a division by zero, a text that is no number. Of several reasons for
/// one row the first that is added counts. Empty mostly.
class RowErrors {
 public:
  void add(std::uint32_t row, std::string reason) { reasons_.emplace(row, std::move(reason)); }
  bool empty() const { return reasons_.empty(); }
  bool contains(std::uint32_t row) const { return reasons_.contains(row); }
  const std::map<std::uint32_t, std::string>& reasons() const { return reasons_; }
  void clear() { reasons_.clear(); }

 private:
  std::map<std::uint32_t, std::string> reasons_;
};

}  // namespace leat::expression
