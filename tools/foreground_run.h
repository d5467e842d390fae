// A plan at work in the foreground: anew each time, or going on where it stopped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "file/file.h"
#include "operators/watermark.h"
#include "pipeline/epoch_log.h"
#include "plan/plan.h"
#include "stream/console_sink.h"
#include "stream/topic_store.h"

namespace leat::tools {

/// How a run is doing. Rows are those of this run, whatever was before it.
struct RunFigures {
  bool is_running = true;
  bool has_failed = false;
  std::uint64_t rows_in = 0;
  std::uint64_t rows_out = 0;
  std::uint64_t late = 0;
  std::uint64_t bad = 0;
  /// Records that are there and were not read.
  std::int64_t records_left = 0;
  operators::Watermark watermark = operators::watermark_min;
  /// "event time is at 2015-09-12T00:45:00Z, held back by partition 2 of edits"
  std::string event_time;
  /// "partition 2 of edits", while others have given rows of later times; else empty.
  std::string held_back_by;
};

/// What all runs of a command share, and outlives them.
struct RunGround {
  stream::TopicStore& topics;
  file::FileSystem& files;
  const Clock& clock;
  std::size_t workers = 1;
  std::size_t state_bytes_max = std::size_t{1} << 30;
  stream::ConsoleSink::Write console = {};
};

/// For one thread, but for what the run does on its own.
class ForegroundRun {
 public:
  virtual ~ForegroundRun() = default;
  virtual void start() = 0;
  /// Has it end soon; wait() tells the end.
  virtual void stop() = 0;
  virtual Result<void> wait() = 0;
  virtual RunFigures figures() const = 0;
  /// Once, as soon as it is known: where it begins, in words. Of a run that always begins at the
  /// same place nothing.
  virtual std::optional<std::string> take_beginning() { return {}; }
};

/// From the start of all that is there; a batch up to its end, where windows close.
Result<std::unique_ptr<ForegroundRun>> make_plain_run(plan::Plan plan, const RunGround& ground,
                                                      bool is_batch);

/// Where it goes on.
struct RunPlace {
  pipeline::EpochStore& epochs;
  std::string data_directory;
  /// Forgets what was before, and begins at the starts.
  bool is_fresh = false;
};

/// As the pipeline "run.<plan>" of a data directory: exactly once, however it ended before.
std::unique_ptr<ForegroundRun> make_resuming_run(plan::Plan plan, const RunGround& ground,
                                                 const RunPlace& place);

}  // namespace leat::tools
