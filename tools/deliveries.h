// What became of the records that a command sent.
#pragma once

#include <atomic>
#include <cstdint>

#include "leat/record.h"

namespace leat::tools {

/// Filled on a client's thread, read on any.
class Deliveries {
 public:
  /// Says on stderr why records were not delivered: one cause fails many batches, so only of the
  /// first few.
  void add(const BatchDelivery& batch);
  std::int64_t delivered() const { return delivered_; }
  std::int64_t failed() const { return failed_; }

 private:
  std::atomic<std::int64_t> delivered_{0};
  std::atomic<std::int64_t> failed_{0};
  int reported_ = 0;
};

}  // namespace leat::tools
