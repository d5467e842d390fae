// What the epochs of a version say: where it began, and each of its steps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/uuid.h"
#include "stream/step_record.h"

namespace leat::pipeline {

/// A place in another owner's epochs: of those up to `epoch`, all records lie before `next`.
struct EpochPlace {
  std::uint64_t epoch = 0;
  Offset next;
  bool operator==(const EpochPlace&) const = default;
};

/// The first of a version, and again where it begins anew with an empty state: what a later start
/// must find as it was.
struct BeginRecord {
  /// A partition of a source, by the task's number of it.
  struct Input {
    std::uint32_t source = 0;  // the node's number
    std::string name;          // the topic's, or the file's
    Uuid topic_id;             // zero for a file
    PartitionId partition;
    Offset start;
    /// Before it nothing is written.
    std::optional<Offset> silent_to;
    /// Of a bounded run; nothing for a file, which ends by itself.
    std::optional<Offset> end;
    bool operator==(const Input&) const = default;
  };
  /// The recorded epochs of another version, which are repeated first.
  struct Repeats {
    std::string owner;
    EpochPlace begin;  // of its own begin record
    EpochPlace end;    // behind the last one that is repeated
    bool operator==(const Repeats&) const = default;
  };

  std::uint64_t epoch = 1;
  std::int64_t begun_ms = 0;
  std::string plan_hash;  // lasting_hash() of it
  /// lasting_text() of it. Empty if a Leat wrote it that did not keep plans.
  std::string plan;
  std::vector<Input> inputs;
  bool bounded = false;
  bool flush = false;  // at that end
  std::optional<Repeats> repeats;
  bool operator==(const BeginRecord&) const = default;
};

/// What came in and out.
struct Counts {
  std::uint64_t rows_in = 0;
  std::uint64_t rows_out = 0;
  std::uint64_t late = 0;
  std::uint64_t bad = 0;

  Counts& operator+=(const Counts& other) {
    rows_in += other.rows_in;
    rows_out += other.rows_out;
    late += other.late;
    bad += other.bad;
    return *this;
  }
  friend Counts operator-(const Counts& a, const Counts& b) {
    return {a.rows_in - b.rows_in, a.rows_out - b.rows_out, a.late - b.late, a.bad - b.bad};
  }
  bool operator==(const Counts&) const = default;
};

/// Steps that were committed together with what they gave.
struct EpochRecord {
  struct Step {
    stream::StepRecord step;
    std::uint64_t output_hash = 0;  // output_hash.h
    bool operator==(const Step&) const = default;
  };

  std::uint64_t epoch = 0;
  /// Behind the names of what it was written to: the role that the version had.
  std::string suffix;
  /// Nothing was written: it is part of a warm-up.
  bool silent = false;
  /// What was written for files since the last such epoch was put in its place.
  bool files = false;
  /// The last one of a bounded run.
  bool finished = false;
  Counts counts;
  std::vector<Step> steps;
  /// Where in the epochs that it repeats it stands.
  std::optional<EpochPlace> repeated;
  bool operator==(const EpochRecord&) const = default;
};

using Record = std::variant<BeginRecord, EpochRecord>;

/// The number of either.
std::uint64_t epoch_of(const Record& record);

/// The grammar is in epoch_record.cpp.
Bytes encode(const Record& record);
/// Errc::corrupt_message for what encode() never writes, Errc::unsupported_format for what a later
/// version of Leat wrote.
Result<Record> decode(BytesView bytes);

}  // namespace leat::pipeline
