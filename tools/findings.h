// What `leat doctor` finds: one line for each check, and what to do about it.
#pragma once

#include <string>

#include "tools/output.h"

namespace leat::tools {

/// Prints findings as they come: as text, or as JSON lines.
class Findings {
 public:
  explicit Findings(bool is_json) : is_json_(is_json) {}

  /// `what` says what was seen, `advice` what to do, where there is something to be done.
  void ok(const std::string& check, const std::string& what);
  void warn(const std::string& check, const std::string& what, const std::string& advice);
  void fail(const std::string& check, const std::string& what, const std::string& advice);
  /// ok() or warn().
  void expect(bool good, const std::string& check, const std::string& what,
              const std::string& advice);

  int failures() const { return failures_; }
  int warnings() const { return warnings_; }

 private:
  void print(const char* verdict, const std::string& check, const std::string& what,
             const std::string& advice);

  bool is_json_;
  Output output_;
  int warnings_ = 0;
  int failures_ = 0;
};

}  // namespace leat::tools
