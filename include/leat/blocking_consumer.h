// Reading records without an event loop. Begin with blocking.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "leat/callback.h"
#include "leat/cluster.h"
#include "leat/options.h"
#include "leat/record.h"
#include "leat/records.h"

namespace leat::blocking {

/// Reads partitions, in each of them in order: those that a group shares out among its members, or
/// those that it is given by hand. Either subscribe() or assign(), before polling: with neither,
/// polling ends with ClientError::invalid_state; with both, everything with invalid_argument.
///
///   leat::blocking::Consumer consumer({.brokers = "localhost:9092"}, {.group = "billing"});
///   consumer.subscribe({"orders"});
///   while (true) {
///     leat::Records records = consumer.poll();
///     for (const leat::InRecord& record : records) ...
///   }
///
/// Polling again says that what the poll before gave is done with. With
/// ConsumerOptions::auto_commit, which is on by default, that is committed every
/// auto_commit_interval, before partitions are given back, and by close(): so each record is
/// processed at least once.
///
/// Callbacks of the options are called by poll() and close(), on the thread that called these, so
/// they share its variables without a lock. Anything of the object may be called in them but poll()
/// and close(), which throw ClientError::invalid_state there: commit() in on_revoked, or seek() in
/// on_assigned. They must not throw.
///
/// Memory: ConsumerOptions::prefetch_bytes that were fetched and not polled, the answers under way
/// when that is reached, and what Records hold.
///
/// Thread-safe, but for moving and destroying.
class Consumer {
 public:
  explicit Consumer(ClientOptions options, ConsumerOptions consumer_options = {});
  /// Waits for no broker, commits nothing and does not leave the group, which misses it after its
  /// session: close() first. No call may be under way.
  ~Consumer();
  Consumer(Consumer&&) noexcept;
  Consumer& operator=(Consumer&&) noexcept;

  /// Joins the group of the options, for those topics. Once.
  void subscribe(std::vector<std::string> topics);
  /// Reads those partitions from those offsets on, and no others; of those that it was given before
  /// nothing more.
  void assign(std::vector<PartitionOffset> positions);

  /// Waits until there is at least one record. One at a time: ClientError::invalid_state for a
  /// second one.
  Records poll();
  /// Waits for no longer than that: Records are empty then. With 0, what was fetched already is
  /// given.
  Records poll(std::chrono::milliseconds timeout);

  /// Commits that all that was polled is done with. Fails where the group has gone on without this
  /// member: somebody else reads that again. Of partitions that are assigned by hand nothing is
  /// committed: ClientError::invalid_state.
  void commit();
  /// Commits those offsets, which are those of the records that come next, of partitions that are
  /// ours.
  void commit_offsets(std::vector<CommittedOffset> offsets);
  /// What the group has committed, by partition.
  std::vector<CommittedOffset> committed();

  // These take effect before whatever is called after them. Of a partition that is not ours they
  // have none.

  /// Polling goes on at that offset.
  void seek(const PartitionOffset& position);
  /// Polling goes on at the first record with that timestamp or a later one.
  void seek(const Partition& partition, Timestamp time);
  /// Nothing of it is polled until resume(). It stays ours.
  void pause(const Partition& partition);
  void resume(const Partition& partition);

  /// Of the record that polling gives next; null for a partition that is not ours, or whose
  /// position is not known yet.
  std::optional<std::int64_t> position(const Partition& partition);
  /// The partitions that are ours.
  std::vector<Partition> assignment();
  /// For Producer::send_offsets(). Waits while the group shares partitions out. Fails where it has
  /// gone on without this member: somebody else reads again what was polled.
  GroupMetadata group_metadata();

  /// Says that all that was polled is done with, commits that, if it happens automatically, gives
  /// its partitions back, leaves the group, and closes.
  void close();

 private:
  struct Inside;
  detail::Owned<Inside> inside_;
};

}  // namespace leat::blocking
