#include "sim/crash_points.h"

#include <string_view>

#include "broker/catalog.h"
#include "broker/consumer_group_records.h"
#include "broker/group_records.h"
#include "broker/groups.h"
#include "broker/topic_name.h"
#include "broker/transaction_log.h"
#include "log/journal_entry.h"
#include "log/layout.h"
#include "record/batch.h"
#include "record/end_marker.h"
#include "record/record.h"

namespace leat::sim {
namespace {

using broker::TransactionState;
using file::DiskChange;
using Kind = DiskChange::Kind;

// What a path names.

std::string_view name_of(const DiskChange& change) {
  std::string_view path = change.path;
  return path.substr(path.rfind('/') + 1);
}

bool is_below(const DiskChange& change, std::string_view directory) {
  return change.path.find(directory) != std::string::npos;
}

bool is_segment(const DiskChange& change, std::string_view suffix, bool is_compacted) {
  auto name = log::parse_segment_name(name_of(change), suffix);
  return name && is_below(change, "/partitions/") && (name->version > 0) == is_compacted;
}

bool is_segment(const DiskChange& change) {
  return is_segment(change, ".log", false);
}

bool is_rolled(const DiskChange& change) {
  auto name = log::parse_segment_name(name_of(change), ".log");
  return is_segment(change) && name->base > Offset{0};
}

bool is_seal(const DiskChange& change, bool is_compacted) {
  return is_segment(change, ".seal", is_compacted);
}

bool is_of(const DiskChange& change, const TopicPartition& id) {
  return is_below(change, "/partitions/" + id.topic_id.to_hex());
}

bool is_checkpoint(const DiskChange& change) {
  return change.path.ends_with("/checkpoint") || change.path.ends_with("/checkpoint.tmp");
}

// What is written.

/// Whether `matches` a batch of what is written to a segment.
template <class Matches>
bool has_batch(const DiskChange& change, const Matches& matches) {
  if (change.kind != Kind::write || !is_segment(change)) return false;
  for (BytesView rest = change.content; !rest.empty();) {
    auto batch = record::BatchView::parse(rest);
    if (!batch) return false;
    if (matches(*batch)) return true;
    rest = rest.subspan(batch->size_bytes());
  }
  return false;
}

template <class Matches>
bool has_record(const DiskChange& change, const TopicPartition& of, const Matches& matches) {
  if (!is_of(change, of)) return false;
  return has_batch(change, [&](const record::BatchView& batch) {
    if (batch.is_control()) return false;
    record::RecordIterator records(batch);
    while (const record::Record* record = records.next()) {
      if (record->key && matches(*record)) return true;
    }
    return false;
  });
}

template <TransactionState state>
bool is_transaction(const DiskChange& change, const Seen&) {
  return has_record(change, broker::transaction_partition(), [](const record::Record& record) {
    auto transaction = broker::decode_transaction(record.value.value_or(BytesView()));
    return transaction && transaction->state == state;
  });
}

template <class Key>
bool is_group_record(const DiskChange& change, bool has_value) {
  return has_record(change, broker::group_partition(), [&](const record::Record& record) {
    auto key = broker::decode_group_key(*record.key);
    return key && std::holds_alternative<Key>(*key) && record.value.has_value() == has_value;
  });
}

/// The catalog's kinds: 1 is a topic, 3 is producer ids, 0 that a topic is deleted.
bool is_catalog_record(const DiskChange& change, int kind) {
  return has_record(change, broker::catalog_partition(), [&](const record::Record& record) {
    if (!record.value) return kind == 0;
    return record.value->size() > 2 && std::to_integer<int>((*record.value)[1]) == kind;
  });
}

template <class Entry>
bool is_journal_entry(const DiskChange& change) {
  if (change.kind != Kind::write || !is_below(change, "/journal/")) return false;
  auto header = log::FrameHeader::parse(change.content);
  if (!header) return false;
  ByteReader in(change.content.subspan(log::frame_header_bytes, header->entries_bytes));
  for (std::uint32_t i = 0; i < header->entry_count && in.ok(); ++i) {
    auto entry = log::read_entry(in);
    if (entry && std::holds_alternative<Entry>(*entry)) return true;
  }
  return false;
}

// The points.

constexpr CrashPoint log_points[] = {
    {"a segment is made",
     [](const DiskChange& c, const Seen&) { return c.kind == Kind::create && is_segment(c); }},
    {"a segment's first batch",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::write && c.position == 0 && is_segment(c);
     }},
    {"a segment is rolled",
     [](const DiskChange& c, const Seen&) { return c.kind == Kind::create && is_rolled(c); }},
    {"a segment is synced",
     [](const DiskChange& c, const Seen&) { return c.kind == Kind::sync && is_segment(c); }},
    {"a partition's directory is synced",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::sync_directory && is_below(c, "/partitions/");
     }},
    {"an index is written",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::write && c.path.ends_with(".index");
     }},
    {"a seal is begun",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::create && c.path.ends_with(".seal.tmp");
     }},
    {"a seal gets its name",
     [](const DiskChange& c, const Seen&) { return c.kind == Kind::rename && is_seal(c, false); }},
    {"a commit is written to the journal",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::write && is_below(c, "/journal/");
     }},
    {"the journal is used again",
     [](const DiskChange& c, const Seen& seen) {
       return c.kind == Kind::write && c.position == 0 && is_below(c, "/journal/") &&
              seen.journal_frame;
     }},
    {"a checkpoint is begun",
     [](const DiskChange& c, const Seen&) { return c.kind == Kind::truncate && is_checkpoint(c); }},
    {"a checkpoint is synced",
     [](const DiskChange& c, const Seen&) { return c.kind == Kind::sync && is_checkpoint(c); }},
    {"a checkpoint gets its name",
     [](const DiskChange& c, const Seen&) { return c.kind == Kind::rename && is_checkpoint(c); }},
    {"a log's start moves",
     [](const DiskChange& c, const Seen&) { return is_journal_entry<log::StartEntry>(c); }},
    {"a segment below the start is removed",
     [](const DiskChange& c, const Seen&) { return c.kind == Kind::remove && is_segment(c); }},
    {"a partition is removed",
     [](const DiskChange& c, const Seen&) { return is_journal_entry<log::RemovedEntry>(c); }},
    {"recovery begins",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::write && c.path.ends_with("/recovering");
     },
     Doing::opening},
    {"recovery puts bytes aside",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::write && is_below(c, "/quarantine/");
     },
     Doing::opening},
    {"recovery cuts a segment",
     [](const DiskChange& c, const Seen&) { return c.kind == Kind::truncate && is_segment(c); },
     Doing::opening},
    {"recovery writes what the journal has",
     [](const DiskChange& c, const Seen&) { return c.kind == Kind::write && is_segment(c); },
     Doing::opening},
    {"recovery syncs a segment",
     [](const DiskChange& c, const Seen&) { return c.kind == Kind::sync && is_segment(c); },
     Doing::opening},
    {"recovery's checkpoint gets its name",
     [](const DiskChange& c, const Seen&) { return c.kind == Kind::rename && is_checkpoint(c); },
     Doing::opening},
    {"recovery goes on in the journal",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::write && is_below(c, "/journal/");
     },
     Doing::opening},
    {"recovery ends",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::remove && c.path.ends_with("/recovering");
     },
     Doing::opening},
};

