// Epochs in memory, for tests and benchmarks of runs.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "pipeline/epoch_log.h"
#include "stream/memory_topics.h"

namespace leat::pipeline {

/// An EpochStore over topics in memory. Between two records lies a marker, as in a log. Who
/// commits sees to it that nobody reads meanwhile, or that half an epoch is no matter.
class MemoryEpochs final : public EpochStore {
 public:
  /// What becomes of a commit: `apply`, if it is called, makes it durable and visible; `done` is
  /// the caller's. Both may be called later, or never.
  using Commit = std::function<void(const std::string& owner, std::function<void()> apply,
                                    EpochLog::Done done)>;

  explicit MemoryEpochs(stream::MemoryTopics& topics) : topics_(topics) {}

  /// Otherwise commits are done before commit() returns.
  void set_commit(Commit commit) { commit_ = std::move(commit); }

  Result<std::unique_ptr<EpochLog>> open(const std::string& owner) override {
    std::lock_guard lock(mutex_);
    Owner& of = owners_[owner];
    return std::make_unique<Log>(*this, owner, ++of.opened);
  }
  Result<std::unique_ptr<EpochReader>> read(const std::string& owner) override {
    std::lock_guard lock(mutex_);
    if (!owners_.contains(owner)) {
      return fail(Errc::unknown_topic_or_partition, "there are no epochs of " + owner);
    }
    return std::make_unique<Log>(*this, owner, 0);
  }

  std::vector<Bytes> records(const std::string& owner) {
    std::lock_guard lock(mutex_);
    return owners_[owner].records;
  }
  /// Replaces one, as damage or another program would.
  void change(const std::string& owner, std::size_t index, Bytes record) {
    std::lock_guard lock(mutex_);
    owners_[owner].records.at(index) = std::move(record);
  }

 private:
  struct Owner {
    std::vector<Bytes> records;
    std::uint64_t opened = 0;  // how often: only the last one commits
  };

  class Log final : public EpochLog {
   public:
    Log(MemoryEpochs& epochs, std::string owner, std::uint64_t opened)
        : epochs_(epochs),
          owner_(std::move(owner)),
          topic_("__epochs." + owner_),
          opened_(opened) {}

    const std::string& topic() const override { return topic_; }
    Result<std::vector<Entry>> read(Offset from, std::size_t max_bytes) override {
      std::lock_guard lock(epochs_.mutex_);
      const auto& records = epochs_.owners_[owner_].records;
      std::vector<Entry> entries;
      std::size_t bytes = 0;
      for (auto i = static_cast<std::size_t>((from.value() + 1) / 2); i < records.size(); ++i) {
        if (!entries.empty() && bytes + records[i].size() > max_bytes) break;
        bytes += records[i].size();
        entries.push_back({Offset{static_cast<std::int64_t>(2 * i)}, records[i]});
      }
      return entries;
    }
    Result<Offset> end() override {
      std::lock_guard lock(epochs_.mutex_);
      return Offset{static_cast<std::int64_t>(2 * epochs_.owners_[owner_].records.size())};
    }
    void commit(Bytes record, std::vector<stream::OutputBatch> output, Done done) override {
      auto apply = [&epochs = epochs_, owner = owner_, opened = opened_, record = std::move(record),
                    output = std::move(output)] { epochs.apply(owner, opened, record, output); };
      if (epochs_.commit_) return epochs_.commit_(owner_, std::move(apply), std::move(done));
      apply();
      done({});
    }

   private:
    MemoryEpochs& epochs_;
    const std::string owner_;
    const std::string topic_;
    const std::uint64_t opened_;
  };

  void apply(const std::string& owner, std::uint64_t opened, const Bytes& record,
             const std::vector<stream::OutputBatch>& output) {
    {
      std::lock_guard lock(mutex_);
      Owner& of = owners_[owner];
      // One that was opened later has decided that this one came to nothing.
      if (of.opened != opened) return;
      of.records.push_back(record);
    }
    for (const auto& batch : output) {
      topics_.append(batch.partition, batch.bytes,
                     [](const Result<Offset>& appended) { ASSERT(appended.has_value()); });
    }
  }

  stream::MemoryTopics& topics_;
  Commit commit_;
  std::mutex mutex_;
  std::map<std::string, Owner> owners_;  // guarded by mutex_
};

}  // namespace leat::pipeline
