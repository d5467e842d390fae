#include "pipeline/recovery.h"

#include <utility>

#include <fmt/format.h>

namespace leat::pipeline {

namespace {

constexpr std::size_t read_bytes = 1 << 20;

}  // namespace

Result<const Record*> EpochFeed::next() {
  if (end_ && place_.epoch >= end_->epoch) return nullptr;
  if (next_entry_ == entries_.size()) {
    auto entries = reader_.read(place_.next, read_bytes);
    if (!entries) return fail(entries);
    entries_ = std::move(*entries);
    next_entry_ = 0;
    if (entries_.empty() && !end_) return nullptr;
  }
  std::optional<std::uint64_t> found;
  if (!entries_.empty()) {
    const auto& entry = entries_[next_entry_++];
    auto record = decode(entry.record);
    if (!record) {
      return fail(record.error().code, fmt::format("record {} of {}: {}", entry.offset.value(),
                                                   reader_.topic(), record.error().what));
    }
    found = epoch_of(*record);
    record_ = std::move(*record);
    place_.next = entry.offset + 1;
  }
  if (found == place_.epoch + 1) {
    place_.epoch = *found;
    return &*record_;
  }
  return fail(Errc::corrupt_message,
              fmt::format("{}: behind epoch {} there is {}", reader_.topic(), place_.epoch,
                          found ? fmt::format("epoch {}", *found) : "nothing"));
}

Result<void> Recovery::find(std::optional<Bytes> handed_over) {
  if (handed_over) {
    auto snapshot = decode_snapshot(std::move(*handed_over));
    if (!snapshot) return fail(snapshot);
    if (auto ok = use(std::move(*snapshot)); !ok) return ok;
  } else if (auto ok = find_snapshot(); !ok) {
    return ok;
  }
  std::uint64_t before = last_epoch_;
  if (auto ok = look_at_records(); !ok) return ok;
  if (handed_over && last_epoch_ != before) {
    return fail(
        Errc::invalid_request,
        fmt::format("{} has epochs behind {}, where the version stood when it was handed over",
                    log_.topic(), before));
  }
  return {};
}

Result<void> Recovery::pass_over(const Error& why) {
  std::uint64_t epoch = snapshot_->epoch;
  passed_over_.push_back(fmt::format("snapshot of epoch {}: {}", epoch, why.what));
  snapshot_.reset();
  begin_.reset();
  from_ = {};
  last_epoch_ = files_epoch_ = 0;
  finished_ = false;
  repeated_.reset();
  counts_ = {};
  if (auto ok = find_snapshot(epoch); !ok) return ok;
  return look_at_records();
}

Result<void> Recovery::find_snapshot(std::optional<std::uint64_t> before) {
  auto epochs = snapshots_.list();
  if (!epochs) return fail(epochs);
  for (std::uint64_t epoch : *epochs) {
    if (before && epoch >= *before) continue;
    auto snapshot = snapshots_.read(epoch);
    Result<void> used = snapshot ? use(std::move(*snapshot)) : fail(snapshot);
    if (used) return {};
    passed_over_.push_back(fmt::format("snapshot of epoch {}: {}", epoch, used.error().what));
  }
  return {};
}

// Takes the snapshot if the records go on where it ends.
Result<void> Recovery::use(Snapshot snapshot) {
  auto end = log_.end();
  if (!end) return fail(end);
  if (*end < snapshot.next) {
    return fail(Errc::corrupt_message, "it is newer than the last committed epoch");
  }
  auto entries = log_.read(snapshot.next, 1);
  if (!entries) return fail(entries);
  if (!entries->empty()) {
    auto record = decode(entries->front().record);
    if (!record || epoch_of(*record) != snapshot.epoch + 1) {
      return fail(Errc::corrupt_message, "the epochs do not go on where it ends");
    }
  }
  from_ = {snapshot.epoch, snapshot.next};
  last_epoch_ = snapshot.epoch;
  files_epoch_ = snapshot.files_epoch;
  finished_ = snapshot.finished;
  repeated_ = snapshot.repeated;
  counts_ = snapshot.counts;
  begin_ = snapshot.begin;
  snapshot_ = std::move(snapshot);
  return {};
}

Result<void> Recovery::look_at_records() {
  EpochFeed feed(log_, from_);
  while (true) {
    auto record = feed.next();
    if (!record) return fail(record);
    if (*record == nullptr) return {};
    last_epoch_ = feed.place().epoch;
    if (const auto* begin = std::get_if<BeginRecord>(*record)) {
      begin_ = *begin;
      from_ = feed.place();
      snapshot_.reset();
      counts_ = {};
      finished_ = false;
      repeated_.reset();
      continue;
    }
    const auto& epoch = std::get<EpochRecord>(**record);
    if (!begin_) {
      return fail(Errc::corrupt_message, fmt::format("{}: epoch {} comes before any beginning",
                                                     log_.topic(), epoch.epoch));
    }
    counts_ += epoch.counts;
    finished_ = epoch.finished;
    repeated_ = epoch.repeated;
    if (epoch.files) files_epoch_ = epoch.epoch;
  }
}

Result<void> repeat(const EpochRecord& epoch, const std::string& owner, stream::Task& task,
                    OutputHash* hash, std::vector<std::vector<stream::OutputBatch>>* given) {
  for (std::size_t i = 0; i < epoch.steps.size(); ++i) {
    stream::OutputBatches out;
    auto place = [&] {
      return fmt::format("step {} of {} in epoch {} of {}", i + 1, epoch.steps.size(), epoch.epoch,
                         owner);
    };
    if (auto ok = task.repeat(epoch.steps[i].step, out); !ok) {
      return fail(ok.error().code,
                  fmt::format("{} cannot be repeated: {}", place(), ok.error().what));
    }
    auto output = out.take();
    if (hash != nullptr && hash->of(output) != epoch.steps[i].output_hash) {
      return fail(Errc::step_mismatch, fmt::format("{} does not give again what it gave", place()));
    }
    if (given != nullptr) given->push_back(std::move(output));
  }
  return {};
}

}  // namespace leat::pipeline
