// A builder of plans that are one line of steps.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "plan/plan.h"

namespace leat::stream {

/// Says what a pipeline does, in the order in which it does it:
///
///   auto plan = Pipeline::from("edits")
///                   .json({{"time", Type::timestamp}, {"channel", Type::text},
///                          {"added", Type::bigint}})
///                   .event_time("time")
///                   .disorder(2s)
///                   .filter(call(">=", {col("added"), literal(Type::bigint, 0)}))
///                   .key_by({"channel"})
///                   .tumble(5min)
///                   .aggregate({count("edits"), sum("added", "added")})
///                   .late_to("edits.late")
///                   .dead_letters_to("edits.dead")
///                   .into("edits-per-channel");
///
/// Nothing is checked before into().
class Pipeline {
 public:
  static Pipeline from(std::string topic);

  /// What the pipeline is called; otherwise as its sink.
  Pipeline& named(std::string name);
  /// The members of the records' values that become columns.
  Pipeline& json(const plan::Schema& columns);
  /// The column that says when a row happened; otherwise the record's timestamp does.
  Pipeline& event_time(std::string column);
  Pipeline& disorder(std::chrono::milliseconds disorder);
  /// An event time further ahead of its record's timestamp makes the record a bad one.
  Pipeline& ahead_at_most(std::chrono::milliseconds bound);
  /// Nothing: a silent partition holds the watermark back for ever.
  Pipeline& idle(std::optional<std::chrono::milliseconds> idle);
  /// What becomes of records that are no rows, and of rows without a valid result; otherwise they
  /// fail the pipeline.
  Pipeline& skip_bad_records();
  Pipeline& dead_letters_to(std::string topic);

  Pipeline& filter(plan::Expression condition);
  Pipeline& project(std::vector<plan::NamedExpression> columns);
  /// The columns that group rows in windows and are the key of what is written.
  Pipeline& key_by(std::vector<std::string> columns);
  Pipeline& tumble(std::chrono::milliseconds size);
  Pipeline& aggregate(std::vector<plan::Aggregate> aggregates);
  Pipeline& late_to(std::string topic);

  /// The plan, checked. `partitions` counts if the topic is made; 0 for as many as the source has.
  Result<plan::Plan> into(std::string topic, std::int32_t partitions = 0) const;

 private:
  plan::Source& source();
  plan::Window* window(const char* caller);
  void add(plan::Node::Body body);

  plan::Plan plan_;
  std::vector<std::string> keys_;
  // What was called without the step it belongs to.
  std::optional<std::string> misplaced_;
};

plan::Aggregate count(std::string name);
plan::Aggregate count(std::string column, std::string name);
plan::Aggregate sum(std::string column, std::string name);
plan::Aggregate min(std::string column, std::string name);
plan::Aggregate max(std::string column, std::string name);
plan::Aggregate avg(std::string column, std::string name);

/// The same plan writing to topics, folders and views of its own, `suffix` behind their names: for
/// a replay beside a live run.
plan::Plan shadow_of(plan::Plan plan, const std::string& suffix);

}  // namespace leat::stream
