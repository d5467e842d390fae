#include "wire/api_key.h"

namespace leat::wire {
namespace {

struct Named {
  ApiKey key;
  std::string_view name;
};

constexpr Named names[] = {
    {ApiKey::produce, "Produce"},
    {ApiKey::fetch, "Fetch"},
    {ApiKey::list_offsets, "ListOffsets"},
    {ApiKey::metadata, "Metadata"},
    {ApiKey::leader_and_isr, "LeaderAndIsr"},
    {ApiKey::stop_replica, "StopReplica"},
    {ApiKey::update_metadata, "UpdateMetadata"},
    {ApiKey::controlled_shutdown, "ControlledShutdown"},
    {ApiKey::offset_commit, "OffsetCommit"},
    {ApiKey::offset_fetch, "OffsetFetch"},
    {ApiKey::find_coordinator, "FindCoordinator"},
    {ApiKey::join_group, "JoinGroup"},
    {ApiKey::heartbeat, "Heartbeat"},
    {ApiKey::leave_group, "LeaveGroup"},
    {ApiKey::sync_group, "SyncGroup"},
    {ApiKey::describe_groups, "DescribeGroups"},
    {ApiKey::list_groups, "ListGroups"},
    {ApiKey::sasl_handshake, "SaslHandshake"},
    {ApiKey::api_versions, "ApiVersions"},
    {ApiKey::create_topics, "CreateTopics"},
    {ApiKey::delete_topics, "DeleteTopics"},
    {ApiKey::delete_records, "DeleteRecords"},
    {ApiKey::init_producer_id, "InitProducerId"},
    {ApiKey::offset_for_leader_epoch, "OffsetForLeaderEpoch"},
    {ApiKey::add_partitions_to_txn, "AddPartitionsToTxn"},
    {ApiKey::add_offsets_to_txn, "AddOffsetsToTxn"},
    {ApiKey::end_txn, "EndTxn"},
    {ApiKey::write_txn_markers, "WriteTxnMarkers"},
    {ApiKey::txn_offset_commit, "TxnOffsetCommit"},
    {ApiKey::describe_acls, "DescribeAcls"},
    {ApiKey::create_acls, "CreateAcls"},
    {ApiKey::delete_acls, "DeleteAcls"},
    {ApiKey::describe_configs, "DescribeConfigs"},
    {ApiKey::alter_configs, "AlterConfigs"},
    {ApiKey::alter_replica_log_dirs, "AlterReplicaLogDirs"},
    {ApiKey::describe_log_dirs, "DescribeLogDirs"},
    {ApiKey::sasl_authenticate, "SaslAuthenticate"},
    {ApiKey::create_partitions, "CreatePartitions"},
    {ApiKey::create_delegation_token, "CreateDelegationToken"},
    {ApiKey::renew_delegation_token, "RenewDelegationToken"},
    {ApiKey::expire_delegation_token, "ExpireDelegationToken"},
    {ApiKey::describe_delegation_token, "DescribeDelegationToken"},
    {ApiKey::delete_groups, "DeleteGroups"},
    {ApiKey::elect_leaders, "ElectLeaders"},
    {ApiKey::incremental_alter_configs, "IncrementalAlterConfigs"},
    {ApiKey::alter_partition_reassignments, "AlterPartitionReassignments"},
    {ApiKey::list_partition_reassignments, "ListPartitionReassignments"},
    {ApiKey::offset_delete, "OffsetDelete"},
    {ApiKey::describe_client_quotas, "DescribeClientQuotas"},
    {ApiKey::alter_client_quotas, "AlterClientQuotas"},
    {ApiKey::describe_user_scram_credentials, "DescribeUserScramCredentials"},
    {ApiKey::alter_user_scram_credentials, "AlterUserScramCredentials"},
    {ApiKey::describe_quorum, "DescribeQuorum"},
    {ApiKey::update_features, "UpdateFeatures"},
    {ApiKey::describe_cluster, "DescribeCluster"},
    {ApiKey::describe_producers, "DescribeProducers"},
    {ApiKey::unregister_broker, "UnregisterBroker"},
    {ApiKey::describe_transactions, "DescribeTransactions"},
    {ApiKey::list_transactions, "ListTransactions"},
    {ApiKey::consumer_group_heartbeat, "ConsumerGroupHeartbeat"},
    {ApiKey::consumer_group_describe, "ConsumerGroupDescribe"},
    {ApiKey::get_telemetry_subscriptions, "GetTelemetrySubscriptions"},
    {ApiKey::push_telemetry, "PushTelemetry"},
    {ApiKey::list_config_resources, "ListConfigResources"},
    {ApiKey::describe_topic_partitions, "DescribeTopicPartitions"},
    {ApiKey::share_group_heartbeat, "ShareGroupHeartbeat"},
    {ApiKey::share_group_describe, "ShareGroupDescribe"},
    {ApiKey::share_fetch, "ShareFetch"},
    {ApiKey::share_acknowledge, "ShareAcknowledge"},
};

}  // namespace

std::string_view name(ApiKey key) {
  for (const Named& named : names) {
    if (named.key == key) return named.name;
  }
  return "unknown API";
}

}  // namespace leat::wire
