// All messages that this build knows.
//
// To add an API:
//   1. Write wire/<api>.h: <Api>Response and <Api>Request, fields in the order and with the
//      versions of Kafka's message description; message.h says how.
//   2. Write wire/<api>.cpp: include wire/codec.h, instantiate Codec for both.
//   3. Add the header and the request below, by key, and the source to meson.build.
//   4. Capture a frame of a real client for tests/wire/golden/, if one sends it.
//   5. Write its handler, and add it to the server's list of served APIs.
// The tests of every message (round trip, truncation, forgotten fields) find it by this list.
#pragma once

#include <span>
#include <string>

#include "base/bytes.h"
#include "wire/add_offsets_to_txn.h"
#include "wire/add_partitions_to_txn.h"
#include "wire/alter_configs.h"
#include "wire/api_key.h"
#include "wire/api_versions.h"
#include "wire/consumer_group_describe.h"
#include "wire/consumer_group_heartbeat.h"
#include "wire/create_partitions.h"
#include "wire/create_topics.h"
#include "wire/delete_groups.h"
#include "wire/delete_records.h"
#include "wire/delete_topics.h"
#include "wire/describe_cluster.h"
#include "wire/describe_configs.h"
#include "wire/describe_groups.h"
#include "wire/describe_log_dirs.h"
#include "wire/describe_producers.h"
#include "wire/describe_transactions.h"
#include "wire/end_txn.h"
#include "wire/fetch.h"
#include "wire/find_coordinator.h"
#include "wire/frame.h"
#include "wire/heartbeat.h"
#include "wire/incremental_alter_configs.h"
#include "wire/init_producer_id.h"
#include "wire/join_group.h"
#include "wire/leave_group.h"
#include "wire/list_groups.h"
#include "wire/list_offsets.h"
#include "wire/list_partition_reassignments.h"
#include "wire/list_transactions.h"
#include "wire/metadata.h"
#include "wire/offset_commit.h"
#include "wire/offset_delete.h"
#include "wire/offset_fetch.h"
#include "wire/offset_for_leader_epoch.h"
#include "wire/produce.h"
#include "wire/sync_group.h"
#include "wire/txn_offset_commit.h"
#include "wire/write_txn_markers.h"

namespace leat::wire {

/// Types as a value: `for_each([]<class Request>() { … })`.
template <class... Types>
struct TypeList {
  template <class F>
  static constexpr void for_each(F&& f) {
    (f.template operator()<Types>(), ...);
  }
};

/// Every request, by its key.
using Requests =
    TypeList<ProduceRequest, FetchRequest, ListOffsetsRequest, MetadataRequest, OffsetCommitRequest,
             OffsetFetchRequest, FindCoordinatorRequest, JoinGroupRequest, HeartbeatRequest,
             LeaveGroupRequest, SyncGroupRequest, DescribeGroupsRequest, ListGroupsRequest,
             ApiVersionsRequest, CreateTopicsRequest, DeleteTopicsRequest, DeleteRecordsRequest,
             InitProducerIdRequest, OffsetForLeaderEpochRequest, AddPartitionsToTxnRequest,
             AddOffsetsToTxnRequest, EndTxnRequest, WriteTxnMarkersRequest, TxnOffsetCommitRequest,
             DescribeConfigsRequest, AlterConfigsRequest, DescribeLogDirsRequest,
             CreatePartitionsRequest, DeleteGroupsRequest, IncrementalAlterConfigsRequest,
             ListPartitionReassignmentsRequest, OffsetDeleteRequest, DescribeClusterRequest,
             DescribeProducersRequest, DescribeTransactionsRequest, ListTransactionsRequest,
             ConsumerGroupHeartbeatRequest, ConsumerGroupDescribeRequest>;

/// The versions that a server offers: those it can read, or what old clients must be told.
template <class Request>
constexpr Versions advertised_versions() {
  if constexpr (requires { Request::advertised; }) {
    return Request::advertised;
  } else {
    return Request::valid;
  }
}

/// One line that describes any request, for logs and dumps: also one that is unknown or malformed.
std::string print_request(const RequestFrame& frame);

}  // namespace leat::wire
