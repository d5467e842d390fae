#include "log/store.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/logging.h"
#include "log/data_store.h"
#include "log/format.h"
#include "log/open_segments.h"
#include "log/recovery_guard.h"

namespace leat::log {
namespace {

/// Makes a directory and its missing parents so that a power cut cannot take them back.
Result<void> make_durable_directory(file::FileSystem& files, const std::string& path) {
  Result<bool> there = files.exists(path);
  if (!there) return fail(there);
  if (*there) return {};
  std::string parent = parent_of(path);
  Result<void> made = make_durable_directory(files, parent);
  if (!made) return made;
  made = files.make_directories(path);
  if (!made) return made;
  return files.sync_directory(parent);
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const Environment& environment,
                                           const StoreOptions& options) {
  file::FileSystem& files = environment.files;
  Layout layout(options.directory);
  Result<void> made = make_durable_directory(files, options.directory);
  if (!made) return fail(made);
  Result<std::unique_ptr<file::DirectoryLock>> lock = files.lock(options.directory, options.owner);
  if (!lock) return fail(lock);
  Result<void> format = prepare_format(files, layout);
  if (!format) return fail(format);
  for (const std::string& path : {layout.journal_directory(), layout.partitions()}) {
    made = make_durable_directory(files, path);
    if (!made) return fail(made);
  }
  // What is there may be of a start that was killed before it synced: the journal's directory, or
  // a checkpoint that is about to be relied upon.
  made = files.sync_directory(layout.root());
  if (!made) return fail(made);
  Result<RecoveryGuard> guard = RecoveryGuard::begin(files, environment.clock, layout);
  if (!guard) return fail(guard);
  RecoveryOptions recovery;
  recovery.acknowledges_early = options.durability != Durability::fsync;
  recovery.progress = options.recovering;
  Result<Recovered> recovered = recover(files, environment.clock, layout, recovery);
  if (!recovered) return fail(recovered);
  auto store = std::make_unique<DataStore>(environment, options, std::move(*lock));
  Result<void> started = store->start(std::move(*recovered));
  if (!started) return fail(started);
  return store;
}

DataStore::DataStore(const Environment& environment, const StoreOptions& options,
                     std::unique_ptr<file::DirectoryLock> lock)
    : lock_(std::move(lock)),
      shared_context_(std::make_shared<StoreContext>(environment.files, environment.executor,
                                                     environment.clock, options,
                                                     environment.metrics)),
      context_(*shared_context_),
      journal_(context_.files, context_.layout, options.journal_bytes),
      background_(context_),
      committer_(context_, journal_, shards_),
      checkpointer_(context_, journal_,
                    [this](std::uint64_t sequence) { return encode_state(sequence); }),
      space_(context_),
      scrubber_(context_, [this] { return sealed_segments(); }),
      compactor_(context_) {
  context_.committer = &committer_;
  context_.checkpointer = &checkpointer_;
  context_.background = &background_;
  context_.space = &space_;
  context_.scrubber = &scrubber_;
  context_.compactor = &compactor_;
  std::size_t open_max = context_.options.open_segments_max;
  if (open_max == 0) open_max = context_.files.open_files_max() / 2;
  context_.open_segments = std::make_shared<OpenSegments>(std::max<std::size_t>(open_max, 16));
  shards_.push_back(std::make_unique<Shard>(context_, environment.executor));
  for (Executor* executor : environment.shards) {
    if (executor == &environment.executor) continue;
    shards_.push_back(std::make_unique<Shard>(context_, *executor));
  }
  committer_.find_log = [this](const TopicPartition& id) { return find_log(id); };
  committer_.found_damage = [this](const TopicPartition& id, const Damage& damage) {
    std::shared_ptr<PartitionLog> log = find_log(id);
    if (log) log->shard().here([log, damage] { log->record_damage(damage); });
  };
}

Shard& DataStore::shard_of(const TopicPartition& id) const {
  const auto& lives_at_home = context_.options.lives_at_home;
  if (lives_at_home && lives_at_home(id.topic_id)) return *shards_.front();
  return *shards_[std::hash<TopicPartition>()(id) % shards_.size()];
}

std::shared_ptr<PartitionLog> DataStore::find_log(const TopicPartition& id) const {
  auto at = logs_.find(id);
  return at == logs_.end() ? nullptr : at->second;
}

DataStore::~DataStore() {
  for (auto& [id, log] : logs_) log->abandon();
  logs_.clear();
  context_.alive.reset();
}

Result<void> DataStore::start(Recovered recovered) {
  head_ = recovered.head;
  Result<void> opened = recovered.unsynced ? journal_.resume(recovered.unsynced->journal)
                                           : journal_.open(head_.salt, head_.sequence);
  if (!opened) return opened;
  opened = context_.files.sync_directory(context_.layout.journal_directory());
  if (!opened) return opened;
  findings_ = std::move(recovered.findings);
  for (const PartitionState& state : recovered.partitions) {
    logs_.emplace(state.id, std::make_shared<PartitionLog>(shared_context_, shard_of(state.id),
                                                           state, LogOptions{}));
  }
  if (recovered.unsynced) {
    opened = resume(*recovered.unsynced);
    if (!opened) return opened;
  }
  committer_.start_behind(journal_.sequence());
  if (recovered.unsynced) checkpointer_.start_checkpoint();
  for (const auto& [id, log] : logs_) log->seal_old_segments();
  if (!sealed_segments().empty()) scrubber_.sealed();
  return {};
}

Result<void> DataStore::resume(const Unsynced& unsynced) {
  for (const auto& [id, name] : unsynced.segments) {
    auto at = logs_.find(id);
    if (at == logs_.end()) continue;
    for (const auto& segment : at->second->view()->segments) {
      if (segment->name() != name) continue;
      checkpointer_.add_dirty(at->second, std::const_pointer_cast<Segment>(segment));
    }
  }
  for (const std::string& path : unsynced.directories) checkpointer_.add_directory(path);
  return unsynced.kept.empty() ? Result<void>() : append_kept(unsynced);
}

/// Readers will see these batches, so they must be durable first; and the journal must name them
/// before it names what follows.
Result<void> DataStore::append_kept(const Unsynced& unsynced) {
  std::vector<Bytes> contents;
  FrameBuilder frame;
  for (DataEntry entry : unsynced.kept) {
    Result<file::FilePtr> file = context_.files.open(
        context_.layout.segment(entry.id, entry.segment_base, 0), file::OpenMode::read);
    if (!file) return fail(file);
    Bytes& bytes = contents.emplace_back(entry.bytes);
    Result<std::size_t> got = (*file)->read_at(entry.position, bytes);
    if (!got) return fail(got);
    entry.is_inline = true;
    frame.add(entry);
    frame.add_inline(bytes);
  }
  Result<void> written = journal_.write_beyond(frame);
  if (!written) return written;
  return journal_.file()->sync();
}

std::vector<std::shared_ptr<const Segment>> DataStore::sealed_segments() const {
  std::vector<std::shared_ptr<const Segment>> sealed;
  for (const auto& [id, log] : logs_) {
    for (const auto& segment : log->view()->segments) {
      if (segment->state().sealed) sealed.push_back(segment);
    }
  }
  return sealed;
}

Bytes DataStore::encode_state(std::uint64_t sequence) const {
  CheckpointHead head = head_;
  head.sequence = sequence;
  CheckpointWriter writer(head);
  for (const auto& [id, log] : logs_) writer.add(log->ledger().state);
  return writer.finish();
}

Result<std::shared_ptr<Log>> DataStore::log(const TopicPartition& id, const LogOptions& options) {
  if (removing_.contains(id)) {
    return fail(Errc::storage_error, "the partition of that name is still being removed");
  }
  auto at = logs_.find(id);
  if (at == logs_.end()) {
    PartitionState state;
    state.id = id;
    state.leader_epoch = head_.epoch_floor;
    auto log = std::make_shared<PartitionLog>(shared_context_, shard_of(id), state, options);
    at = logs_.emplace(id, std::move(log)).first;
  } else {
    at->second->shard().here([log = at->second, options] { log->set_options(options); });
  }
  return std::shared_ptr<Log>(at->second);
}

void DataStore::remove_log(const TopicPartition& id) {
  if (!removing_.insert(id).second) return;
  auto forget = [this, id] {
    committer_.add(RemovedEntry{id}, context_.guarded([this, id](const Result<void>& written) {
      if (written) remove_files(id);
    }));
  };
  std::shared_ptr<PartitionLog> log = find_log(id);
  if (!log) return forget();
  logs_.erase(id);
  log->ledger().is_removed = true;
  // Its shard must have stopped writing before its files go.
  Shard& shard = log->shard();
  shard.here([&shard, log, forget] {
    shard.remove(*log);
    shard.at_home(forget);
  });
}

void DataStore::remove_files(const TopicPartition& id) {
  auto job = [&files = context_.files, layout = context_.layout, id] {
    Result<void> removed = files.remove_all(layout.partition(id));
    if (!removed && removed.error().code != Errc::not_found) {
      log_warning("{}: {}", layout.partition(id), removed.error().what);
    }
    std::string topic = layout.topic(id.topic_id);
    Result<std::vector<file::DirectoryEntry>> rest = files.list(topic);
    if (rest && rest->empty()) {
      removed = files.remove_all(topic);
      if (!removed) log_warning("{}: {}", topic, removed.error().what);
    }
  };
  background_.remove(std::move(job), [this, id] { removing_.erase(id); });
}

std::vector<TopicPartition> DataStore::partitions() const {
  std::set<TopicPartition> found;
  std::set<Uuid> known;
  for (const auto& [id, log] : logs_) {
    found.insert(id);
    known.insert(id.topic_id);
  }
  Result<std::vector<file::DirectoryEntry>> topics =
      context_.files.list(context_.layout.partitions());
  if (topics) {
    for (const file::DirectoryEntry& topic : *topics) {
      std::optional<Uuid> topic_id = Uuid::from_hex(topic.name);
      // A start must not take longer the more topics there are.
      if (!topic_id || known.contains(*topic_id)) continue;
      auto entries = context_.files.list(context_.layout.topic(*topic_id));
      if (!entries) continue;
      for (const file::DirectoryEntry& entry : *entries) {
        std::optional<PartitionId> partition = parse_partition_name(entry.name);
        TopicPartition id{*topic_id, partition.value_or(PartitionId{})};
        if (partition && !removing_.contains(id)) found.insert(id);
      }
    }
  }
  return {found.begin(), found.end()};
}

void DataStore::accept_loss(const TopicPartition& id, OffsetRange range,
                            UniqueFunction<void(Result<void>)> done) {
  if (std::shared_ptr<PartitionLog> log = find_log(id)) {
    Shard& shard = log->shard();
    auto back = [&shard, done = std::move(done)](Result<void> result) mutable {
      shard.at_home([done = std::move(done), result = std::move(result)]() mutable {
        done(std::move(result));
      });
    };
    shard.here([log, range, back = std::move(back)]() mutable {
      log->accept_loss(range, std::move(back));
    });
    return;
  }
  context_.executor.post([done = std::move(done)]() mutable {
    done(fail(Errc::unknown_topic_or_partition, "the data directory has no such partition"));
  });
}

BackupPoint DataStore::begin_backup() {
  return {encode_state(committer_.finished_sequence()), background_.hold_files()};
}

void DataStore::close(UniqueFunction<void(Result<void>)> done) {
  close_ = std::move(done);
  background_.end_holds();
  committer_.close(context_.guarded([this] {
    background_.on_idle([this] { finish_close(); });
    if (background_.idle()) finish_close();
  }));
}

void DataStore::finish_close() {
  if (!close_) return;
  auto done = [this, close = std::exchange(close_, nullptr)](Result<void> result) mutable {
    if (committer_.failure()) result = tl::unexpected(*committer_.failure());
    context_.executor.post([close = std::move(close), result = std::move(result)]() mutable {
      close(std::move(result));
    });
  };
  if (committer_.failure()) {
    done({});
    return;
  }
  std::vector<std::shared_ptr<Segment>> segments;
  for (const auto& [id, log] : logs_) {
    for (const auto& segment : log->view()->segments) {
      segments.push_back(std::const_pointer_cast<Segment>(segment));
    }
  }
  // The last checkpoint is written when all is synced.
  head_.early_boot = 0;
  checkpointer_.close(std::move(segments), std::move(done));
}

}  // namespace leat::log