constexpr CrashPoint broker_points[] = {
    {"a topic's record is written",
     [](const DiskChange& c, const Seen&) { return is_catalog_record(c, 1); },
     Doing::creating_topic},
    {"a topic's directory is made",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::make_directory && is_below(c, "/partitions/");
     }},
    {"partitions are added",
     [](const DiskChange& c, const Seen&) { return is_catalog_record(c, 1); },
     Doing::adding_partitions},
    {"settings are changed",
     [](const DiskChange& c, const Seen&) { return is_catalog_record(c, 1); },
     Doing::altering_topic},
    {"a topic's deletion is written",
     [](const DiskChange& c, const Seen&) { return is_catalog_record(c, 0); },
     Doing::deleting_topic},
    {"a deleted topic's partitions go",
     [](const DiskChange& c, const Seen&) { return is_journal_entry<log::RemovedEntry>(c); },
     Doing::deleting_topic},
    {"a deleted topic's files go",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::remove && is_below(c, "/partitions/");
     },
     Doing::deleting_topic},
    {"DeleteRecords moves a start",
     [](const DiskChange& c, const Seen&) { return is_journal_entry<log::StartEntry>(c); },
     Doing::deleting_records},
    {"an offset is committed",
     [](const DiskChange& c, const Seen&) { return is_group_record<broker::OffsetKey>(c, true); }},
    {"the offsets of a deleted topic go",
     [](const DiskChange& c, const Seen&) { return is_group_record<broker::OffsetKey>(c, false); }},
};

