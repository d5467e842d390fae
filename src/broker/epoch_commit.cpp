#include "broker/epoch_commit.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "broker/broker.h"
#include "broker/topic_name.h"
#include "record/batch.h"

namespace leat::broker {
namespace {

/// Commits of the journal are held up for the sake of one of at most so many bytes: to check more
/// of them takes the shards a while, and another sync counts for less.
constexpr std::size_t held_bytes_max = std::size_t{256} << 10;
/// A shard checks and appends so much at a time.
constexpr std::size_t turn_bytes_max = held_bytes_max;

}  // namespace

struct EpochCommit::Target {
  std::shared_ptr<Partition> partition;
  std::vector<Bytes> batches;
  EpochPlace place;
  bool is_durable = false;  // something of it
};

/// The partitions of one shard. Belongs to it while it is asked something.
struct EpochCommit::Group : std::enable_shared_from_this<Group> {
  Executor* executor = nullptr;
  std::vector<Target> targets;
  bool must_load = false;
  std::size_t left = 0;
  std::optional<Error> error;

  using Tell = UniqueFunction<void()>;
  /// Calls `told` when all know their producers.
  void load(Tell told) {
    auto shared = std::make_shared<Tell>(std::move(told));
    left = targets.size();
    for (Target& target : targets) {
      target.partition->load_producers(
          [self = shared_from_this(), shared](const Result<void>& loaded) {
            if (!loaded && !self->error) self->error = loaded.error();
            if (--self->left == 0) (*shared)();
          });
    }
  }

  /// Appends until one is refused; then, perhaps at once, calls `placed`, and later `settled`, when
  /// all that was appended is durable or has failed.
  void place(Tell placed, Tell settled) {
    left = 1;  // so that it is not over before all are asked
    auto placing = std::make_shared<Placing>();
    placing->placed = std::move(placed);
    placing->settled = std::move(settled);
    place_some(placing);
  }

  std::vector<EpochPlace> places() const {
    std::vector<EpochPlace> all;
    for (const Target& target : targets) all.push_back(target.place);
    return all;
  }
  std::vector<EpochPlace> durable_places() const {
    std::vector<EpochPlace> all;
    for (const Target& target : targets) {
      if (target.is_durable) all.push_back(target.place);
    }
    return all;
  }

 private:
  struct Placing {
    Tell placed;
    Tell settled;
    std::size_t target = 0;
    std::size_t batch = 0;
  };

  /// A turn's worth, so that the shard has time for others.
  void place_some(const std::shared_ptr<Placing>& placing) {
    std::size_t bytes = 0;
    while (!error && placing->target < targets.size()) {
      Target& target = targets[placing->target];
      if (placing->batch == target.batches.size()) {
        ++placing->target;
        placing->batch = 0;
        continue;
      }
      if (bytes > turn_bytes_max) {
        return executor->post([self = shared_from_this(), placing] { self->place_some(placing); });
      }
      Bytes batch = std::move(target.batches[placing->batch++]);
      bytes += batch.size();
      place(target, std::move(batch), placing);
    }
    executor->post([self = shared_from_this(), placing] { self->settle_one(*placing); });
    placing->placed();
  }

  void place(Target& target, Bytes bytes, const std::shared_ptr<Placing>& placing) {
    auto owner = std::make_shared<Bytes>(std::move(bytes));
    auto batch = target.partition->check_epoch(owner, *owner);
    if (!batch) {
      error = batch.error();
      return;
    }
    std::int32_t records = batch->record_count;
    auto done = [self = shared_from_this(), &target, placing](const Result<Offset>& at) {
      if (at) {
        target.is_durable = true;
      } else if (!self->error) {
        self->error = at.error();
      }
      self->settle_one(*placing);
    };
    auto base = target.partition->place(std::move(*batch), std::move(done));
    if (!base) {
      error = base.error();
      return;
    }
    ++left;
    target.place.next_offset = *base + records;
  }

