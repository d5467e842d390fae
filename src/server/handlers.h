// Every API that is served: one overload here, one file in handlers/, one entry in the list.
//
// A handler is called on the broker's executor, home, unless its request is one of AnyShard: then
// on the connection's, which saves a hop, and it may touch only what is thread-safe or hop itself.
//
// To add an API: its message (wire/messages.h says how), its overload and its entry here, its file.
#pragma once

#include "server/call.h"
#include "wire/messages.h"

namespace leat::server {

void handle(Call<wire::ProduceRequest> call);
void handle(Call<wire::FetchRequest> call);
void handle(Call<wire::ListOffsetsRequest> call);
void handle(Call<wire::MetadataRequest> call);
void handle(Call<wire::OffsetCommitRequest> call);
void handle(Call<wire::OffsetFetchRequest> call);
void handle(Call<wire::FindCoordinatorRequest> call);
void handle(Call<wire::JoinGroupRequest> call);
void handle(Call<wire::HeartbeatRequest> call);
void handle(Call<wire::LeaveGroupRequest> call);
void handle(Call<wire::SyncGroupRequest> call);
void handle(Call<wire::DescribeGroupsRequest> call);
void handle(Call<wire::ListGroupsRequest> call);
void handle(Call<wire::ApiVersionsRequest> call);
void handle(Call<wire::CreateTopicsRequest> call);
void handle(Call<wire::DeleteTopicsRequest> call);
void handle(Call<wire::DeleteRecordsRequest> call);
void handle(Call<wire::OffsetForLeaderEpochRequest> call);
void handle(Call<wire::DescribeConfigsRequest> call);
void handle(Call<wire::AlterConfigsRequest> call);
void handle(Call<wire::DescribeLogDirsRequest> call);
void handle(Call<wire::CreatePartitionsRequest> call);
void handle(Call<wire::DeleteGroupsRequest> call);
void handle(Call<wire::IncrementalAlterConfigsRequest> call);
void handle(Call<wire::ListPartitionReassignmentsRequest> call);
void handle(Call<wire::OffsetDeleteRequest> call);
void handle(Call<wire::DescribeClusterRequest> call);
void handle(Call<wire::InitProducerIdRequest> call);
void handle(Call<wire::AddPartitionsToTxnRequest> call);
void handle(Call<wire::AddOffsetsToTxnRequest> call);
void handle(Call<wire::EndTxnRequest> call);
void handle(Call<wire::WriteTxnMarkersRequest> call);
void handle(Call<wire::TxnOffsetCommitRequest> call);
void handle(Call<wire::DescribeProducersRequest> call);
void handle(Call<wire::DescribeTransactionsRequest> call);
void handle(Call<wire::ListTransactionsRequest> call);
void handle(Call<wire::ConsumerGroupHeartbeatRequest> call);
void handle(Call<wire::ConsumerGroupDescribeRequest> call);

/// The dispatch table and the answer to ApiVersions are made from this.
using Served = wire::TypeList<
    wire::ProduceRequest, wire::FetchRequest, wire::ListOffsetsRequest, wire::MetadataRequest,
    wire::OffsetCommitRequest, wire::OffsetFetchRequest, wire::FindCoordinatorRequest,
    wire::JoinGroupRequest, wire::HeartbeatRequest, wire::LeaveGroupRequest, wire::SyncGroupRequest,
    wire::DescribeGroupsRequest, wire::ListGroupsRequest, wire::ApiVersionsRequest,
    wire::CreateTopicsRequest, wire::DeleteTopicsRequest, wire::DeleteRecordsRequest,
    wire::InitProducerIdRequest, wire::OffsetForLeaderEpochRequest, wire::AddPartitionsToTxnRequest,
    wire::AddOffsetsToTxnRequest, wire::EndTxnRequest, wire::WriteTxnMarkersRequest,
    wire::TxnOffsetCommitRequest, wire::DescribeConfigsRequest, wire::AlterConfigsRequest,
    wire::DescribeLogDirsRequest, wire::CreatePartitionsRequest, wire::DeleteGroupsRequest,
    wire::IncrementalAlterConfigsRequest, wire::ListPartitionReassignmentsRequest,
    wire::OffsetDeleteRequest, wire::DescribeClusterRequest, wire::DescribeProducersRequest,
    wire::DescribeTransactionsRequest, wire::ListTransactionsRequest,
    wire::ConsumerGroupHeartbeatRequest, wire::ConsumerGroupDescribeRequest>;

/// Handled on the thread of their connection.
using AnyShard = wire::TypeList<wire::ProduceRequest, wire::FetchRequest, wire::ListOffsetsRequest,
                                wire::ApiVersionsRequest>;

/// The answer to a request for ApiVersions in a version that we do not know.
void refuse_version(Call<wire::ApiVersionsRequest> call);

}  // namespace leat::server
