// Runs pipelines inside this program, over a log in a directory: no server is needed. Or over the
// topics of a cluster that speaks Kafka's protocol, Leat's or Apache Kafka's.
//
//   Runtime runtime({.directory = "data"});     // or
//   Runtime runtime({.cluster = leat::ClientOptions{.brokers = "broker-1:9092"}});
//   Run run = runtime.run(pipeline, {.at_end = AtEnd::flush});
//   run.wait();
//
// Begin with stream.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leat/callback.h"
#include "leat/options.h"
#include "leat/pipeline.h"
#include "leat/record.h"

namespace leat::flow {

struct RuntimeOptions {
  /// The log's; made if missing. One process at a time has it open.
  std::string directory = "leat-data";
  /// Instead of a directory's, the topics of this cluster. Its `stop` ends the waiting of callers,
  /// not runs. A run holds up to 64 MiB that was fetched ahead for each source, and an append is
  /// tried for two minutes.
  std::optional<ClientOptions> cluster = {};
};

/// What a run does when it has read everything.
enum class AtEnd : std::uint8_t {
  wait,   // for more: a live run
  stop,   // as it stands: windows that are open stay unwritten
  flush,  // close all windows, then stop: a batch
};

/// Where a run begins to read; without any of it at the beginnings of the topics, as files and
/// tables (upsert) are read in any case.
struct StartAt {
  struct Position {
    std::string topic;
    std::int32_t partition = 0;
    /// Of the first record that is read.
    std::int64_t offset = 0;
  };
  /// In each partition at the first record whose timestamp is not before it, at the end if there is
  /// none. Over a directory only.
  std::optional<Timestamp> time = {};
  /// These partitions here, whatever `time` says.
  std::vector<Position> offsets = {};
};

struct RunOptions {
  StartAt from = {};
  /// With stop and flush the ends are those of the partitions when the run begins.
  AtEnd at_end = AtEnd::wait;
  /// Threads that share the work where the plan allows it.
  std::size_t workers = 1;
  /// A run whose operators keep more ends with an error that names the node.
  std::size_t state_bytes_max = std::size_t{1} << 30;
};

/// A run as it stands.
struct RunStatus {
  enum class State : std::uint8_t { running, finished, stopped, failed };
  struct Partition {
    /// The topic's, or the file's.
    std::string source;
    std::int32_t number = 0;
    /// Of the next record that is to be read; and behind the last one that is there, of topics.
    std::int64_t position = 0;
    std::optional<std::int64_t> end = {};
    /// How far event time has come in it; nothing while it has given no row.
    std::optional<Timestamp> event_time = {};
    /// Read to its end, and silent for so long that it holds nothing back.
    bool idle = false;
  };
  State state = State::running;
  /// Of a failed run.
  std::string error = {};
  std::uint64_t rows_in = 0;
  std::uint64_t rows_out = 0;
  std::uint64_t late = 0;
  /// Records that were no rows, and rows without a valid result.
  std::uint64_t bad = 0;
  /// How far event time has come: the least of the partitions that are not idle. Nothing while it
  /// has not begun.
  std::optional<Timestamp> event_time = {};
  /// Which of the partitions holds it back: the place in `partitions`. Nothing if all are idle.
  std::optional<std::size_t> held_back_by = {};
  /// Of operators, as it was counted last: the first time behind some thousand rows, then before it
  /// can have grown by much more than an eighth of what is left of RunOptions::state_bytes_max.
  std::size_t state_bytes = 0;
  std::vector<Partition> partitions = {};
};

/// A pipeline at work, on a thread of its own. All but moving and destroying is thread-safe.
class Run {
 public:
  /// Stops it, and waits until what it gave is in the log.
  ~Run();
  Run(Run&&) noexcept;
  Run& operator=(Run&&) noexcept;

  /// Until it has ended by itself, or was told to. Throws Error if it failed.
  void wait();
  /// Has a live run end at what is there now: it reads that, closes all windows, and stops. Returns
  /// at once; wait() waits for it.
  void drain();
  /// Ends it where it is.
  void stop();
  RunStatus status() const;

 private:
  friend class Runtime;
  struct Inside;
  explicit Run(leat::detail::Owned<Inside> inside);
  leat::detail::Owned<Inside> inside_;
};

/// A log of this program's own, or a cluster's. Runs must end before it goes. Thread-safe, but for
/// destroying.
class Runtime {
 public:
  /// Locks and recovers the directory. Throws Error where that cannot be, such as for one that
  /// another process has open. A cluster is connected to when it is first asked something.
  explicit Runtime(RuntimeOptions options = {});
  /// Makes everything durable and lets go of the directory.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Makes a topic; one that is there is left as it is.
  void create_topic(std::string_view name, std::int32_t partitions);
  /// Appends a record, without a partition to the one that its key says, and waits until it is
  /// durable; its offset.
  std::int64_t append(const OutRecord& record);
  /// Appends it together with others, in the background: for many records. It may be there with
  /// the next flush() only. What goes wrong is thrown here or there, of an earlier record too.
  void send(const OutRecord& record);
  /// Waits until all that was sent is durable.
  void flush();

  /// Begins to run the pipeline, behind a flush(); what it gives is appended to the log. Throws
  /// Error where the pipeline makes no sense, or a topic that it reads is not there.
  Run run(const Pipeline& pipeline, RunOptions options = {});

 private:
  struct Inside;
  leat::detail::Owned<Inside> inside_;
};

}  // namespace leat::flow
