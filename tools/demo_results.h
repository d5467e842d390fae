// What the demo's pipeline wrote: read back over the wire, shown, compared, saved.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "leat/blocking.h"

namespace leat::tools {

/// A record of a sink, to the byte.
struct SinkRecord {
  std::int64_t timestamp_ms = 0;
  std::string key;
  std::string value;
  friend bool operator==(const SinkRecord&, const SinkRecord&) = default;
};

/// One row of the pipeline's result. In the order of a CSV file that is sorted as text.
struct WindowRow {
  std::string window_start;
  std::string window_end;
  std::string channel;
  std::int64_t edits = 0;
  std::int64_t added = 0;
  friend auto operator<=>(const WindowRow&, const WindowRow&) = default;
};

Result<WindowRow> parse_window_row(const std::string& json);

/// The ends of a topic's partitions now, by partition.
std::vector<std::int64_t> topic_ends(blocking::Admin& admin, const std::string& topic);

/// Every record of `topic` in [from, ends), by partition, in order of offsets.
std::vector<std::vector<SinkRecord>> read_topic(const ClientOptions& connect,
                                                const std::string& topic,
                                                const std::vector<std::int64_t>& from,
                                                const std::vector<std::int64_t>& ends);

/// Writes the last row of each window and channel as CSV, sorted.
Result<void> save_csv(const std::vector<std::vector<SinkRecord>>& records, const std::string& path);

/// Prints windows as they close, a line each, from the records of a sink as they arrive. A window
/// is shown when a later one begins: the sink writes window after window.
class WindowTicker {
 public:
  WindowTicker(const ClientOptions& connect, const std::string& topic,
               const std::vector<std::int64_t>& from);
  /// Shows what has come meanwhile; does not wait.
  Result<void> show();
  /// Reads on to `ends` and shows the rest.
  Result<void> finish(const std::vector<std::int64_t>& ends);
  std::int64_t windows() const { return windows_; }

 private:
  Result<bool> take(std::chrono::milliseconds timeout);
  void show_before(const std::string& window_start);
  void print(const std::string& window_start, const std::vector<WindowRow>& rows);

  blocking::Consumer consumer_;
  std::vector<std::int64_t> positions_;
  /// By window start. Partitions close a window at different moments.
  std::map<std::string, std::vector<WindowRow>> open_;
  std::vector<std::string> newest_;  // by partition, the window it writes
  std::int64_t windows_ = 0;
};

}  // namespace leat::tools
