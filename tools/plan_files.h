// Plans as commands are given them: files, and values for what these leave open.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "plan/parameters.h"
#include "plan/plan.h"

namespace leat::tools {

/// What `--help` says of `--set`.
inline constexpr const char* set_help =
    "What ${NAME} in the plans stands for; ${today}, ${yesterday} (UTC) and ${now} are known";

/// The text of a file, "-" for stdin.
Result<std::string> read_plan_text(const std::string& path);

/// The values of `--set NAME=VALUE`.
Result<plan::Parameters> parse_parameters(const std::vector<std::string>& assignments);

/// What is wrong with a plan, with what to do about a value that is missing.
std::string with_hint(std::string what);

/// Plans that make sense, of texts with `${name}` where `values`, or the run's own, stand. The
/// error names the path, and says how a value is given.
class PlanFiles {
 public:
  PlanFiles(plan::Parameters values, std::int64_t now_ms);
  Result<plan::Plan> read(const std::string& path);
  /// REQUIRES: `path` is what the text is called.
  Result<plan::Plan> parse(const std::string& path, const std::string& text);
  /// An error if a value was given that no plan has asked for.
  Result<void> check_all_used() const;

 private:
  plan::Parameters given_;
  plan::Parameters values_;
  std::set<std::string, std::less<>> used_;
};

}  // namespace leat::tools