constexpr CrashPoint producer_points[] = {
    {"producer ids are reserved",
     [](const DiskChange& c, const Seen&) { return is_catalog_record(c, 3); }},
    {"InitProducerId", is_transaction<TransactionState::empty>},
    {"partitions join a transaction", is_transaction<TransactionState::ongoing>},
    {"a transaction's batch",
     [](const DiskChange& c, const Seen&) {
       return !is_of(c, broker::group_partition()) && has_batch(c, [](const auto& batch) {
         return batch.is_transactional() && !batch.is_control();
       });
     }},
    {"a transaction's offsets",
     [](const DiskChange& c, const Seen&) {
       return is_of(c, broker::group_partition()) && has_batch(c, [](const auto& batch) {
                return batch.is_transactional() && !batch.is_control();
              });
     }},
    {"a commit is prepared", is_transaction<TransactionState::prepare_commit>},
    {"an abort is prepared", is_transaction<TransactionState::prepare_abort>},
    {"a marker",
     [](const DiskChange& c, const Seen&) {
       return !is_of(c, broker::group_partition()) &&
              has_batch(c, [](const auto& batch) { return batch.is_control(); });
     }},
    {"the marker behind offsets",
     [](const DiskChange& c, const Seen&) {
       return is_of(c, broker::group_partition()) &&
              has_batch(c, [](const auto& batch) { return batch.is_control(); });
     }},
    {"a commit is complete", is_transaction<TransactionState::complete_commit>},
    {"an abort is complete", is_transaction<TransactionState::complete_abort>},
};

/// The topics of epochs have ids that begin alike (broker/own_topics.h).
bool is_of_epochs(const DiskChange& change) {
  return is_below(change, "/partitions/6c6561742d2a");
}

template <bool is_record>
bool is_of_epoch(const DiskChange& change, const Seen&) {
  return is_of_epochs(change) == is_record && has_batch(change, [](const auto& batch) {
           return batch.is_transactional() && !batch.is_control();
         });
}

template <bool is_record, bool is_commit>
bool is_end_of_epoch(const DiskChange& change, const Seen&) {
  return is_of_epochs(change) == is_record && has_batch(change, [](const auto& batch) {
           auto marker = record::parse_end_marker(batch);
           return marker && marker->is_commit == is_commit;
         });
}

constexpr CrashPoint epoch_points[] = {
    {"an owner's topic is made",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::make_directory && is_of_epochs(c);
     }},
    {"an epoch's output", is_of_epoch<false>},
    {"an epoch's record", is_of_epoch<true>},
    {"the commit behind an epoch's output", is_end_of_epoch<false, true>},
    {"the commit behind an epoch's record", is_end_of_epoch<true, true>},
    {"the abort behind an epoch's output", is_end_of_epoch<false, false>},
    {"the abort behind an epoch's record", is_end_of_epoch<true, false>},
    {"an epoch is synced",
     [](const DiskChange& c, const Seen& seen) {
       return c.kind == Kind::sync && is_below(c, "/journal/") && seen.epoch;
     }},
};

