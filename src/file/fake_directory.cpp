#include "file/fake_directory.h"

#include <utility>

#include "base/assert.h"

namespace leat::file {

const FakeNode* FakeDirectory::find(const std::string& name) const {
  auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

void FakeDirectory::apply(const Change& change, Entries& entries) {
  if (!change.erased.empty()) entries.erase(change.erased);
  if (!change.put.empty()) entries[change.put] = change.node;
}

void FakeDirectory::record(std::shared_ptr<Change> change) {
  apply(*change, entries_);
  changes_.push_back(std::move(change));
}

void FakeDirectory::put(const std::string& name, FakeNode node) {
  record(std::make_shared<Change>(Change{{}, name, std::move(node), false, nullptr}));
}

void FakeDirectory::erase(const std::string& name) {
  record(std::make_shared<Change>(Change{name, {}, {}, false, nullptr}));
}

void FakeDirectory::move_here(FakeDirectory& source, const std::string& from,
                              const std::string& to) {
  const FakeNode* found = source.find(from);
  ASSERT(found != nullptr);
  auto arrival = std::make_shared<Change>(Change{{}, to, *found, false, nullptr});
  if (&source == this) {
    arrival->erased = from;
  } else {
    source.record(std::make_shared<Change>(Change{from, {}, {}, false, arrival}));
  }
  record(std::move(arrival));
}

void FakeDirectory::sync() {
  for (auto& change : changes_) {
    if (change->needs) change->needs->on_disk = true;
    apply(*change, durable_);
  }
  changes_.clear();
}

void FakeDirectory::draw_survivors(Random& random) {
  bool in_order = random.one_in(2);
  std::size_t prefix = random.below(changes_.size() + 1);
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    bool survives = in_order ? i < prefix : random.one_in(2);
    changes_[i]->on_disk = changes_[i]->on_disk || survives;
  }
}

void FakeDirectory::lose_power() {
  for (const auto& change : changes_) {
    bool whole = !change->needs || change->needs->on_disk;
    if (change->on_disk && whole) apply(*change, durable_);
  }
  changes_.clear();
  entries_ = durable_;
}

}  // namespace leat::file
