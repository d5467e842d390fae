// What functions of rows and those of batches have alike.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flow/graph.h"
#include "leat/process.h"
#include "operators/process.h"
#include "plan/process.h"

namespace leat::flow::detail {

/// A state of the program's, as the operator keeps it.
class UserKept final : public operators::ProcessFunction::Kept {
 public:
  explicit UserKept(std::shared_ptr<const UserState> user)
      : user_(std::move(user)), state_(user_->make_state()) {}
  ~UserKept() override { user_->delete_state(state_); }
  UserKept(const UserKept&) = delete;
  UserKept& operator=(const UserKept&) = delete;

  void write(std::string& out) const override { user_->write_state(state_, out); }
  bool read(std::string_view bytes) override { return user_->read_state(bytes, state_); }
  std::size_t bytes() const override { return sizeof(*this) + user_->state_bytes(state_); }
  void* state() { return state_; }

 private:
  std::shared_ptr<const UserState> user_;
  void* state_;
};

inline std::vector<plan::UserColumn> plan_columns(const std::vector<Column>& columns) {
  std::vector<plan::UserColumn> all;
  for (const Column& column : columns) {
    all.push_back({column.name, plan_type(column.type)});
  }
  return all;
}

}  // namespace leat::flow::detail
