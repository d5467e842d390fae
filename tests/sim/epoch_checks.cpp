// What is looked at in a simulation of epochs, while it goes on and at its end.
#include <algorithm>
#include <chrono>
#include <utility>

#include "log/aborted_transactions.h"
#include "log/producer_table.h"
#include "record/batch.h"
#include "record/record.h"
#include "sim/epoch_simulation.h"

namespace leat::sim {

using std::chrono::seconds;

/// The committed values, as clients find them: they leave out what the answer names as aborted.
Result<EpochSimulation::Values> EpochSimulation::read(const broker::Partition& partition) const {
  auto view = partition.view();
  Values values;
  Offset next = view->start_offset;
  while (view->last_stable_offset && next < view->high_watermark) {
    auto slice = view->read_stable(next, 1 << 20);
    if (!slice) return fail(slice);
    if (slice->bytes == 0) break;
    Bytes bytes(slice->bytes);
    auto got = slice->file->read_at(slice->position, bytes);
    if (!got) return fail(got);
    auto aborted = view->aborted->find(slice->base_offset, slice->next_offset);
    for (BytesView rest(bytes); !rest.empty();) {
      auto batch = record::BatchView::parse(rest);
      if (!batch) return fail(batch);
      bool is_aborted = std::any_of(aborted.begin(), aborted.end(), [&](const auto& a) {
        return batch->is_transactional() && a.producer == batch->producer_id() &&
               a.first <= batch->base_offset() && batch->base_offset() < a.last;
      });
      record::RecordIterator records(*batch);
      while (const record::Record* record = records.next()) {
        if (!batch->is_control() && !is_aborted) values.emplace_back(as_text(*record->value));
      }
      rest = rest.subspan(batch->size_bytes());
    }
    next = slice->next_offset;
  }
  return values;
}

/// Whoever is told that an epoch is committed finds it wherever they look.
void EpochSimulation::check_seen(const std::string& record, const Output& output) {
  for (const auto& [where, values] : output) {
    auto partition = broker_->find_partition(where.topic_id, where.partition);
    if (!partition || has_other_open(*partition, record)) continue;
    auto found = read(*partition);
    if (!found) return object("what was committed cannot be read: " + found.error().what);
    Values its;
    for (std::string& value : *found) {
      if (value.starts_with(record + " ")) its.push_back(std::move(value));
    }
    if (its != values) {
      object(fmt::format("{} of {} records of '{}' are seen in {}-{}", its.size(), values.size(),
                         record, partition->topic(), where.partition.value()));
    }
  }
}

/// Whether the last stable offset is held back by a transaction that is not the one with this
/// record.
bool EpochSimulation::has_other_open(const broker::Partition& partition,
                                     const std::string& record) const {
  auto begin = partition.log().producers().first_unstable();
  if (!begin) return false;
  auto slice = partition.view()->read(*begin, 0);
  if (!slice || slice->bytes == 0) return true;  // it is not durable yet
  Bytes bytes(slice->bytes);
  auto got = slice->file->read_at(slice->position, bytes);
  auto batch = record::BatchView::parse(bytes);
  if (!got || !batch) return false;
  record::RecordIterator records(*batch);
  const record::Record* first = records.next();
  return first != nullptr && !as_text(*first->value).starts_with(record + " ");
}

void EpochSimulation::verify() {
  for (Owner& owner : owners_) {
    open(owner);
    if (!wait_until([&] { return !owner.is_waiting; })) return object("an owner is not opened");
    if (!objection_.empty()) return;
    if (!owner.writer) return object(fmt::format("{} cannot be opened at the end", owner.name));
    commit(owner);
    if (!wait_until([&] { return !owner.is_waiting; })) return object("an epoch is not committed");
    if (!owner.writer) return object(fmt::format("{} cannot commit at the end", owner.name));
  }
  for (const auto& partition : partitions(true)) {
    std::optional<Result<void>> loaded;
    partition->executor().post([partition, &loaded] {
      partition->load_producers([&loaded](Result<void> result) { loaded = std::move(result); });
    });
    if (!wait_until([&] { return loaded.has_value(); })) return object("producers are not read");
  }
  executor_.run_for(seconds(40));
  verify_stable();
  std::vector<std::string> others;
  for (const auto& partition : partitions(true)) {
    auto values = read(*partition);
    if (!values) return object("a partition cannot be read: " + values.error().what);
    for (const std::string& value : *values) {
      if (value.starts_with("other ")) others.push_back(value);
    }
    if (values->size() < seen_[partition->log().id()].size()) {
      object(
          fmt::format("{}-{} has lost what was read", partition->topic(), partition->id().value()));
    }
    read(*partition, *values);
  }
  verify_others(others);
  for (const Owner& owner : owners_) verify_owner(owner);
}

void EpochSimulation::verify_stable() {
  for (const auto& partition : partitions(true)) {
    auto view = partition->view();
    if (!view->last_stable_offset) continue;
    if (view->last_stable_offset != view->high_watermark) {
      object(fmt::format("{}-{} is stable up to {} of {}", partition->topic(),
                         partition->id().value(), view->last_stable_offset->value(),
                         view->high_watermark.value()));
    }
    for (const auto& [id, producer] : partition->log().producers().producers()) {
      if (!producer.transaction) continue;
      object(fmt::format("producer {} has a transaction open in {}-{}", id.value(),
                         partition->topic(), partition->id().value()));
    }
  }
}

/// What a partition has of an owner is what its committed epochs have written there, in order.
void EpochSimulation::verify_owner(const Owner& owner) {
  Output expected = owner.before;
  for (const std::string& record : owner.records) {
    for (const auto& [where, values] : owner.tried.at(record)) {
      Values& all = expected[where];
      all.insert(all.end(), values.begin(), values.end());
    }
  }
  for (const auto& partition : partitions(false)) {
    auto found = read(*partition);
    if (!found) return object("a partition cannot be read: " + found.error().what);
    Values its;
    for (std::string& value : *found) {
      if (value.starts_with(owner.name + " ")) its.push_back(std::move(value));
    }
    const Values& all = expected[partition->log().id()];
    if (its == all) continue;
    auto differs = std::mismatch(its.begin(), its.end(), all.begin(), all.end());
    auto name = [](const auto& at, const Values& of) {
      return at == of.end() ? std::string("nothing") : at->substr(0, 40);
    };
    object(fmt::format("{}-{} has {} values of {} and not {}: '{}' where '{}' should be",
                       partition->topic(), partition->id().value(), its.size(), owner.name,
                       all.size(), name(differs.first, its), name(differs.second, all)));
  }
}

void EpochSimulation::verify_others(const std::vector<std::string>& values) {
  std::map<std::string, int> found;
  for (const std::string& value : values) ++found[value];
  for (const auto& [value, is_acknowledged] : produced_) {
    const TopicPartition& where = produced_to_.at(value);
    if (!broker_->find_partition(where.topic_id, where.partition)) continue;
    if (found[value] > 1) object(fmt::format("'{}' is there twice", value));
    if (found[value] == 0 && is_acknowledged) object(fmt::format("'{}' is lost", value));
  }
}

}  // namespace leat::sim
