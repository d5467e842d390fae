// Reading records. Begin with client.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "leat/cluster.h"
#include "leat/completion.h"
#include "leat/options.h"
#include "leat/records.h"

namespace leat {

namespace client {
class ConsumerHandle;
}
namespace blocking {
class Consumer;
}

/// Reads partitions, in each of them in order: those that a group shares out among its members, or
/// those that it is given by hand. Either subscribe() or assign(), before polling: with neither,
/// polling ends with ClientError::invalid_state; with both, everything with invalid_argument.
///
/// Polling again says that what the poll before gave is done with. With
/// ConsumerOptions::auto_commit, which is on by default, that is committed every
/// auto_commit_interval, before partitions are given back, and by async_close(): so each record is
/// processed at least once.
///
/// Callbacks of the options are called while polling or closing is under way, on the consumer's own
/// strand, one at a time. They must neither block nor throw. Whatever they begin, such as
/// async_commit() or seek(), takes effect before anything else is given.
///
/// Where a new leader lacks records that were read, as after an unclean election, reading goes on
/// behind those that it has; with OffsetReset::none polling fails with
/// KafkaError::offset_out_of_range then.
///
/// Memory: ConsumerOptions::prefetch_bytes that were fetched and not polled, the answers under way
/// when that is reached, and what Records hold.
///
/// Thread-safe, but for moving and destroying. While it is connected, io_context::run() does not
/// return by itself: destroy it, or async_close() it.
///
/// completion.h says what all operations have in common.
class Consumer {
 public:
  Consumer(boost::asio::any_io_executor executor, ClientOptions options,
           ConsumerOptions consumer_options = {});
  /// Never blocks, commits nothing and does not leave the group, which misses it after its session:
  /// async_close() first. What is under way ends soon, with ClientError::cancelled. No callback
  /// begins any more.
  ~Consumer();
  Consumer(Consumer&&) noexcept;
  Consumer& operator=(Consumer&&) noexcept;

  /// Joins the group of the options, for those topics. Once.
  void subscribe(std::vector<std::string> topics);
  /// Reads those partitions from those offsets on, and no others; of those that it was given before
  /// nothing more.
  void assign(std::vector<PartitionOffset> positions);

  /// Waits until there is at least one record; Records. One at a time: ClientError::invalid_state
  /// for a second one. What a cancelled poll would have given is given by the next one. Do not race
  /// it against a timer: when both end in the same turn, `||` drops the records. Take this instead:
  template <class Token = DefaultToken>
  auto async_poll(Token&& token = {}) {
    return detail::initiate(handle_, &poll, std::forward<Token>(token));
  }

  /// As async_poll(), but waits for no longer than that: Records are empty then. With 0, what was
  /// fetched already is given.
  template <class Token = DefaultToken>
  auto async_poll_for(std::chrono::milliseconds timeout, Token&& token = {}) {
    return detail::initiate(handle_, &poll_for, std::forward<Token>(token), timeout);
  }

  /// Commits that all that was polled is done with. Fails where the group has gone on without this
  /// member: somebody else reads that again. Of partitions that are assigned by hand nothing is
  /// committed: ClientError::invalid_state.
  template <class Token = DefaultToken>
  auto async_commit(Token&& token = {}) {
    return detail::initiate(handle_, &commit, std::forward<Token>(token));
  }

  /// Commits those offsets, which are those of the records that come next, of partitions that are
  /// ours.
  template <class Token = DefaultToken>
  auto async_commit_offsets(std::vector<CommittedOffset> offsets, Token&& token = {}) {
    return detail::initiate(handle_, &commit_offsets, std::forward<Token>(token),
                            std::move(offsets));
  }

  /// What the group has committed, by partition; vector<CommittedOffset>.
  template <class Token = DefaultToken>
  auto async_committed(Token&& token = {}) {
    return detail::initiate(handle_, &committed, std::forward<Token>(token));
  }

  // These take effect before whatever is begun after them. Of a partition that is not ours they
  // have none.

  /// Polling goes on at that offset.
  void seek(const PartitionOffset& position);
  /// Polling goes on at the first record with that timestamp or a later one.
  void seek(const Partition& partition, Timestamp time);
  /// Nothing of it is polled until resume(). It stays ours.
  void pause(const Partition& partition);
  void resume(const Partition& partition);

  /// Of the record that polling gives next; optional<int64_t>, null for a partition that is not
  /// ours, or whose position is not known yet.
  template <class Token = DefaultToken>
  auto async_position(Partition partition, Token&& token = {}) {
    return detail::initiate(handle_, &position, std::forward<Token>(token), std::move(partition));
  }

  /// The partitions that are ours; vector<Partition>.
  template <class Token = DefaultToken>
  auto async_assignment(Token&& token = {}) {
    return detail::initiate(handle_, &assignment, std::forward<Token>(token));
  }

  /// For Producer::async_send_offsets(); GroupMetadata. Waits while the group shares partitions
  /// out. Fails where it has gone on without this member: somebody else reads again what was
  /// polled.
  template <class Token = DefaultToken>
  auto async_group_metadata(Token&& token = {}) {
    return detail::initiate(handle_, &group_metadata, std::forward<Token>(token));
  }

  /// Says that all that was polled is done with, commits that, if it happens automatically, gives
  /// its partitions back, leaves the group, and closes.
  template <class Token = DefaultToken>
  auto async_close(Token&& token = {}) {
    return detail::initiate(handle_, &close, std::forward<Token>(token));
  }

 private:
  friend class blocking::Consumer;
  using Handle = client::ConsumerHandle;
  template <class... T>
  using Completion = detail::Completion<T...>;

  explicit Consumer(std::shared_ptr<Handle> handle);

  static void poll(Handle& handle, Completion<Records> done);
  static void poll_for(Handle& handle, Completion<Records> done, std::chrono::milliseconds timeout);
  static void commit(Handle& handle, Completion<> done);
  static void commit_offsets(Handle& handle, Completion<> done,
                             std::vector<CommittedOffset> offsets);
  static void committed(Handle& handle, Completion<std::vector<CommittedOffset>> done);
  static void position(Handle& handle, Completion<std::optional<std::int64_t>> done,
                       Partition partition);
  static void assignment(Handle& handle, Completion<std::vector<Partition>> done);
  static void group_metadata(Handle& handle, Completion<GroupMetadata> done);
  static void close(Handle& handle, Completion<> done);

  std::shared_ptr<Handle> handle_;
};

}  // namespace leat
