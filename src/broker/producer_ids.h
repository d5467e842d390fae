// Gives out producer ids, each once for ever.
#pragma once

#include <deque>

#include "base/executor.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "broker/catalog.h"

namespace leat::broker {

/// Takes them from the catalog in blocks, so that few have to wait for the disk. What is left of a
/// block when the process ends is never used. Lives on the broker's executor; the catalog outlives
/// it.
class ProducerIds {
 public:
  using Done = UniqueFunction<void(Result<ProducerId>)>;
  ProducerIds(Catalog& catalog, Executor& executor)
      : catalog_(catalog),
        executor_(executor),
        next_(catalog.producer_ids_end()),
        end_(catalog.producer_ids_end()) {}

  /// Calls `done` later, when the id is certain never to be given again.
  void draw(Done done);

 private:
  void reserve();
  void give();

  Catalog& catalog_;
  Executor& executor_;
  ProducerId next_;
  ProducerId end_;
  std::deque<Done> waiting_;
  bool is_reserving_ = false;
};

}  // namespace leat::broker
