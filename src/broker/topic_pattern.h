// A regular expression that topics' names are to match, in RE2's syntax as Kafka has it: its time
// is linear in the name, whatever a client sends.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace leat::broker {

class TopicPattern {
 public:
  /// Errors: invalid_argument, with what is wrong.
  static Result<TopicPattern> parse(const std::string& text);
  TopicPattern(TopicPattern&&) noexcept;
  TopicPattern& operator=(TopicPattern&&) noexcept;
  ~TopicPattern();

  /// The whole name.
  bool matches(std::string_view topic) const;

 private:
  explicit TopicPattern(std::unique_ptr<re2::RE2> expression);
  std::unique_ptr<re2::RE2> expression_;
};

}  // namespace leat::broker