  void settle_one(Placing& placing) {
    if (--left == 0) placing.settled();
  }
};

EpochCommit::EpochCommit(Broker& broker, std::shared_ptr<Partition> topic, Epoch epoch,
                         std::shared_ptr<std::set<TopicPartition>> loaded)
    : broker_(broker),
      topic_(std::move(topic)),
      epoch_(std::move(epoch)),
      loaded_(std::move(loaded)) {}

void EpochCommit::start(Done done) {
  done_ = std::move(done);
  if (auto found = find_targets(); !found) {
    outcome_.error = found.error();
    return broker_.executor().post([self = shared_from_this()] { self->finish(); });
  }
  load();
}

Result<void> EpochCommit::find_targets() {
  std::map<TopicPartition, std::vector<Bytes>> batches;
  std::map<TopicPartition, std::int32_t> last_sequences;
  for (EpochWriter::Output& output : epoch_.output) {
    auto view = record::BatchView::parse(output.batch);
    ASSERT(view && view->has_producer_id());
    output_bytes_ += output.batch.size();
    last_sequences[output.partition] = view->last_sequence();
    batches[output.partition].push_back(std::move(output.batch));
  }
  auto topics = broker_.topics();
  std::map<Executor*, std::shared_ptr<Group>> groups;
  for (auto& [where, theirs] : batches) {
    TopicPtr topic = topics->find(where.topic_id);
    auto partition = topic ? topic->partition(where.partition) : nullptr;
    if (!partition) {
      return fail(Errc::unknown_topic_or_partition,
                  fmt::format("there is no partition {} of topic {} any more",
                              where.partition.value(), where.topic_id.to_hex()));
    }
    if (is_internal_topic(topic->info.name)) {
      return fail(Errc::invalid_topic, fmt::format("{} is the server's own", topic->info.name));
    }
    auto& group = groups[&partition->executor()];
    if (!group) group = std::make_shared<Group>();
    group->executor = &partition->executor();
    group->must_load = group->must_load || !loaded_->contains(where);
    EpochPlace place{where, epoch_.number, last_sequences[where], Offset{0}};
    group->targets.push_back({std::move(partition), std::move(theirs), place});
  }
  for (auto& [executor, group] : groups) groups_.push_back(group);
  return {};
}

void EpochCommit::load() {
  Executor& home = broker_.executor();
  unloaded_ = 1;
  for (const auto& group : groups_) {
    if (!group->must_load) continue;
    ++unloaded_;
    group->executor->post([self = shared_from_this(), group, &home] {
      group->load([self, group, &home] {
        home.post([self, error = std::exchange(group->error, {})] { self->loaded(error); });
      });
    });
  }
  loaded({});
}

void EpochCommit::loaded(const std::optional<Error>& error) {
  note(error);
  if (--unloaded_ > 0) return;
  if (outcome_.error) return finish();
  for (const auto& group : groups_) {
    for (const Target& target : group->targets) loaded_->insert(target.place.partition);
  }
  place();
}

void EpochCommit::place() {
  Executor& home = broker_.executor();
  auto is_remote = [&home](const auto& group) { return group->executor != &home; };
  bool has_remote = std::any_of(groups_.begin(), groups_.end(), is_remote);
  if (has_remote && output_bytes_ <= held_bytes_max) hold_ = broker_.store().hold_commits();
  // One more each, for home.
  unplaced_ = groups_.size() + 1;
  unsettled_ = groups_.size() + 1;
  for (const auto& group : groups_) {
    auto settled = [self = shared_from_this(), group, &home] {
      home.post([self, places = group->durable_places(), error = group->error] {
        self->settled(places, error);
      });
    };
    if (!is_remote(group)) {
      group->place(
          [self = shared_from_this(), group] { self->placed(group->places(), group->error); },
          std::move(settled));
      continue;
    }
    auto placed = [self = shared_from_this(), group, &home] {
      // Behind the shard's own turn, in which it gives home what the next commit takes.
      group->executor->post([self, &home, places = group->places(), error = group->error] {
        home.post([self, places, error] { self->placed(places, error); });
      });
    };
    group->executor->post(
        [group, placed = std::move(placed), settled = std::move(settled)]() mutable {
          group->place(std::move(placed), std::move(settled));
        });
  }
  placed({}, {});
}

void EpochCommit::placed(const std::vector<EpochPlace>& places, const std::optional<Error>& error) {
  note(error);
  places_.insert(places_.end(), places.begin(), places.end());
  if (--unplaced_ > 0) return;
  if (!outcome_.error) append_record();
  hold_.reset();
  settled({}, {});
}

void EpochCommit::append_record() {
  EpochRecord record{epoch_.producer, epoch_.record_sequence, broker_.clock().wall_ms()};
  EpochEnvelope envelope{epoch_.number, places_, epoch_.ended};
  auto bytes = std::make_shared<Bytes>(build_epoch_record(record, epoch_.record, envelope));
  EpochPlace place{topic_->log().id(), epoch_.number, epoch_.record_sequence, Offset{0}};
  auto done = [self = shared_from_this(), place](const Result<Offset>& at) mutable {
    if (at) {
      place.next_offset = *at + 1;
      self->outcome_.record = place;
    }
    self->settled({}, at ? std::nullopt : std::optional(at.error()));
  };
  ++unsettled_;
  auto base = topic_->place({bytes, MutableBytes(*bytes), 1, record.timestamp_ms}, std::move(done));
  if (base) return;
  --unsettled_;
  note(base.error());
}

void EpochCommit::settled(const std::vector<EpochPlace>& places,
                          const std::optional<Error>& error) {
  note(error);
  outcome_.places.insert(outcome_.places.end(), places.begin(), places.end());
  if (--unsettled_ == 0) finish();
}

void EpochCommit::note(const std::optional<Error>& error) {
  if (error && !outcome_.error) outcome_.error = error;
}

void EpochCommit::finish() {
  std::exchange(done_, nullptr)(std::move(outcome_));
}

}  // namespace leat::broker