constexpr CrashPoint compaction_points[] = {
    {"a compacted segment is made",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::create && is_segment(c, ".log", true);
     }},
    {"a compacted segment is written",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::write && is_segment(c, ".log", true);
     }},
    {"a compacted segment is synced",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::sync && is_segment(c, ".log", true);
     }},
    {"a compacted segment's seal gets its name",
     [](const DiskChange& c, const Seen&) { return c.kind == Kind::rename && is_seal(c, true); }},
    {"the directory of a compacted segment is synced",
     [](const DiskChange& c, const Seen& seen) {
       return c.kind == Kind::sync_directory && is_below(c, "/partitions/") && seen.new_version;
     }},
    {"the checkpoint that names a compacted segment is begun",
     [](const DiskChange& c, const Seen& seen) {
       return c.kind == Kind::truncate && is_checkpoint(c) && seen.new_version;
     }},
    {"the checkpoint that names a compacted segment gets its name",
     [](const DiskChange& c, const Seen& seen) {
       return c.kind == Kind::rename && is_checkpoint(c) && seen.new_version;
     }},
    {"a segment that was compacted is removed",
     [](const DiskChange& c, const Seen& seen) {
       return c.kind == Kind::remove && is_segment(c) && seen.new_version;
     }},
    {"a segment that was compacted twice is removed",
     [](const DiskChange& c, const Seen& seen) {
       return c.kind == Kind::remove && is_segment(c, ".log", true) && seen.new_version;
     }},
    {"a file that a crash has left is removed",
     [](const DiskChange& c, const Seen& seen) {
       return c.kind == Kind::remove && c.path.ends_with(".log") && !seen.new_version;
     }},
    {"a compacted log's start moves",
     [](const DiskChange& c, const Seen&) { return is_journal_entry<log::StartEntry>(c); }},
};

using ConsumerKind = broker::ConsumerGroupKey::Kind;

template <ConsumerKind kind, bool has_value>
bool is_consumer_record(const DiskChange& change, const Seen&) {
  return has_record(change, broker::group_partition(), [](const record::Record& record) {
    auto key = broker::decode_group_key(*record.key);
    if (!key || record.value.has_value() != has_value) return false;
    const auto* of_group = std::get_if<broker::ConsumerGroupKey>(&*key);
    return of_group != nullptr && of_group->kind == kind;
  });
}

constexpr CrashPoint group_points[] = {
    {"the topic of groups is written",
     [](const DiskChange& c, const Seen&) {
       return has_record(c, broker::catalog_partition(), [](const record::Record& record) {
         return as_text(record.value.value_or(BytesView())).find(broker::group_topic) !=
                std::string_view::npos;
       });
     }},
    {"the topic of groups gets its directory",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::make_directory && is_of(c, broker::group_partition());
     }},
    {"a generation's assignment",
     [](const DiskChange& c, const Seen&) { return is_group_record<broker::GroupKey>(c, true); }},
    {"a member's commit",
     [](const DiskChange& c, const Seen&) { return is_group_record<broker::OffsetKey>(c, true); }},
    {"a commit is synced",
     [](const DiskChange& c, const Seen& seen) {
       return c.kind == Kind::sync && is_below(c, "/journal/") && seen.group_commit;
     }},
    {"offsets are deleted",
     [](const DiskChange& c, const Seen&) { return is_group_record<broker::OffsetKey>(c, false); }},
    {"a group is deleted",
     [](const DiskChange& c, const Seen&) { return is_group_record<broker::GroupKey>(c, false); }},
    {"a group's epoch", is_consumer_record<ConsumerKind::group, true>},
    {"a member of the new protocol", is_consumer_record<ConsumerKind::member, true>},
    {"a target", is_consumer_record<ConsumerKind::target, true>},
    {"a member's assignment", is_consumer_record<ConsumerKind::current, true>},
    {"a member of the new protocol goes", is_consumer_record<ConsumerKind::member, false>},
    {"a group of the new protocol is deleted", is_consumer_record<ConsumerKind::group, false>},
};

// What runs of pipelines keep beside topics.

bool is_of_snapshot(const DiskChange& change, std::string_view ending) {
  return is_below(change, "/pipelines/") && change.path.ends_with(ending);
}

bool is_of_commit_folder(const DiskChange& change) {
  return is_below(change, "/.leat/");
}

