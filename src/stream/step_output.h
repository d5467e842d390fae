// What leaves a graph in one step, until it is written in an order that no number of lanes changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "column/chunk.h"

namespace leat::stream {

/// Where rows leave a graph. Called by one thread.
class Outlet {
 public:
  virtual ~Outlet() = default;
  /// Rows for the sink with that number, in the order in which they are to be written.
  virtual Result<void> write(std::size_t node, const column::Chunk& chunk) = 0;
  /// The same where rows change later: all of those that changed together.
  virtual Result<void> write_changes(std::size_t node, std::span<const column::Chunk> chunks) = 0;
  /// Rows of an input that the node did not take because they came too late. All of the node's come
  /// by their positions.
  virtual Result<void> late(std::size_t node, std::size_t input, const column::Chunk& chunk) = 0;
  /// A row that has no valid result at the node. All of the node's come in the order of time.
  virtual Result<void> reject(std::size_t node, const column::Schema& schema,
                              const column::Chunk& chunk, std::uint32_t row,
                              const std::string& reason) = 0;
};

/// What came out of a graph, for people.
struct OutputCounts {
  std::uint64_t rows_out = 0;
  std::uint64_t late = 0;
  std::uint64_t rejected = 0;
  bool operator==(const OutputCounts&) const = default;
};

/// One lane's share. Not thread-safe.
class StepOutput {
 public:
  /// Rows for a sink.
  struct Given {
    /// In whose turn they came: 0 while sources gave rows, else the number of a node that keeps
    /// rows, plus one.
    std::size_t turn = 0;
    /// From there, as Dataflow has it.
    std::string way;
    column::Chunk rows;
    /// Which chunk of a source they were made of: how many came before it in the step.
    std::size_t chunk = 0;
  };

  void begin_turn(std::size_t turn) {
    turn_ = turn;
    ++chunk_;
  }
  void add(std::size_t node, const column::Chunk& chunk, const std::string& way) {
    written_[node].push_back({turn_, way, chunk, turn_ == 0 ? chunk_ : 0});
  }
  /// `chunk`, of the node's input, selects those that are late.
  void add_late(std::size_t node, std::size_t input, column::Chunk chunk) {
    late_[node].emplace_back(input, std::move(chunk));
  }
  void add_rejected(std::size_t node, column::Schema schema, const column::Chunk& chunk,
                    std::uint32_t row, std::string reason) {
    rejected_.push_back(
        {node, std::move(schema), chunk, row, std::move(reason), turn_, turn_ == 0 ? chunk_ : 0});
  }

  /// Of rejected rows keeps the first in the order in which a source has its records, and of the
  /// rows for sinks those that come before it for sure; no late ones. False if no row was rejected:
  /// then all is as it was.
  static bool cut_at_first_rejected(std::span<StepOutput* const> lanes);

  /// Takes the rows for a sink that all lanes have, one lane after the other. Says how many have
  /// some.
  static std::size_t take(std::span<StepOutput* const> lanes, std::size_t node,
                          std::vector<Given>& given);
  /// Takes late and rejected rows of all lanes, and hands them out: late ones by position, so of
  /// each partition in its order, rejected ones of a node in the order of time.
  static Result<void> hand_out_rest(std::span<StepOutput* const> lanes, Outlet& outlet,
                                    OutputCounts& counts);

 private:
  struct Rejected {
    std::size_t node;
    column::Schema schema;
    column::Chunk chunk;
    std::uint32_t row;
    std::string reason;
    std::size_t turn = 0;  // as Given has it
    std::size_t in_chunk = 0;
    std::pair<std::size_t, std::size_t> when() const { return {turn, in_chunk}; }
  };
  static const Rejected* first_rejected(std::span<StepOutput* const> lanes);
  static bool is_before(const Given& given, std::uint32_t row, const Rejected& rejected);
  static void keep_before(std::vector<Given>& given, const Rejected& rejected);
  using Late = std::vector<std::pair<std::size_t, column::Chunk>>;  // with their inputs
  static Result<void> hand_out_late(std::size_t node, const Late& late, Outlet& outlet,
                                    OutputCounts& counts);

  std::size_t turn_ = 0;
  std::size_t chunk_ = 0;
  std::map<std::size_t, std::vector<Given>> written_;  // by node
  std::map<std::size_t, Late> late_;                   // by node
  std::vector<Rejected> rejected_;
};

}  // namespace leat::stream
