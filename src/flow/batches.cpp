// Functions of batches, as the operator calls them.
#include "leat/batches.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flow/cells.h"
#include "flow/graph.h"
#include "flow/user_code.h"
#include "operators/batch_process.h"

namespace leat::flow {

namespace {

using detail::UserBatches;
using operators::BatchActions;
using operators::BatchFunction;
using operators::ProcessFunction;

class Call final : public detail::BatchCall {
 public:
  void begin(BatchActions& actions) { actions_ = &actions; }

  detail::CellAppender* const* begin_row(std::size_t of) override {
    operators::ProcessRows& rows = actions_->begin_row(of);
    if (rows.serial != serial_) {
      serial_ = rows.serial;
      cells_.emplace(rows.columns, *rows.texts);
    }
    return cells_->columns();
  }
  void reject(std::size_t row, std::string_view reason) override { actions_->reject(row, reason); }

 private:
  BatchActions* actions_ = nullptr;
  std::uint64_t serial_ = 0;
  std::optional<detail::RowCells> cells_;
};

class UserCaller final : public BatchFunction::Caller {
 public:
  explicit UserCaller(std::shared_ptr<const UserBatches> user) : user_(std::move(user)) {}

  void on_batch(const column::Chunk& chunk, ProcessFunction::Kept& kept,
                BatchActions& actions) override {
    std::vector<detail::ReadCells> read;
    std::vector<detail::Cells> cells;
    for (const auto& column : chunk.columns) {
      read.push_back(detail::cells_of(*column));
      cells.push_back(read.back().cells);
    }
    call_.begin(actions);
    detail::BatchRows rows{cells.data(), chunk.context->event_times_ms.data(), chunk.rows};
    user_->on_batch(rows, static_cast<detail::UserKept&>(kept).state(), call_);
  }

 private:
  std::shared_ptr<const UserBatches> user_;
  Call call_;
};

class UserFunction final : public BatchFunction {
 public:
  explicit UserFunction(std::shared_ptr<const UserBatches> user) : user_(std::move(user)) {}
  std::unique_ptr<ProcessFunction::Kept> make_kept() const override {
    return std::make_unique<detail::UserKept>(user_);
  }
  std::unique_ptr<BatchFunction::Caller> make_caller() const override {
    return std::make_unique<UserCaller>(user_);
  }
  std::string describe_kept() const override { return user_->describe_state(); }

 private:
  std::shared_ptr<const UserBatches> user_;
};

}  // namespace

Stream Stream::add_batches(detail::UserBatches* function, std::vector<std::string> keys,
                           const BatchOptions& options) const {
  std::shared_ptr<const UserBatches> user(function);
  plan::Process process;
  process.keys = std::move(keys);
  process.reads = detail::plan_columns(user->input());
  process.columns = detail::plan_columns(user->output());
  process.late_topic = options.late_topic;
  process.code = std::make_shared<UserFunction>(user);
  Stream made{graph_, graph_->add(std::move(process), {node_})};
  return options.name.empty() ? made : made.named(options.name);
}

}  // namespace leat::flow
