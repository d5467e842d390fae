// Functions of the program, as the operator calls them.
#include "leat/process.h"

#include <memory>
#include <optional>
#include <utility>

#include "column/timestamp.h"
#include "flow/cells.h"
#include "flow/graph.h"
#include "flow/user_code.h"
#include "operators/process.h"

namespace leat::flow {

namespace {

using detail::Cells;
using detail::ReadCells;
using detail::UserProcess;
using operators::ProcessActions;
using operators::ProcessFunction;

/// Appends rows to whatever the operator collects them in.
class Call final : public detail::ProcessCall {
 public:
  explicit Call(bool has_timers) : has_timers_(has_timers) {}
  void begin(ProcessActions& actions) { actions_ = &actions; }

  std::int64_t time_ms() const override { return actions_->time_ms(); }
  detail::CellAppender* const* begin_row() override {
    operators::ProcessRows& rows = actions_->begin_row();
    if (rows.serial != serial_) {
      serial_ = rows.serial;
      cells_.emplace(rows.columns, *rows.texts);
    }
    return cells_->columns();
  }
  void set_timer(std::int64_t time_ms) override {
    // What it gives has this time, and may be in windows, as rows of sources.
    constexpr std::int64_t century_ms = std::int64_t{100} * 366 * 86'400'000;
    if (time_ms > column::timestamp_max.ms - century_ms) {
      throw Error("a timer must be before the year 9900");
    }
    if (!has_timers_) throw Error("a timer needs a second function, to be called for it");
    actions_->set_timer(time_ms);
  }
  void cancel_timer(std::int64_t time_ms) override { actions_->cancel_timer(time_ms); }
  void forget() override { actions_->forget(); }

 private:
  const bool has_timers_;
  ProcessActions* actions_ = nullptr;
  std::uint64_t serial_ = 0;
  std::optional<detail::RowCells> cells_;
};

class UserCaller final : public ProcessFunction::Caller {
 public:
  explicit UserCaller(std::shared_ptr<const UserProcess> user)
      : user_(std::move(user)), call_(user_->has_timers()) {}

  void set_columns(std::span<const column::Vector* const> columns) override {
    read_.clear();
    cells_.clear();
    for (const column::Vector* column : columns) {
      read_.push_back(detail::cells_of(*column));
      cells_.push_back(read_.back().cells);
    }
  }
  std::string on_row(std::size_t row, ProcessFunction::Kept& kept,
                     ProcessActions& actions) override {
    call_.begin(actions);
    return user_->on_row(cells_.data(), row, static_cast<detail::UserKept&>(kept).state(), call_);
  }
  void on_timer(ProcessFunction::Kept& kept, ProcessActions& actions) override {
    call_.begin(actions);
    user_->on_timer(static_cast<detail::UserKept&>(kept).state(), call_);
  }

 private:
  std::shared_ptr<const UserProcess> user_;
  std::vector<ReadCells> read_;
  std::vector<Cells> cells_;
  Call call_;
};

class UserFunction final : public ProcessFunction {
 public:
  explicit UserFunction(std::shared_ptr<const UserProcess> user) : user_(std::move(user)) {}
  std::unique_ptr<ProcessFunction::Kept> make_kept() const override {
    return std::make_unique<detail::UserKept>(user_);
  }
  std::unique_ptr<ProcessFunction::Caller> make_caller() const override {
    return std::make_unique<UserCaller>(user_);
  }
  std::string describe_kept() const override { return user_->describe_state(); }

 private:
  std::shared_ptr<const UserProcess> user_;
};

}  // namespace

Stream Keyed::add(detail::UserProcess* function, const ProcessOptions& options) const {
  std::shared_ptr<const UserProcess> user(function);
  plan::Process process;
  process.keys = keys_;
  process.reads = detail::plan_columns(user->input());
  process.columns = detail::plan_columns(user->output());
  process.timers = user->has_timers();
  process.emit = static_cast<plan::Emission>(options.emit);
  process.late_topic = options.late_topic;
  process.code = std::make_shared<UserFunction>(user);
  Stream made{stream_.graph_, stream_.graph_->add(std::move(process), {stream_.node_})};
  return options.name.empty() ? made : made.named(options.name);
}

}  // namespace leat::flow