constexpr CrashPoint pipeline_points[] = {
    {"an epoch's output", is_of_epoch<false>},
    {"an epoch's record", is_of_epoch<true>},
    {"an epoch is synced",
     [](const DiskChange& c, const Seen& seen) {
       return c.kind == Kind::sync && is_below(c, "/journal/") && seen.epoch;
     }},
    {"the commit behind an epoch's output", is_end_of_epoch<false, true>},
    {"the commit behind an epoch's record", is_end_of_epoch<true, true>},
    {"rows are written for files",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::write && is_of_commit_folder(c);
     }},
    {"rows for files are synced",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::sync && is_of_commit_folder(c);
     }},
    {"an epoch's folder gets its name",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::rename && is_of_commit_folder(c);
     }},
    {"the name of an epoch's folder is synced",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::sync_directory && c.path.ends_with("/.leat");
     }},
    {"a file of an epoch is moved to its place",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::rename && !is_of_commit_folder(c) && name_of(c).starts_with("rows-");
     }},
    {"the place of files is synced",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::sync_directory && c.path.starts_with("/out") && !is_below(c, ".leat");
     }},
    {"an epoch's folder is removed",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::remove && is_of_commit_folder(c);
     }},
    {"a snapshot is begun",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::create && is_of_snapshot(c, ".aside");
     }},
    {"a snapshot is written",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::write && is_of_snapshot(c, ".aside");
     }},
    {"a snapshot is synced",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::sync && is_of_snapshot(c, ".aside");
     }},
    {"a snapshot gets its name",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::rename && is_of_snapshot(c, ".snapshot");
     }},
    {"the name of a snapshot is synced",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::sync_directory && is_below(c, "/pipelines/");
     }},
    {"an old snapshot is removed",
     [](const DiskChange& c, const Seen&) {
       return c.kind == Kind::remove && is_of_snapshot(c, ".snapshot");
     }},
};

/// A pipeline's record, which has its versions' roles.
bool is_pipeline_record(const DiskChange& change, const Seen&) {
  return has_batch(change, [](const record::BatchView& batch) {
    if (batch.is_control()) return false;
    record::RecordIterator records(batch);
    while (const record::Record* record = records.next()) {
      if (record->value && as_text(*record->value).find("\"role\"") != std::string_view::npos) {
        return true;
      }
    }
    return false;
  });
}

constexpr CrashPoint promotion_points[] = {
    {"a promotion's record", is_pipeline_record, Doing::promoting},
    {"a promotion's record is synced",
     [](const DiskChange& c, const Seen& seen) {
       return c.kind == Kind::sync && is_below(c, "/journal/") && seen.pipeline;
     },
     Doing::promoting},
};

}  // namespace

std::span<const CrashPoint> points_of(Story story) {
  switch (story) {
    case Story::log: return log_points;
    case Story::broker: return broker_points;
    case Story::producers: return producer_points;
    case Story::epochs: return epoch_points;
    case Story::compaction: return compaction_points;
    case Story::groups: return group_points;
    case Story::pipelines: return pipeline_points;
    case Story::promotions: return promotion_points;
  }
  return {};
}

Crasher::Crasher(file::FakeFileSystem& files, const CrashPoint* point, std::uint64_t seed)
    : files_(files), point_(point), random_(seed) {
  if (point_ == nullptr) return;
  files_.watch_changes([this](const DiskChange& change) { look_at(change); });
}

Crasher::~Crasher() {
  if (point_ != nullptr) files_.watch_changes(nullptr);
}

void Crasher::begin_life() {
  seen_ = {};
  is_over_ = false;
  skip_ = random_.one_in(2) ? 0 : random_.below(5);
  now(Doing::opening);
}

void Crasher::now(Doing doing) {
  doing_ = doing;
  if (doing_ != Doing::opening) openings_ = 0;
}

void Crasher::stop_after(std::uint64_t changes) {
  bool is_at_point =
      point_ != nullptr && (point_->while_doing == Doing::opening) == (doing_ == Doing::opening);
  if (!is_at_point) files_.stop_after(changes);
}

void Crasher::look_at(const DiskChange& change) {
  bool is_opening = doing_ == Doing::opening;
  bool counts =
      point_->while_doing == Doing::anything ? !is_opening : point_->while_doing == doing_;
  bool may_die = !is_over_ && (is_opening ? openings_ < openings_max : !is_end_);
  if (counts && may_die && point_->is_here(change, seen_) && skip_-- == 0) {
    is_over_ = true;
    if (is_opening) ++openings_;
    ++times_;
    files_.stop_after(random_.one_in(2) ? 0 : random_.below(5));
  }
  if (change.kind == Kind::write && is_below(change, "/journal/")) seen_.journal_frame = true;
  if (change.kind == Kind::rename && is_seal(change, true)) seen_.new_version = true;
  if (change.kind == Kind::write && is_segment(change)) {
    seen_.group_commit = is_group_record<broker::OffsetKey>(change, true);
    seen_.epoch = is_of_epoch<true>(change, seen_);
    seen_.pipeline = is_pipeline_record(change, seen_);
  }
}

}  // namespace leat::sim
