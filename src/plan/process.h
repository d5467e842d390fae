// A node whose work is a function of the program that built the plan.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plan/stateful_nodes.h"

namespace leat::plan {

/// What the function is, for whoever runs it: operators/process.h.
class UserCode {
 public:
  virtual ~UserCode() = default;
};

struct UserColumn {
  std::string name;
  Type type;

  static void fields(auto& self, auto& visit) {
    visit.required("name", self.name);
    visit.required("type", self.type);
  }
};

/// Rows that a function makes of the input's rows, and of what it keeps for their keys. Runs in the
/// program that has the function; parse() knows no such node.
struct Process {
  static constexpr std::string_view type = "process";
  std::string input;
  std::vector<std::string> keys;
  /// What it reads of the input's columns.
  std::vector<UserColumn> reads;
  /// What it gives.
  std::vector<UserColumn> columns;
  /// Whether it is also called when event time has come to where it asked for that.
  bool timers = false;
  /// No `update`.
  Emission emit = Emission::watermark;
  std::string late_topic;
  std::shared_ptr<const UserCode> code;

  static void fields(auto& self, auto& visit) {
    visit.required("input", self.input);
    visit.optional("keys", self.keys, {});
    visit.required("reads", self.reads);
    visit.required("columns", self.columns);
    visit.optional("timers", self.timers, false);
    visit.optional("emit", self.emit, Emission::watermark);
    visit.optional("late_topic", self.late_topic, "");
  }
};

}  // namespace leat::plan
