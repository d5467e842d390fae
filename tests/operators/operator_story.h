// Small runs of one operator as texts: rows in, event time that moves on, rows out.
#pragma once

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "operators/operator.h"
#include "operators/restarted.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// A node over the inputs "a" and "b", which have the columns `k`, `l` (text) and `v`, `w`
/// (bigint), and its state. `node` is what plan::parse() knows of it, without braces and name.
class OperatorStory : public Context {
 public:
  template <class Make>
  OperatorStory(const std::string& node, const Make& make) {
    std::string json = R"({"version": 1, "name": "story", "nodes": [)";
    for (std::string input : {"a", "b"}) {
      if (node.find('"' + input + '"') == node.npos) continue;
      bool first = input == "a";
      json += fmt::format(R"({{"name": "{0}", "type": "source", "topic": "{0}", "columns": [
          {{"name": "{1}", "type": "text"}}, {{"name": "{2}", "type": "bigint"}}]}}, )",
                          input, first ? "k" : "l", first ? "v" : "w");
    }
    json += fmt::format(R"({{"name": "n", {}}}, {{"name": "out", "type": "sink", "console": true,
        "input": "n"}}]}})",
                        node);
    auto parsed = plan::parse(json);
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error().what, " in ", json);
    plan_ = *parsed;
    auto bound = plan::bind(plan_);
    REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
    bound_ = *bound;
    operator_ = make(bound_, bound_.nodes.size() - 2);
    state_ = operator_->make_state();
  }

  /// Steps, separated by `;`: a row `input time key value`, behind it its watermark if it has one;
  /// `> time` for event time that has come so far, `> end` for its end. Tells what came out:
  /// columns, in front `-`, `+` or `!` for what is changed or gone; `late time`.
  std::string tell(const std::string& steps) {
    told_.clear();
    std::istringstream in(steps);
    for (std::string step; std::getline(in, step, ';');) {
      std::istringstream words(step);
      std::string first, time, key, value, watermark;
      words >> first >> time >> key >> value;
      if (!(words >> watermark)) watermark = std::to_string(watermark_min);
      if (first == ">")
        advance(time == "end" ? watermark_max : std::stoll(time));
      else if (!first.empty())
        take(first == "b" ? 1 : 0, std::stoll(time), key, value, std::stoll(watermark));
    }
    return told_;
  }
  std::size_t bytes() const { return state_->bytes(); }
  /// How large a snapshot is.
  std::size_t kept() const { return snapshot_bytes(*state_); }
  const Operator& node() const { return *operator_; }

  Result<void> push(const column::Chunk& chunk) override {
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
      std::uint32_t row = chunk.selection[i];
      const auto& kinds = chunk.context->kinds;
      say(kinds.empty() ? "" : mark_of(kinds[row]), chunk, row);
    }
    return {};
  }
  Result<void> push_late(const column::Chunk& chunk, std::span<const std::uint32_t> rows) override {
    for (auto row : rows) say("late", chunk, row);
    return {};
  }
  Result<void> reject(const column::Schema&, const column::Chunk& chunk, std::uint32_t row,
                      const std::string&) override {
    say("bad", chunk, row);
    return {};
  }
  std::int64_t now_ms() const override { return 0; }

 private:
  static std::string mark_of(column::RowKind kind) {
    switch (kind) {
      case column::RowKind::insert: return "";
      case column::RowKind::update_before: return "-";
      case column::RowKind::update_after: return "+";
      case column::RowKind::erase: break;
    }
    return "!";
  }

  void say(const std::string& mark, const column::Chunk& chunk, std::uint32_t row) {
    std::string text = mark;
    for (const auto& column : chunk.columns) {
      if (!text.empty()) text += ' ';
      if (column->is_null(row))
        text += '-';
      else if (physical(column->type()) == column::Physical::text)
        text += column->text(row);
      else
        text += std::to_string(column->integer(row));
    }
    told_ += (told_.empty() ? "" : "; ") + text;
  }

  void advance(Watermark watermark) {
    CHECK(operator_->advance(*state_, watermark, *this).has_value());
    CHECK(operator_->update(*state_, *this).has_value());
  }

  void take(std::size_t input, std::int64_t time_ms, const std::string& key,
            const std::string& value, Watermark watermark) {
    auto texts = std::make_shared<column::Vector>(column::Type(column::Type::Kind::text));
    auto numbers = std::make_shared<column::Vector>(column::Type(column::Type::Kind::bigint));
    texts->resize(1);
    numbers->resize(1);
    auto owner = std::make_shared<std::string>(key);
    if (key == "-")
      texts->set_null(0);
    else
      texts->set_text(0, *owner);
    if (value == "-")
      numbers->set_null(0);
    else
      numbers->set_integer(0, std::stoll(value));
    auto context = std::make_shared<column::RowContext>();
    context->event_times_ms = {time_ms};
    context->places = {place_++};
    context->runs = {{1, 0, watermark, static_cast<std::int32_t>(input)}};
    context->buffers = {{owner}};
    column::Chunk chunk;
    chunk.columns = {texts, numbers};
    chunk.rows = 1;
    chunk.selection = column::Selection::all(1);
    chunk.context = context;
    CHECK(operator_->process(*state_, input, chunk, *this).has_value());
  }

  plan::Plan plan_;
  plan::BoundPlan bound_;
  std::unique_ptr<Operator> operator_;
  std::unique_ptr<OperatorState> state_;
  std::int64_t place_ = 0;
  std::string told_;
};

}  // namespace leat::operators
