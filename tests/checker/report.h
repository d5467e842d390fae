// What a checker found, by the name of the rule that does not hold.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace leat::checker {

/// L1 to L8 are promises about the log, the others about those who read it, and about groups.
enum class Rule {
  two_values,       // L1: one offset has one value, in the log and for everybody who saw it
  lost,             // L2: what was acknowledged or read is there, at its offset
  failed_visible,   // L3: what failed is not there for those who read what is committed
  aborted_visible,  // L3: nor is what was aborted, or never committed by its client
  doubled,          // L4: nothing is there twice; what has an unknown outcome once or not at all
  reordered,        // L5: what was sent after an acknowledgement stands behind it
  out_of_order,     // L6: what one client sent to a partition stands in that order
  watermark_back,   // L7: high watermark and last stable offset rise, this one never above that
  torn,             // L8: a transaction is in all its partitions or in none
  torn_offsets,     // L8: and the offsets it sent go with it
  hanging,          // no transaction is open when all clients have ended
  invented,         // somebody sent what is there, to that place
  skipped,          // a reader gets all that it may see
  read_back,        // in order
  read_undecided,   // and nothing of a transaction before its client asked to commit it
  commit_back,      // what a group has committed never goes back
  commit_lost,      // what a group was told to have committed is there
  processed_twice,  // a loop that commits what it read with what it wrote
  processed_not,    // does so exactly once with each record
  shared,           // in a generation of a group a partition is one member's
  repeated,         // and a record is processed once
  unprocessed,      // somebody processed what a group has committed
};

/// "L1 two-values".
std::string_view name(Rule rule);

/// All anomalies are counted, the first of each rule are kept as sentences.
class Report {
 public:
  static constexpr std::size_t kept_max = 10;

  void add(Rule rule, std::string what) {
    Found& found = found_[rule];
    if (++found.count <= kept_max) found.sentences.push_back(std::move(what));
  }
  bool has(Rule rule) const { return found_.contains(rule); }
  bool empty() const { return found_.empty(); }
  std::size_t count() const;
  /// A line for each that was kept, and how many more there are.
  std::string text() const;

 private:
  struct Found {
    std::size_t count = 0;
    std::vector<std::string> sentences;
  };
  std::map<Rule, Found> found_;
};

}  // namespace leat::checker
