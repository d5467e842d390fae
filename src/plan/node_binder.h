// Checks one node after the other; part of bind().
#pragma once

#include <string>

#include "plan/bound_plan.h"

namespace leat::plan {

/// Binds a node, knowing those before it. The first complaint is kept.
class NodeBinder {
 public:
  NodeBinder(const BoundPlan& before, BoundNode& out) : before_(before), out_(out) {}

  void bind();
  /// What does not fit, with its place within the node; empty if all does.
  const std::string& complaint() const { return complaint_; }

 private:
  bool ok() const { return complaint_.empty(); }
  void complain(const std::string& place, const std::string& what);
  bool require(bool holds, const std::string& place, const std::string& what);
  /// That a member is there where it belongs, and only there; `whose` says where that is.
  bool require_member(bool belongs, bool is_there, const std::string& place,
                      const std::string& whose);

  void bind_inputs();
  const BoundNode& input(std::size_t i = 0) const { return before_.nodes[out_.inputs[i]]; }
  const Schema& schema() const { return input().schema; }

  void bind_body(const Source& source);
  void bind_body(const Filter& filter);
  void bind_body(const Project& project);
  void bind_body(const Unnest& unnest);
  void bind_body(const Union& node);
  void bind_body(const Rekey& rekey);
  void bind_body(const Window& window);
  void bind_body(const Over& over);
  void bind_body(const Top& top);
  void bind_body(const Dedup& dedup);
  void bind_body(const Join& join);
  void bind_body(const Sink& sink);
  void bind_view(const Sink& sink);
  void bind_body(const Process& process);

  /// Versions of a table's rows may be passed on and looked up, nothing else.
  void check_table_input(std::size_t i);
  void pass_keys();
  void bind_table(const Source& source);
  void check_lookup(const Join& join);
  void check_sources_differ(const Join& join);
  void check_source_column(const Source& source, const SourceColumn& column,
                           const std::string& place);
  void check_bad_rows(const BadRows& bad_rows, const std::string& place);
  void check_join_kind(const Join& join);
  void check_revised(const Window& window);
  void check_window(const WindowShape& window, const std::string& place);
  void check_span(std::int64_t ms, const std::string& place);
  /// As check_span(), or none.
  void check_distance(std::int64_t ms, const std::string& place);
  /// Stateful nodes but windows take rows that stay as they are.
  void refuse_revised(std::size_t i = 0);
  std::size_t find(const Schema& schema, const std::string& name, const std::string& place);
  /// The places of columns that can be compared.
  std::vector<std::size_t> find_keys(const std::vector<std::string>& names,
                                     const std::string& field, bool may_be_empty);
  void add_column(const std::string& name, const Type& type, const std::string& place);
  void bind_expression(const Expression& expression, const std::string& place,
                       std::optional<BoundExpression>& out);
  void bind_aggregates(const std::vector<Aggregate>& aggregates);
  void bind_aggregate(const Aggregate& aggregate, const std::string& place);

  const BoundPlan& before_;
  BoundNode& out_;
  std::string complaint_;
};

}  // namespace leat::plan
