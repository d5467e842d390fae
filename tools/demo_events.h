// Made-up events for the demos: what `leat gen` makes, in memory, so that their results can be
// reckoned apart from any pipeline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "generate/traits.h"
#include "tools/demo_stage.h"

namespace leat::tools {

struct DemoEvent {
  std::string key;
  std::string value;
  std::int64_t time_ms = 0;
  std::int32_t partition = 0;
};

/// The traits that `leat gen KIND` has by itself. REQUIRES: there is such a kind.
generate::Traits default_traits(std::string_view kind);
/// The first `count` events of the kind, in the order in which they arrive.
std::vector<DemoEvent> make_events(std::string_view kind, const generate::Traits& traits,
                                   std::size_t count);
/// How many rows the table has. REQUIRES: the kind is one.
std::size_t table_rows(std::string_view kind);

/// Sends them to a topic, which is made if it is missing, in as many partitions as they are made
/// for, compacted if they are rows of a table. What an earlier run has sent is left out.
class EventSender {
 public:
  EventSender(DemoStage& stage, std::string topic);
  ~EventSender();
  Result<void> open(std::int32_t partitions, bool is_table);
  void put(const DemoEvent& event);
  /// Waits until all that was put is durable.
  Result<void> finish();
  /// Of those that were put, how many were not there already.
  std::int64_t sent() const { return sent_; }

 private:
  DemoStage& stage_;
  std::string topic_;
  std::vector<std::int64_t> present_;
  std::int64_t sent_ = 0;
  struct Sending;
  std::unique_ptr<Sending> sending_;
};

/// All of them, as fast as it goes; gives how many were not there already.
Result<std::int64_t> send_events(DemoStage& stage, const std::string& topic,
                                 const std::vector<DemoEvent>& events, std::int32_t partitions,
                                 bool is_table);

/// The members of a JSON object: texts without their quotes, anything else as it is written.
Result<std::map<std::string, std::string>> read_members(std::string_view json);
/// "59.70" and "59.7" as 5970. REQUIRES: two digits behind the point at most.
std::int64_t read_cents(std::string_view amount);

}  // namespace leat::tools
