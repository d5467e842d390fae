// What the transactions of a simulation commit for groups: an offset each, that of its value, for a
// group of its producer's own.
#include <algorithm>
#include <utility>

#include "broker/groups.h"
#include "broker/topic_name.h"
#include "sim/producer_simulation.h"

namespace leat::sim {
namespace {

using broker::GroupError;

constexpr const char* topic = "t";

}  // namespace

Result<void> ProducerSimulation::add_group_partition(broker::TransactionPartitions& added) {
  auto made = broker_->groups().ensure_partition();
  if (!made) return fail(Errc::coordinator_not_available, made.error().what);
  added[std::string(broker::group_topic)].insert(broker::group_partition().partition);
  return {};
}

/// As TxnOffsetCommit does it.
void ProducerSimulation::commit_offset(Producer& producer) {
  producer.is_waiting = true;
  trace("producer {} commits the offset of {}", producer.number, producer.value);
  broker_->groups().when_ready([this, &producer](GroupError error) {
    if (error != GroupError::none) return object("groups are not available");
    // It may have been made on a full disk, and a power cut may have taken it.
    broker::TransactionPartitions made;
    if (auto there = add_group_partition(made); !there) {
      producer.is_waiting = false;
      return failed(producer, there.error());
    }
    TopicPartition where = broker::group_partition();
    auto groups = broker_->find_partition(where.topic_id, where.partition);
    groups->load_producers([this, &producer, groups](const Result<void>& loaded) {
      producer.is_waiting = false;
      if (!loaded) return failed(producer, loaded.error());
      join_groups(producer, groups);
    });
  });
}

/// In the second protocol the commit adds the partition itself.
void ProducerSimulation::join_groups(Producer& producer,
                                     const std::shared_ptr<broker::Partition>& groups) {
  if (!producer.is_of_second) return commit_offset(producer, groups);
  broker::TransactionPartitions added;
  if (auto there = add_group_partition(added); !there) return failed(producer, there.error());
  producer.is_waiting = true;
  auto joined = [this, &producer, groups](const Result<void>& done) {
    producer.is_waiting = false;
    if (!done) return failed(producer, done.error());
    commit_offset(producer, groups);
  };
  broker_->transactions().add_partitions(producer.id, *producer.identity, std::move(added), joined,
                                         broker::TransactionProtocol::second);
}

void ProducerSimulation::commit_offset(Producer& producer,
                                       const std::shared_ptr<broker::Partition>& groups) {
  auto is_open = broker_->transactions().check_open(producer.id, *producer.identity,
                                                    groups->topic(), groups->id());
  if (!is_open) return failed(producer, is_open.error());
  producer.is_waiting = true;
  broker::CommitRequest request;
  request.group_id = producer.id;
  request.partitions.push_back({topic, 0, values_[producer.value].offset});
  broker_->groups().commit_in_transaction(
      std::move(request), {producer.identity->id, producer.identity->epoch},
      [this, &producer](const std::vector<GroupError>& errors) {
        producer.is_waiting = false;
        if (errors.at(0) == GroupError::none) {
          producer.step = Step::end;
        } else if (errors.at(0) == GroupError::coordinator_not_available) {
          failed(producer, {Errc::coordinator_not_available, "the commit was not written"});
        } else {
          object("the offset of " + producer.value + " is refused");
        }
      });
}

/// `seen` says how often each value is in one of the partitions: an offset counts exactly if its
/// transaction does, and the newest one is the group's.
void ProducerSimulation::check_offsets(const std::map<std::string, int>& seen) {
  bool is_ready = false;
  broker_->groups().when_ready([&](GroupError error) { is_ready = error == GroupError::none; });
  if (!wait_until([&] { return is_ready; })) return object("groups are not available");
  std::map<std::string, std::int64_t> expected;
  for (const Producer& producer : producers_) {
    if (producer.is_transactional) expected[producer.id] = 0;
  }
  for (const auto& [name, value] : values_) {
    bool counts = value.offset > 0 && seen.contains(name);
    if (counts) expected[value.group] = std::max(expected[value.group], value.offset);
  }
  for (const auto& [group, offset] : expected) {
    broker::FetchedOffset fetched;
    // As consumers do, which ask again.
    bool is_stable = wait_until([&, group = group] {
      fetched = broker_->groups().fetch(group, topic, 0, true);
      return fetched.error == GroupError::none;
    });
    if (!is_stable) return object("the offset of " + group + " stays unstable");
    std::int64_t told = fetched.value ? fetched.value->offset : 0;
    if (told == offset) continue;
    object(fmt::format("{} has the offset {}, and its transactions committed {}", group, told,
                       offset));
  }
}

}  // namespace leat::sim
