// What the clients of a broker were told, over all its lives, and what follows from it.
//
// A client promises itself nothing of the server's inside: all it knows is which requests it sent,
// what was answered, and in what order. From that alone:
//
//  - What was acknowledged is at the offset that was named, whole, and nowhere else.
//  - What one client has read, every client reads at that offset, for as long as the topic lives.
//  - A batch is there at most once, and only if somebody sent it to this partition.
//  - What was refused is not there, unless a disk that failed gives it back after a restart.
//  - High watermark, log start and leader epoch never go back: not below what anybody was told
//    before the request was sent that is now answered.
//  - A topic whose creation was acknowledged is listed, one whose deletion was is not. The same for
//    partitions that were added, and for settings.
//  - A log holds no more than was sent to it, so that a new one begins empty.
//  - Where a leader epoch ended lies behind all that was read of it, and before all of later ones.
//
// Where appends are acknowledged before they are synced, a power cut takes all of this back but the
// leader epoch: another batch at an offset that somebody has read is of a higher one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/uuid.h"
#include "record/batch.h"

namespace leat::sim {

/// A batch that one request has tried to append. A retry is another attempt.
struct Attempt {
  enum class Outcome { pending, acknowledged, unknown, refused };
  TopicPartition to;
  std::vector<std::int64_t> timestamps_ms;  // one a record
  Outcome outcome = Outcome::pending;
  std::optional<std::int64_t> base;  // where it was acknowledged or seen
  std::int64_t floor = 0;            // of the high watermark, when it was sent
  bool may_return = false;           // refused, by a disk that may have it all the same
  std::uint64_t life = 0;            // in which it was sent
  bool is_stray = false;             // it may reach another topic that got the name of its own

  std::int64_t records() const { return static_cast<std::int64_t>(timestamps_ms.size()); }
};

/// What is known of one partition.
struct PartitionHistory {
  struct Batch {
    std::uint64_t attempt = 0;
    std::int64_t next = 0;
    std::int32_t epoch = -1;  // unknown until it was read
    bool is_promised = true;
  };
  std::map<std::int64_t, Batch> batches;  // by base offset; those acknowledged or read
  std::int64_t high_watermark = 0;
  std::int64_t start = 0;
  std::int64_t start_asked = 0;
  std::int64_t records_sent = 0;
  std::int32_t leader_epoch = -1;
};

using Configs = std::map<std::string, std::string>;

struct TopicHistory {
  std::string name;
  std::int32_t partitions = 0;          // for certain
  std::int32_t partitions_listed = 0;   // by this life of the server
  std::int32_t partitions_asked = 0;    // for, at most
  std::int32_t partitions_created = 0;  // with which it began
  std::uint64_t partitions_life = 0;    // in which more were asked for
  bool retires = false;                 // it has, or had, a retention
  /// The settings that it may have, and all that it was ever to have.
  std::vector<Configs> configs;
  std::vector<Configs> configs_ever;
  std::uint64_t configs_life = 0;  // in which they were changed
  /// Its creation was acknowledged, or survived a restart. A topic is listed even before that.
  bool is_promised = false;
  bool is_listed = true;   // by this life of the server
  std::uint64_t life = 0;  // in which it was first heard of
  int deletions_asked = 0;
  bool is_deleted = false;
};

class History {
 public:
  /// Whether what is acknowledged is on disk.
  explicit History(bool is_durable) : is_durable_(is_durable) {}

  // Each tells what is wrong with what a client has seen as a sentence; empty is fine.

  /// A batch is about to be sent. Its number stands in its records' values: text_of().
  std::uint64_t send(const TopicPartition& to, std::vector<std::int64_t> timestamps_ms);
  static std::string text_of(std::uint64_t attempt, std::size_t record);
  std::string acknowledged(std::uint64_t attempt, std::int64_t base);
  void refused(std::uint64_t attempt, bool may_return);
  void unknown(std::uint64_t attempt);

