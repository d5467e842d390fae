// Reads a history, and the log that `leat dump --records --format json` prints, as JSON lines:
//
//   {"client":NAME}                                          whose the lines are that follow
//   {"t":T,"mark":"kill","of":"server"|NAME}
//   {"t":T,"mark":"stop","of":NAME}                          it stands still for a while
//   {"t":T,"op":N,"call":CALL, ...}                          an operation begins
//     "send"       "topic" "partition" "uid" "txn"? "source"? = OFFSET
//     "commit", "abort"   "txn"
//     "offsets"    "group" "uid" "txn"? "offsets" = [OFFSET...]
//     "committed"  "group"
//     "end"        "topic" "partition" "stable" = BOOL
//   {"t":T,"op":N,"outcome":"ok"|"fail"|"unknown", ...}      and ends
//     of a send    "offset"?
//     "committed"  "offsets" = [OFFSET...]
//     "end"        "offset"
//   {"t":T,"call":"assign","session":N,"group"?,"generation"?:N,"committed":BOOL,"final"?:BOOL,
//    "from":[OFFSET...]}
//   {"t":T,"until":T,"call":"poll","session":N,"topic","partition","generation"?:N,
//    "records":[[O,UID]...],"end"?:O}
//   {"t":T,"call":"revoke","session":N,"topic","partition","lost":BOOL}
//   OFFSET := [TOPIC,PARTITION,O]       O of -1: none
//
// T is in microseconds. A value in the log begins with its record's uid and a space.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "checker/history.h"

namespace leat::checker {

class HistoryReader {
 public:
  HistoryReader();
  ~HistoryReader();

  /// Errors: bad_record.
  Result<void> read_line(std::string_view line);
  /// All lines of a text but one without a line end, which was being written when its client died.
  Result<void> read(std::string_view text, const std::string& name);
  History& history();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace leat::checker
