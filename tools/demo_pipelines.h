// The pipelines of a demo's server, asked over HTTP as `leat pipeline` asks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "plan/json.h"
#include "plan/plan.h"
#include "tools/demo_stage.h"

namespace leat::tools {

/// Waits are over, with an error, at Ctrl-C, when the pipeline has failed, or when nothing has
/// moved for half a minute.
class DemoPipelines {
 public:
  explicit DemoPipelines(DemoStage& stage) : stage_(stage) {}

  /// Prints what the server says.
  Result<void> deploy(const plan::Plan& plan);
  /// Waits until the live version has read all there is.
  Result<void> wait_until_read(const std::string& name);
  /// Has the newest version read all history beside the live one, and waits until it is as far as
  /// that one and both are compared. Gives what GET .../replay says.
  Result<plan::Json> replay(const std::string& name);
  /// Has the version take over, and waits until it has.
  Result<void> promote(const std::string& name, std::uint32_t version);

  /// The answer to GET /v1/pipelines/NAME and what is behind it.
  Result<plan::Json> get(const std::string& name, const std::string& behind = "");
  Result<plan::Json> post(const std::string& target, const std::string& body);

 private:
  using Look = std::function<Result<bool>(const plan::Json&)>;
  /// Asks for `target` until `is_done`.
  Result<plan::Json> wait(const std::string& name, const std::string& behind, const Look& is_done);

  DemoStage& stage_;
};

}  // namespace leat::tools