  std::string read(const TopicPartition& from, const record::BatchView& batch);
  /// `floor` is what was known when the request was sent.
  std::string told_high_watermark(const TopicPartition& of, std::int64_t told, std::int64_t floor);
  std::string told_start(const TopicPartition& of, std::int64_t told, std::int64_t floor);
  std::string told_epoch(const TopicPartition& of, std::int32_t told);
  /// A lookup by time gave that offset, or none (-1), of what lies below `floor` at least.
  std::string found_time(const TopicPartition& in, std::int64_t asked_ms, std::int64_t offset,
                         std::int64_t told_ms, std::int64_t floor);
  const Attempt& attempt(std::uint64_t number) const { return attempts_[number]; }
  /// One past its last record if it was acknowledged, else 0.
  std::int64_t end_of(std::uint64_t number) const;

  /// Where an epoch ended, as told; `floor` is what was known when it was asked for.
  std::string told_epoch_end(const TopicPartition& of, std::int32_t asked, std::int32_t told,
                             std::int64_t end, std::int64_t floor);

  void create_asked(const std::string& name, std::int32_t partitions, bool retires,
                    const Configs& configs);
  /// A topic's name is given to another while batches may be on their way to it.
  void name_reused(const Uuid& id);
  void partitions_asked(const Uuid& id, std::int32_t count);
  void partitions_made(const Uuid& id, std::int32_t count);
  void partitions_refused(const Uuid& id);
  void configs_asked(const Uuid& id, const Configs& configs);
  void configs_altered(const Uuid& id, const Configs& configs);
  /// `before` is what the topic might have when it was asked.
  std::string told_configs(const Uuid& id, const Configs& told, const std::vector<Configs>& before,
                           std::uint64_t asked_in_life);
  std::string created(const std::string& name, const Uuid& id);
  /// The server starts anew: what it listed before it was durable may be gone.
  void begin_life();
  std::string deleted(const Uuid& id);
  /// What a listing must have and may not have, as known when it was asked for.
  struct Listing {
    std::set<Uuid> must_have;
    std::set<Uuid> must_not_have;
    std::map<Uuid, std::int32_t> partitions;  // at least
  };
  Listing expect_listing() const;
  struct Listed {
    Uuid id;
    std::string name;
    std::int32_t partitions = 0;
  };
  std::string listed(const Listing& expected, const std::vector<Listed>& topics);

  /// Everything that is on record must be among the bases that were read, from `start` on.
  std::string check_complete(const TopicPartition& of, std::int64_t start,
                             const std::set<std::int64_t>& bases) const;
  /// The power was cut: what nobody had synced may be gone.
  void power_lost();

  PartitionHistory& partition(const TopicPartition& id) { return partitions_[id]; }
  std::map<Uuid, TopicHistory>& topics() { return topics_; }
  /// Whether a topic of that name may be made: none is there, for all that is known.
  bool is_free(const std::string& name) const;
  /// Whether no other topic may have its name.
  bool is_only_one_named(const Uuid& id) const;
  /// Whether a topic of that name may be there.
  bool may_be_taken(const std::string& name) const;
  /// Whether it may be asked for, and whether it must then be there.
  bool is_usable(const Uuid& id) const;
  bool is_certain(const Uuid& id) const;
  bool is_certain(const TopicPartition& id) const;
  std::uint64_t life() const { return life_; }
  /// Whether records below `offset` may be gone because somebody wanted it.
  bool may_start_at(const TopicPartition& id, std::int64_t offset);

 private:
  struct Wanted {
    std::int32_t partitions = 0;
    bool retires = false;
    Configs configs;
    std::vector<std::uint64_t> strays;
  };
  std::string learn(const std::string& name, const Uuid& id);
  std::string place(std::uint64_t number, std::int64_t base, std::int32_t epoch);

  bool is_durable_;
  std::uint64_t life_ = 0;
  std::vector<Attempt> attempts_;
  std::map<TopicPartition, PartitionHistory> partitions_;
  std::map<Uuid, TopicHistory> topics_;
  std::map<std::string, Wanted> wanted_;  // creations whose outcome is not known
  std::map<std::string, std::vector<std::uint64_t>> strays_;  // by the name that is to be reused
};

}  // namespace leat::sim
