// A day of edits to Wikipedia, which the demo plays: compressed in the program itself.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "leat/record.h"

namespace leat::blocking {
class Producer;
}

namespace leat::tools {

/// One JSON object, and what of it is the record's key and time. Borrowed from its DemoEdits.
struct DemoEdit {
  std::string_view line;
  std::string channel;
  Timestamp time;
};

/// In order of time. Immutable once loaded.
class DemoEdits {
 public:
  static Result<DemoEdits> load();
  const std::vector<DemoEdit>& all() const { return edits_; }

 private:
  std::vector<char> text_;  // the edits look into its memory, which moving leaves where it is
  std::vector<DemoEdit> edits_;
};

/// How edits are sent.
struct DemoFeed {
  std::string topic;
  std::int32_t partitions = 1;
  /// Edits per second; 0 for as fast as they are taken.
  std::int64_t rate = 0;
  /// Edits that each partition has already, from an earlier run that was cut short.
  std::map<std::int32_t, std::int64_t> present;
};

/// Sends the edits keyed by channel, paced, and calls `between` some ten times a second; stops
/// early when that gives false. Every partition gets its edits in order, so what one has of an
/// earlier run is a prefix of what it is to get. The number of edits sent.
std::int64_t feed(const DemoEdits& edits, const DemoFeed& options, blocking::Producer& producer,
                  const std::function<bool(std::int64_t sent)>& between);

}  // namespace leat::tools
