#include "stream/node_operators.h"

#include <type_traits>
#include <variant>

#include "base/assert.h"
#include "operators/as_of_join.h"
#include "operators/batch_process.h"
#include "operators/dedup.h"
#include "operators/dedup_changes.h"
#include "operators/filter.h"
#include "operators/fixed_window.h"
#include "operators/interval_join.h"
#include "operators/over.h"
#include "operators/process.h"
#include "operators/project.h"
#include "operators/revised_window.h"
#include "operators/session_window.h"
#include "operators/table_join.h"
#include "operators/top.h"
#include "operators/top_changes.h"
#include "operators/union_all.h"
#include "operators/unnest.h"
#include "operators/window_join.h"

namespace leat::stream {

using namespace leat::plan;
using operators::Operator;

namespace {

// Of a node that gives rows by event time's progress, or at once, or again when they change.
NodeTraits traits_by(Emission emit) {
  NodeTraits traits;
  traits.keeps_rows = true;
  traits.gives_in_order_of_time = emit == Emission::watermark;
  traits.judges_arrival = emit != Emission::watermark;
  return traits;
}

}  // namespace

NodeTraits traits_of(const BoundNode& node) {
  const auto& body = node.node->body;
  NodeTraits traits;
  traits.is_source = std::holds_alternative<Source>(body);
  traits.is_sink = std::holds_alternative<Sink>(body);
  if (const auto* over = std::get_if<Over>(&body)) return traits_by(over->emit);
  if (const auto* top = std::get_if<Top>(&body)) return traits_by(top->emit);
  if (const auto* process = std::get_if<Process>(&body)) return traits_by(process->emit);
  if (const auto* dedup = std::get_if<Dedup>(&body)) return traits_by(dedup->emit);
  if (const auto* window = std::get_if<Window>(&body)) {
    traits.keeps_rows = true;
    traits.gives_in_order_of_time = !node.revises && window->emit == Window::Emit::close;
  }
  if (const auto* join = std::get_if<Join>(&body)) {
    traits.keeps_rows = true;
    // A lookup gives rows on as they come.
    traits.gives_in_order_of_time = join->kind != Join::Kind::table;
    traits.judges_arrival = join->kind == Join::Kind::table;
  }
  return traits;
}

namespace {

/// Makes the operator of one node.
struct Make {
  using Made = std::unique_ptr<Operator>;
  const BoundPlan& plan;
  std::size_t number;

  const BoundNode& node() const { return plan.nodes[number]; }
  const Schema& input() const { return plan.nodes[node().inputs[0]].schema; }

  Made operator()(const Source&) const { return nullptr; }
  Made operator()(const Sink&) const { return nullptr; }
  Made operator()(const Filter&) const { return std::make_unique<operators::Filter>(node()); }
  Made operator()(const Project&) const {
    return std::make_unique<operators::Project>(node(), input());
  }
  Made operator()(const Unnest&) const { return std::make_unique<operators::Unnest>(node()); }
  Made operator()(const Union&) const { return std::make_unique<operators::UnionAll>(); }
  // Rows are spread where they are gathered again, by the keys of who gathers them.
  Made operator()(const Rekey&) const { return std::make_unique<PassOn>(); }
  Made operator()(const Window& window) const {
    auto n = static_cast<std::int32_t>(number);
    if (plan.nodes[node().inputs[0]].revises) {
      return std::make_unique<operators::RevisedWindow>(node(), input(), n);
    }
    if (window.window.kind == WindowShape::Kind::session) {
      return std::make_unique<operators::SessionWindow>(node(), input(), n);
    }
    return std::make_unique<operators::FixedWindow>(node(), input(), n);
  }
  Made operator()(const Process& process) const {
    if (std::dynamic_pointer_cast<const operators::BatchFunction>(process.code)) {
      return std::make_unique<operators::BatchProcess>(plan, number);
    }
    return std::make_unique<operators::Process>(plan, number);
  }
  Made operator()(const Over&) const { return operators::make_over(node()); }
  Made operator()(const Top& top) const {
    if (top.emit == Emission::update) {
      return std::make_unique<operators::TopChanges>(node(), input());
    }
    return std::make_unique<operators::Top>(node(), input());
  }
  Made operator()(const Dedup& dedup) const {
    if (dedup.emit == Emission::update) return std::make_unique<operators::DedupChanges>(node());
    return std::make_unique<operators::Dedup>(node());
  }
  Made operator()(const Join& join) const {
    switch (join.kind) {
      case Join::Kind::interval: return std::make_unique<operators::IntervalJoin>(plan, number);
      case Join::Kind::window: return std::make_unique<operators::WindowJoin>(plan, number);
      case Join::Kind::table: return std::make_unique<operators::TableJoin>(plan, number);
      case Join::Kind::as_of: return std::make_unique<operators::AsOfJoin>(plan, number);
    }
    ASSERT(false);
  }

 private:
  class PassOn final : public Operator {
   public:
    Result<void> process(operators::OperatorState&, std::size_t, const column::Chunk& chunk,
                         operators::Context& context) const override {
      return context.push(chunk);
    }
  };
};

}  // namespace

std::unique_ptr<Operator> make_operator(const BoundPlan& plan, std::size_t node) {
  return std::visit(Make{plan, node}, plan.nodes[node].node->body);
}

}  // namespace leat::stream
