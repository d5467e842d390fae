// What a reader of committed records finds in a partition.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "log/aborted_transactions.h"
#include "log/log_view.h"
#include "record/batch.h"
#include "record/record.h"

namespace leat::broker {

/// The values below the last stable offset, without those of aborted transactions, which are left
/// out as clients do it. REQUIRES: there is one.
inline std::vector<std::string> committed_values(const log::LogView& view) {
  std::vector<std::string> values;
  Offset next = view.start_offset;
  while (next < view.high_watermark) {
    auto slice = view.read_stable(next, 1 << 20);
    REQUIRE(slice);
    if (slice->bytes == 0) break;
    Bytes bytes(slice->bytes);
    REQUIRE(slice->file->read_at(slice->position, bytes));
    auto aborted = view.aborted->find(slice->base_offset, slice->next_offset);
    for (BytesView rest(bytes); !rest.empty();) {
      auto batch = record::BatchView::parse(rest);
      REQUIRE(batch);
      bool is_aborted = std::any_of(aborted.begin(), aborted.end(), [&](const auto& a) {
        return batch->is_transactional() && a.producer == batch->producer_id() &&
               a.first <= batch->base_offset() && batch->base_offset() < a.last;
      });
      record::RecordIterator records(*batch);
      while (const record::Record* record = records.next()) {
        if (!batch->is_control() && !is_aborted) values.emplace_back(as_text(*record->value));
      }
      rest = rest.subspan(batch->size_bytes());
    }
    next = slice->next_offset;
  }
  return values;
}

}  // namespace leat::broker
