// The client for programs without an event loop: every call waits for its result.
//
//   leat::blocking::Producer producer({.brokers = "localhost:9092"});
//   producer.send({.topic = "orders", .value = "one"});
//
// blocking_consumer.h has the Consumer. Each object has a thread of its own, which takes no
// signals, for all that has to do with sockets. Errors are thrown, as leat::Exception: what() says
// what happened, to what, and where, code() is one of error.h. To end calls from outside give
// ClientOptions::stop, and request it: whatever waits throws ClientError::cancelled then.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "leat/blocking_consumer.h"
#include "leat/callback.h"
#include "leat/cluster.h"
#include "leat/error.h"
#include "leat/options.h"
#include "leat/record.h"

namespace leat::blocking {

/// Sends records, in the order of the calls, in batches. As leat::Producer does, which says more of
/// order, memory and what is tried again.
///
/// Thread-safe, but for moving and destroying. ProducerOptions::on_delivery is called on the
/// object's own thread: nothing of the object that waits may be called there, only try_send().
class Producer {
 public:
  explicit Producer(ClientOptions options, ProducerOptions producer_options = {});
  /// Waits for no broker, and gives up what is not acknowledged: flush() first. No call may be
  /// under way.
  ~Producer();
  Producer(Producer&&) noexcept;
  Producer& operator=(Producer&&) noexcept;

  /// Sends a record and waits until it is acknowledged: slow for many.
  Delivery send(const OutRecord& record);
  /// Queues a record, and waits while there is no room. ProducerOptions::on_delivery tells of its
  /// batch, with `tag` in the record's place.
  void enqueue(const OutRecord& record, std::uint64_t tag = 0);
  /// Queues it if that takes no waiting. False: nothing happened, since there is no room, or
  /// nothing is known yet of the topic.
  bool try_send(const OutRecord& record, std::uint64_t tag = 0);
  /// Sends what is queued without lingering, and waits until all of it is delivered, one way or the
  /// other: on_delivery tells which.
  void flush();

  /// How many partitions a topic has, for programs that choose among them. Asks as the topic's
  /// first record would: a cluster that makes topics by itself makes it.
  std::int32_t partition_count(std::string topic);

  // Transactions, of a producer with ProducerOptions::transactional_id. Records are sent within one
  // only. One of these calls at a time. After an error that is fatal() make another producer; after
  // any other error of a record, of send_offsets() or commit(), only abort() is left.

  void begin();
  /// Commits those offsets for a group if the transaction is committed.
  void send_offsets(std::vector<CommittedOffset> offsets, GroupMetadata member);
  /// Waits for the records that were queued, and commits. Fails if one of them did.
  void commit();
  /// Gives up what is not acknowledged, and has the rest hidden.
  void abort();

 private:
  struct Inside;
  detail::Owned<Inside> inside_;
};

/// Topics, offsets and groups of a cluster. Connects when first asked something. What a broker says
/// may pass is tried again within ClientOptions::operation_timeout.
///
/// Thread-safe, but for moving and destroying.
class Admin {
 public:
  explicit Admin(ClientOptions options);
  /// Waits for no broker. No call may be under way.
  ~Admin();
  Admin(Admin&&) noexcept;
  Admin& operator=(Admin&&) noexcept;

  /// KafkaError::topic_already_exists if it is there.
  void create_topic(NewTopic topic);
  /// KafkaError::unknown_topic_or_partition if it is not there.
  void delete_topic(std::string topic);
  /// Gives a topic more partitions, `count` in all. There is no way back.
  void create_partitions(std::string topic, std::int32_t count);
  /// All topics, by name.
  std::vector<TopicDescription> list_topics();
  /// KafkaError::unknown_topic_or_partition if it is not there.
  TopicDescription describe_topic(std::string topic);
  /// All settings of a topic.
  std::vector<ConfigEntry> topic_configs(std::string topic);
  /// Changes those settings and leaves the others, all or none. ClientError::unsupported_version
  /// where a broker from before Kafka 2.3 cannot.
  void alter_topic_configs(std::string topic, std::vector<ConfigChange> changes);

  /// An offset for each query, in their order; null where no record is that late.
  std::vector<std::optional<std::int64_t>> list_offsets(std::vector<OffsetQuery> queries);
  /// Deletes all records before those offsets; -1 stands for the end. Gives the first offset that
  /// each partition has then, in the same order.
  std::vector<std::int64_t> delete_records(std::vector<PartitionOffset> before);

  /// One attempt: not tried again.
  ClusterDescription describe_cluster();
  /// The groups of all brokers, by id.
  std::vector<GroupListing> list_groups();
  /// KafkaError::group_id_not_found if there is none.
  GroupDescription describe_group(std::string group);
  /// All that the group has committed, by partition.
  std::vector<CommittedOffset> group_offsets(std::string group);
  /// Sets a group to those offsets; others that it has committed stay. Refused with
  /// KafkaError::unknown_member_id while it has members: only they commit.
  void alter_group_offsets(std::string group, std::vector<CommittedOffset> offsets);
  /// With all that it has committed. KafkaError::non_empty_group while it has members.
  void delete_group(std::string group);

 private:
  struct Inside;
  detail::Owned<Inside> inside_;
};

}  // namespace leat::blocking
