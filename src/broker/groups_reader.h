// Reads at the start what __consumer_offsets says, in the background.
#pragma once

#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "broker/groups.h"
#include "log/log_view.h"
#include "record/batch.h"

namespace leat::broker {

/// Lives at home, and reads off it. Ends with Groups::finish_load(), or when the groups are gone.
class GroupsReader : public std::enable_shared_from_this<GroupsReader> {
 public:
  GroupsReader(Groups& groups, std::shared_ptr<const log::LogView> view);
  void start() { read_next(); }

 private:
  void read_next();
  /// Off home.
  Result<void> read();
  Result<void> apply_batches();
  Result<void> apply(const record::BatchView& batch);

  Groups& groups_;
  std::weak_ptr<char> alive_;
  std::shared_ptr<const log::LogView> view_;
  Offset next_;
  Bytes bytes_;
  Result<void> outcome_;
};

}  // namespace leat::broker
