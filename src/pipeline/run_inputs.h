// The partitions that a run reads: where it begins and ends in them, and whether they are still
// what they were.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "pipeline/epoch_record.h"
#include "pipeline/positions.h"
#include "stream/task.h"
#include "stream/topic_store.h"

namespace leat::pipeline {

/// By the task's numbers of its partitions. For one thread.
class RunInputs {
 public:
  /// Those of the task. Blocks for topics.
  static Result<RunInputs> open(const stream::Task& task, const plan::Plan& plan,
                                stream::TopicStore& topics);

  std::size_t size() const { return inputs_.size(); }
  /// What partitions have to be read now; nothing for files.
  Result<std::vector<std::optional<stream::Readable>>> readable();

  /// Where the named ones are, and nothing for others; for some there may be several inputs.
  /// Errc::invalid_argument for one that is not read here.
  Result<std::vector<std::optional<Offset>>> find(const Positions& positions) const;
  /// Every partition once, where its first source stands.
  Positions named(const std::vector<Offset>& offsets) const;
  /// Without bounds and starts.
  const std::vector<BeginRecord::Input>& inputs() const { return inputs_; }
  bool is_topic(std::size_t input) const { return !inputs_[input].topic_id.is_zero(); }
  /// REQUIRES: is_topic(input).
  stream::TopicReader& reader(std::size_t input) { return *readers_.at(inputs_[input].topic_id); }

  /// Whether these are the partitions that the version began with: else Errc::unknown_topic_id for
  /// a topic that was made anew, with both ids, or Errc::snapshot_mismatch for another number of
  /// partitions; both say what can be done.
  Result<void> check_same(const BeginRecord& begin, const std::string& pipeline) const;
  /// Whether what comes next is still there: else Errc::offset_out_of_range with both offsets, and
  /// what can be done.
  Result<void> check_there(const std::vector<Offset>& positions, const std::string& pipeline);

 private:
  std::vector<BeginRecord::Input> inputs_;
  std::map<Uuid, std::shared_ptr<stream::TopicReader>> readers_;
};

/// What is left to do about a pipeline whose input is not what it was.
std::string ways_out(const std::string& pipeline);
/// The same where only a version that begins anew can help.
std::string way_anew(const std::string& pipeline);

}  // namespace leat::pipeline
