// Where records go that a command makes or reads again: to stdout, or to a topic.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "leat/blocking.h"
#include "leat/records.h"
#include "tools/record_template.h"

namespace leat::tools {

/// Not thread-safe.
class RecordTarget {
 public:
  virtual ~RecordTarget() = default;
  virtual Result<void> put(const InRecord& record) = 0;
  /// What was put goes out now: nothing follows for a while.
  virtual void pause() = 0;
  /// Everything that was put has arrived, or why not.
  virtual Result<void> finish() = 0;
  /// Nobody takes any more.
  virtual bool is_closed() const { return false; }
};

/// Prints records as JSON (record_json.h), or by a template.
std::unique_ptr<RecordTarget> make_json_target();
std::unique_ptr<RecordTarget> make_text_target(RecordTemplate record_template);

struct TopicTargetOptions {
  std::string brokers;
  std::string topic;
  std::string codec = "none";
  /// A record keeps its partition's number. Otherwise its key decides.
  bool keeps_partitions = false;
};
/// Sends records to a topic that is there. The topic of a record means nothing.
std::unique_ptr<RecordTarget> make_topic_target(const TopicTargetOptions& options);

/// The number of a topic's partitions, if it is there.
std::optional<std::size_t> count_partitions(blocking::Admin& admin, const std::string& topic);
/// Makes it, and says so. REQUIRES: the number of its partitions is given.
void create_topic(blocking::Admin& admin, NewTopic topic);

}  // namespace leat::tools
