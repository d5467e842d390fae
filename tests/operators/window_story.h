// Small runs of one window as texts: rows in, event time that moves on, rows out.
#pragma once

#include <deque>
#include <memory>
#include <sstream>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "operators/operator.h"
#include "operators/restarted.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// A window over columns `k` (text) and `v` (bigint), and its state. `window` is what plan::parse()
/// knows of it: the shape and more; `aggregates` are count() and sum(v) unless others are given.
class WindowStory : public Context {
 public:
  using Make = std::unique_ptr<Operator> (*)(const plan::BoundPlan&, std::size_t);

  WindowStory(Make make, const std::string& window, const std::string& keys = R"("k")",
              const std::string& aggregates =
                  R"({"name": "n", "function": "count"},
                     {"name": "s", "function": "sum", "argument": {"column": "v"}})") {
    auto parsed = plan::parse(fmt::format(
        R"({{"version": 1, "name": "story", "nodes": [
        {{"name": "a", "type": "source", "topic": "a", "columns": [
          {{"name": "k", "type": "text"}}, {{"name": "v", "type": "bigint"}}]}},
        {{"name": "w", "type": "window", "input": "a", {}, "keys": [{}], "aggregates": [{}]}},
        {{"name": "out", "type": "sink", "console": true, "input": "w"}}]}})",
        window, keys, aggregates));
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error().what);
    plan_ = *parsed;
    auto bound = plan::bind(plan_);
    REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
    bound_ = *bound;
    operator_ = make(bound_, 1);
    state_ = operator_->make_state();
  }

  /// Steps, separated by `;`: a row `time key value watermark`, without the last one if it is not
  /// late anywhere, several with `&` between them if they come together; `> time` for event time
  /// that has come so far, `> end` for its end; `now time` for processing time. Tells what came
  /// out: `start end key aggregates`, in front `-`, `+` or `!` for what is changed or gone; `late
  /// time`; `bad start end key`.
  std::string tell(const std::string& steps) {
    told_.clear();
    std::istringstream in(steps);
    for (std::string step; std::getline(in, step, ';');) {
      std::istringstream words(step);
      std::string first, second;
      words >> first >> second;
      if (first == ">") {
        advance(second == "end" ? watermark_max : std::stoll(second));
      } else if (first == "now") {
        now_ms_ = std::stoll(second);
        CHECK(operator_->update(*state_, *this).has_value());
      } else if (!first.empty()) {
        take(step);
      }
    }
    return told_;
  }
  /// The state as another one that was written and read.
  void restart() { state_ = restarted(*operator_, *state_); }
  /// Takes over what another one of the same window has that is complete.
  void merge(WindowStory& part, Watermark watermark) {
    operator_->merge(*state_, *part.state_, watermark);
  }
  bool can_merge() const { return operator_->can_merge(); }
  OperatorState& state() { return *state_; }
  std::size_t bytes() const { return state_->bytes(); }
  Watermark passes_on(Watermark watermark) const { return operator_->passes_on(watermark); }

  Result<void> push(const column::Chunk& chunk) override {
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
      std::uint32_t row = chunk.selection[i];
      auto kinds = chunk.context->kinds;
      std::string mark =
          kinds.empty() ? "" : std::string("\0-+!", 4).substr(mark_of(kinds[row]), 1);
      if (mark == std::string(1, '\0')) mark.clear();
      say((mark.empty() ? "" : mark + " ") + text_of(chunk, row));
    }
    return {};
  }
  Result<void> push_late(const column::Chunk& chunk, std::span<const std::uint32_t> rows) override {
    for (auto row : rows) say("late " + std::to_string(chunk.context->event_times_ms[row]));
    return {};
  }
  Result<void> reject(const column::Schema&, const column::Chunk& chunk, std::uint32_t row,
                      const std::string&) override {
    say("bad " + text_of(chunk, row));
    return {};
  }
  std::int64_t now_ms() const override { return now_ms_; }

 private:
  static std::size_t mark_of(column::RowKind kind) { return static_cast<std::size_t>(kind); }

  static std::string text_of(const column::Chunk& chunk, std::uint32_t row) {
    std::string text;
    for (const auto& column : chunk.columns) {
      if (!text.empty()) text += ' ';
      if (column->is_null(row))
        text += '-';
      else if (physical(column->type()) == column::Physical::text)
        text += column->text(row);
      else
        text += std::to_string(column->integer(row));
    }
    return text;
  }
  void say(const std::string& text) { told_ += (told_.empty() ? "" : "; ") + text; }

  void advance(Watermark watermark) {
    CHECK(operator_->advance(*state_, watermark, *this).has_value());
    CHECK(operator_->update(*state_, *this).has_value());
  }

  void take(const std::string& rows) {
    auto texts = std::make_shared<column::Vector>(column::Type(column::Type::Kind::text));
    auto numbers = std::make_shared<column::Vector>(column::Type(column::Type::Kind::bigint));
    auto keys = std::make_shared<std::deque<std::string>>();
    auto context = std::make_shared<column::RowContext>();
    context->buffers = {{keys}};
    column::Chunk chunk;
    std::istringstream in(rows);
    for (std::string row; std::getline(in, row, '&'); ++chunk.rows) {
      std::istringstream words(row);
      std::int64_t time_ms = 0;
      std::string value;
      words >> time_ms >> keys->emplace_back() >> value;
      Watermark watermark = watermark_min;
      if (!(words >> watermark)) watermark = watermark_min;
      texts->resize(chunk.rows + 1);
      numbers->resize(chunk.rows + 1);
      if (keys->back() == "-")
        texts->set_null(chunk.rows);
      else
        texts->set_text(chunk.rows, keys->back());
      if (value == "-")
        numbers->set_null(chunk.rows);
      else
        numbers->set_integer(chunk.rows, std::stoll(value));
      context->event_times_ms.push_back(time_ms);
      context->places.push_back(place_++);
      context->runs.push_back({static_cast<std::uint32_t>(chunk.rows + 1), 0, watermark, 0});
    }
    chunk.columns = {texts, numbers};
    chunk.selection = column::Selection::all(chunk.rows);
    chunk.context = context;
    CHECK(operator_->process(*state_, 0, chunk, *this).has_value());
  }

  plan::Plan plan_;
  plan::BoundPlan bound_;
  std::unique_ptr<Operator> operator_;
  std::unique_ptr<OperatorState> state_;
  std::int64_t now_ms_ = 0;
  std::int64_t place_ = 0;
  std::string told_;
};

}  // namespace leat::operators
