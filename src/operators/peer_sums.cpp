#include "operators/peer_sums.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "operators/gather.h"

namespace leat::operators {

using column::Chunk;
using column::Selection;
using column::Type;
using column::Vector;

namespace {

std::vector<Type> key_types(const OverParts& parts) {
  std::vector<Type> types{Type(Type::bigint)};
  for (std::size_t key : parts.keys) types.push_back(parts.input[key].type);
  return types;
}

// The texts of results live as long as the chunk.
std::shared_ptr<const column::RowContext> with_texts(
    std::shared_ptr<const column::RowContext> context,
    const std::shared_ptr<column::TextArena>& texts) {
  if (texts->empty()) return context;
  auto more = std::make_shared<column::RowContext>(*context);
  more->buffers.push_back({texts});
  return more;
}

}  // namespace

PeerSums::PeerSums(const OverParts& parts) : parts_(parts), keys_(key_types(parts)) {
  for (const auto& one : parts.bound) sums_.push_back(aggregate::make_accumulators(one));
}

Result<void> PeerSums::give(std::span<PeerRows> all, Context& context) {
  groups_ = 0;
  keys_.clear();
  for (auto& sums : sums_) sums->resize(0);
  std::vector<Groups> groups(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    number(all[i], groups[i]);
    add(all[i], groups[i]);
  }
  Results results = this->results();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (auto ok = push(all[i], groups[i], results, context); !ok) return ok;
  }
  return {};
}

void PeerSums::number(const PeerRows& some, Groups& groups) {
  if (parts_.keys.empty()) return number_times(some, groups);
  Vector times{Type(Type::bigint)};
  times.resize(some.chunk.rows);
  const auto& times_ms = some.chunk.context->event_times_ms;
  std::copy_n(times_ms.begin(), some.chunk.rows, times.integers().begin());
  times.set_all_known();
  std::vector<const Vector*> columns{&times};
  for (std::size_t key : parts_.keys) columns.push_back(some.chunk.columns[key].get());
  keys_.find_or_add(columns, some.rows, groups, scratch_);
  groups_ = static_cast<std::uint32_t>(keys_.size());
}

void PeerSums::number_times(const PeerRows& some, Groups& groups) {
  groups.resize(some.rows.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    std::int64_t time_ms = some.time_ms(i);
    if (groups_ == 0 || time_ms != last_ms_) ++groups_;
    last_ms_ = time_ms;
    groups[i] = groups_ - 1;
  }
}

void PeerSums::add(const PeerRows& some, const Groups& groups) {
  auto column = [&](const std::optional<std::size_t>& at) {
    return at ? some.chunk.columns[*at].get() : nullptr;
  };
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    const OverColumns& columns = parts_.inputs.columns()[i];
    aggregate::Input input{column(columns.argument), column(columns.order_by),
                           column(columns.filter), some.chunk.context.get()};
    sums_[i]->resize(groups_);
    sums_[i]->update(input, some.rows, groups);
  }
}

PeerSums::Results PeerSums::results() const {
  Results results;
  results.texts = std::make_shared<column::TextArena>();
  std::string reason;
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    Vector& column = results.columns.emplace_back(parts_.bound[i].type);
    column.resize(groups_);
    for (std::uint32_t group = 0; group < groups_; ++group) {
      if (sums_[i]->result(group, column, group, *results.texts, reason)) continue;
      column.set_null(group);
      results.failures.try_emplace(group, parts_.bound[i].aggregate->name + ": " + reason);
    }
    own_texts(column, 0, groups_, *results.texts);
  }
  return results;
}

Result<void> PeerSums::push(PeerRows& some, const Groups& groups, const Results& results,
                            Context& context) const {
  Chunk& chunk = some.chunk;
  chunk.columns.resize(parts_.input.size());
  std::vector<std::uint32_t> good;
  for (std::size_t i = 0; i < groups.size() && !results.failures.empty(); ++i) {
    auto failed = results.failures.find(groups[i]);
    if (failed == results.failures.end()) {
      good.push_back(some.rows[i]);
      continue;
    }
    auto ok = context.reject(parts_.input, chunk, some.rows[i], failed->second);
    if (!ok) return ok;
  }
  Groups by_row;
  if (groups.size() < chunk.rows) {
    // The cells of other rows are any group's.
    by_row.resize(chunk.rows, groups[0]);
    for (std::size_t i = 0; i < groups.size(); ++i) by_row[some.rows[i]] = groups[i];
  }
  const Groups& group_of = by_row.empty() ? groups : by_row;
  for (const Vector& from : results.columns) {
    auto column = std::make_shared<Vector>(from.type());
    column->resize(chunk.rows);
    gather(*column, 0, chunk.rows, [&](std::size_t row) { return Cell{&from, group_of[row]}; });
    chunk.columns.push_back(std::move(column));
  }
  if (results.failures.empty()) good = std::move(some.rows);
  if (good.empty()) return {};
  chunk.selection =
      good.size() == chunk.rows ? Selection::all(chunk.rows) : Selection::of(std::move(good));
  chunk.context = with_texts(std::move(chunk.context), results.texts);
  return context.push(chunk);
}

std::size_t PeerSums::bytes() const {
  std::size_t bytes = keys_.bytes();
  for (const auto& sums : sums_) bytes += sums->bytes();
  return bytes;
}

}  // namespace leat::operators
