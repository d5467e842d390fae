// The pipelines of a data directory, kept as a topic of the server's own: a record a change, keyed
// by the pipeline's name, whose value deployed.cpp describes; none when the pipeline is gone. The
// last record of a key is the truth, so the topic is compacted. A union view's key is "view/" and
// its name, which no pipeline has; union_view.h describes its value.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/executor.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "broker/broker.h"
#include "pipeline/deployed.h"
#include "pipeline/union_view.h"

namespace leat::pipeline {

/// Lives on an executor, which may be any. The broker outlives it and what it has under way.
class Catalog {
 public:
  using Done = UniqueFunction<void(Result<void>)>;

  Catalog(broker::Broker& broker, Executor& executor) : broker_(broker), executor_(executor) {}
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  /// Reads what is remembered. Blocks for the disk. Errors name the topic: what is there must not
  /// be forgotten because it cannot be read.
  Result<void> open();

  /// By name, as far as it is durable.
  const std::map<std::string, Deployed, std::less<>>& pipelines() const { return pipelines_; }
  const Deployed* find(std::string_view name) const;
  /// Those of two other views, by name.
  const std::map<std::string, UnionView, std::less<>>& unions() const { return unions_; }
  const UnionView* find_union(std::string_view name) const;

  /// Adds or replaces a pipeline; seen here, and `done` called, when that is durable. One change of
  /// a pipeline at a time: REQUIRES that the one before is done.
  void put(Deployed pipeline, Done done);
  void remove(const std::string& name, Done done);
  /// The same for union views.
  void put_union(UnionView view, Done done);
  void remove_union(const std::string& name, Done done);

 private:
  Result<void> apply_union(std::string_view name, std::optional<BytesView> value);
  Result<void> apply(std::string_view name, std::optional<BytesView> value);
  void write(const std::string& name, std::optional<std::string> value, Done done);

  broker::Broker& broker_;
  Executor& executor_;
  std::map<std::string, Deployed, std::less<>> pipelines_;
  std::map<std::string, UnionView, std::less<>> unions_;
  /// For what comes back: whether this is still there.
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace leat::pipeline
