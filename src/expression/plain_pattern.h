// Regular expressions that are found without a machine for them.
#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>

namespace leat::expression {

/// A pattern of the kind that most are which pick a value out of a text: a text that has to be
/// there, perhaps at the begin or behind a certain character, and a run of characters behind it, as
/// in `channel_id=([^&]*)`, `(?:&|^)id=([^&]*)` or `user-([0123456789]+)`. Finds what RE2 finds.
class PlainPattern {
 public:
  /// Nothing if the pattern, in RE2's syntax and minding case, has anything else.
  static std::optional<PlainPattern> of(std::string_view pattern);

  enum class Found { no, yes, not_known };
  /// Where the first match is: all of it, and its group; `group` stays as it is without one.
  /// `not_known` where a character counts that is not in ASCII.
  Found find(std::string_view text, std::string_view& all, std::string_view& group) const;

 private:
  class Reader;
  PlainPattern() = default;

  // What stands before the text, if anything has to. That is part of the match.
  bool is_bound_ = false;
  bool begin_will_do_ = false;            // the subject's begin does as well
  std::optional<char> character_before_;  // or this does
  std::string text_;
  bool has_run_ = false;
  bool has_group_ = false;  // which is the run
  bool run_may_be_empty_ = false;
  std::bitset<128> run_;
};

}  // namespace leat::expression
