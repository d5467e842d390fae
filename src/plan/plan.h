// A pipeline's graph as data: what the builder, a file and SQL make, and what runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "plan/nodes.h"
#include "plan/process.h"
#include "plan/stateful_nodes.h"

namespace leat::plan {

/// A node's place in the graph is the names of its inputs, which are nodes before it.
struct Node {
  using Body = std::variant<Source, Filter, Project, Unnest, Union, Rekey, Window, Over, Top, Dedup,
                            Join, Sink, Process>;
  std::string name;
  Body body;
};

/// How many types of nodes a plan's JSON can have: all but Process.
inline constexpr std::size_t node_types = std::variant_size_v<Node::Body> - 1;

/// When a deployed plan consumes what has arrived. No state and no result depends on it, but for
/// what is told before it is final.
struct Mode {
  enum class Type {
    stream,       // at once
    micro_batch,  // all that is there, at each trigger
    batch,        // all that is there when it begins; then windows close, and it has finished
  };
  Type type = Type::stream;
  /// Of micro_batch: the time between two triggers.
  std::int64_t trigger_ms = 0;
  /// Of batch, if it is to run by itself: minute, hour, day of the month, month, day of the week,
  /// as cron has them, in UTC.
  std::string schedule;

  static void fields(auto& self, auto& visit) {
    visit.required("type", self.type);
    visit.optional("trigger_ms", self.trigger_ms, 0);
    visit.optional("schedule", self.schedule, "");
  }
};

struct Plan {
  std::string name;
  Mode mode;
  /// Rows that have no valid result somewhere on their way.
  BadRows bad_rows;
  std::vector<Node> nodes;
};

/// What `print` writes. A reader of another version refuses.
inline constexpr int plan_version = 1;

/// "filter", "window": the body's type.
std::string_view type_of(const Node& node);
std::vector<std::string> inputs_of(const Node& node);
/// The first Process, if there is one: only the program that built the plan can run it.
std::optional<std::size_t> find_process(const Plan& plan);
/// "nodes[3] 'per_channel'": how messages name a node.
std::string place_of(const Plan& plan, std::size_t node);

/// Reads a plan's JSON. Errc::plan_error with the place of what does not fit: "nodes[3]
/// 'per_channel' aggregates[1].function: must be a string". Says nothing yet about columns, types
/// and what makes sense: that is bind(), in bound_plan.h.
Result<Plan> parse(std::string_view text);

/// The plan's canonical JSON: names sorted, no blanks, defaults left out. Plans that mean the same
/// to parse() are printed the same. One with a Process is printed for people only: parse() refuses.
std::string print(const Plan& plan);

/// XXH3-128 of the canonical JSON, as 32 hexadecimal digits.
std::string hash(const Plan& plan);

}  // namespace leat::plan
