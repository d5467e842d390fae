#!/usr/bin/env python3
"""confluent-kafka's admin client: topics, settings, records, groups, and what there is not."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from confluent_kafka import (Consumer, ConsumerGroupState, ConsumerGroupTopicPartitions,
                             IsolationLevel, KafkaError, KafkaException, Producer,
                             TopicCollection, TopicPartition)
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource,
                                   ConfigSource, NewPartitions, NewTopic, OffsetSpec,
                                   ResourcePatternType, AclBindingFilter, AclOperation,
                                   AclPermissionType, ResourceType)

from harness import Server, check, finish, scratch, wait_for


def refused(future, *codes):
    """The request failed with one of these errors."""
    try:
        future.result(10)
        return False
    except KafkaException as error:
        return error.args[0].code() in codes


def check_topics(server):
    admin = AdminClient({"bootstrap.servers": server.kafka})
    admin.create_topics([NewTopic("orders", 3, 1, config={"retention.ms": "60000"})])[
        "orders"].result(10)
    metadata = admin.list_topics(timeout=10)
    check(len(metadata.topics["orders"].partitions) == 3, "a topic is created and listed")
    resource = ConfigResource(ConfigResource.Type.TOPIC, "orders")
    configs = admin.describe_configs([resource])[resource].result(10)
    check(configs["retention.ms"].value == "60000", "its settings are what was asked for")
    described = admin.describe_topics(TopicCollection(["orders"]))["orders"].result(10)
    check(len(described.partitions) == 3 and described.partitions[0].leader.id == 1 and
          str(described.topic_id) not in ("", "A" * 22), "and described, with an id",
          described.topic_id)
    missing = admin.describe_topics(TopicCollection(["none"]))["none"]
    check(refused(missing, KafkaError.UNKNOWN_TOPIC_OR_PART), "one that is not there is unknown")
    cluster = admin.describe_cluster().result(10)
    check(len(cluster.nodes) == 1 and cluster.controller.id == cluster.nodes[0].id,
          "the cluster is one node, its own controller")
    twice = admin.create_topics([NewTopic("orders", 1, 1)])["orders"]
    check(refused(twice, KafkaError.TOPIC_ALREADY_EXISTS),
          "a second topic of that name is refused")
    tried = admin.create_topics([NewTopic("tried", 1, 1)], validate_only=True)["tried"]
    tried.result(10)
    check("tried" not in admin.list_topics(timeout=10).topics, "what is only tried is not made")
    wrong = admin.create_topics([NewTopic("wrong", 1, 1, config={"cleanup.policy": "burn"})])
    check(refused(wrong["wrong"], KafkaError.INVALID_CONFIG), "a setting that is none is refused")
    admin.delete_topics(["orders"])["orders"].result(10)
    check("orders" not in admin.list_topics(timeout=10).topics, "a topic is deleted")


def check_settings(server):
    admin = AdminClient({"bootstrap.servers": server.kafka})
    admin.create_topics([NewTopic("changing", 1, 3)])["changing"].result(10)
    admin.create_partitions([NewPartitions("changing", 3)])["changing"].result(10)
    metadata = admin.list_topics("changing", timeout=10)
    check(len(metadata.topics["changing"].partitions) == 3, "a topic is given more partitions")
    fewer = admin.create_partitions([NewPartitions("changing", 2)])["changing"]
    check(refused(fewer, KafkaError.INVALID_PARTITIONS), "and not less")

    def alter(name, operation, value):
        entry = ConfigEntry(name, value, incremental_operation=operation)
        resource = ConfigResource(ConfigResource.Type.TOPIC, "changing",
                                  incremental_configs=[entry])
        admin.incremental_alter_configs([resource])[resource].result(10)

    alter("retention.ms", AlterConfigOpType.SET, "60000")
    alter("cleanup.policy", AlterConfigOpType.APPEND, "compact")
    resource = ConfigResource(ConfigResource.Type.TOPIC, "changing")
    configs = admin.describe_configs([resource])[resource].result(10)
    check(configs["retention.ms"].value == "60000" and
          configs["retention.ms"].source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value and
          configs["cleanup.policy"].value == "delete,compact" and
          configs["segment.bytes"].source == ConfigSource.DEFAULT_CONFIG.value,
          "single settings are altered, and say where they come from", configs)
    alter("retention.ms", AlterConfigOpType.DELETE, None)
    configs = admin.describe_configs([resource])[resource].result(10)
    check(configs["retention.ms"].value == "604800000", "and set back", configs["retention.ms"])
    broker = ConfigResource(ConfigResource.Type.BROKER, "1")
    configs = admin.describe_configs([broker])[broker].result(10)
    check("inter.broker.protocol.version" in configs and configs["num.partitions"].is_read_only,
          "the broker shows its settings", configs)


def check_records(server):
    producer = Producer({"bootstrap.servers": server.kafka})
    for i in range(10):
        producer.produce("changing", b"%d" % i, key=b"key", partition=0, timestamp=1000 + i)
    producer.flush(10)
    admin = AdminClient({"bootstrap.servers": server.kafka})
    partition = TopicPartition("changing", 0)
    wanted = ((OffsetSpec.earliest(), 0), (OffsetSpec.latest(), 10),
              (OffsetSpec.max_timestamp(), 9), (OffsetSpec.for_timestamp(1004), 4),
              (OffsetSpec.for_timestamp(2000), -1))
    got = [admin.list_offsets({partition: spec},
                              isolation_level=IsolationLevel.READ_COMMITTED)[partition].result(10)
           for spec, _ in wanted]
    check([found.offset for found in got] == [offset for _, offset in wanted],
          "the admin client lists offsets: first, next, newest, by time", got)
    deleted = admin.delete_records([TopicPartition("changing", 0, 7)])
    check(list(deleted.values())[0].result(10).low_watermark == 7,
          "records are deleted up to an offset")
    beyond = admin.delete_records([TopicPartition("changing", 0, 11)])
    check(refused(list(beyond.values())[0], KafkaError.OFFSET_OUT_OF_RANGE), "not beyond the end")
    consumer = Consumer({"bootstrap.servers": server.kafka, "group.id": "unused",
                         "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition("changing", 0, 2)])
    message = consumer.poll(10)
    check(message is not None and message.offset() == 7,
          "a consumer below them is set to the new start", message and message.error())
    consumer.close()


def check_groups(server):
    admin = AdminClient({"bootstrap.servers": server.kafka})
    consumer = Consumer({"bootstrap.servers": server.kafka, "group.id": "readers",
                         "client.id": "reader", "auto.offset.reset": "earliest",
                         "enable.auto.commit": False})
    consumer.subscribe(["changing"])
    first = consumer.poll(10)
    consumer.commit(message=first, asynchronous=False)

    listed = {group.group_id: group for group in
              admin.list_consumer_groups(states={ConsumerGroupState.STABLE}).result(10).valid}
    check(listed["readers"].state == ConsumerGroupState.STABLE and
          not listed["readers"].is_simple_consumer_group, "a group is listed by its state", listed)
    group = admin.describe_consumer_groups(["readers"])["readers"].result(10)
    member = group.members[0]
    assigned = {(p.topic, p.partition) for p in member.assignment.topic_partitions}
    check(group.state == ConsumerGroupState.STABLE and member.client_id == "reader" and
          assigned == {("changing", p) for p in range(3)} and group.coordinator.id == 1,
          "and described, with its member's partitions", group)
    asked = ConsumerGroupTopicPartitions("readers")
    answer = admin.list_consumer_group_offsets([asked])["readers"].result(10)
    offsets = {p.partition: p.offset for p in answer.topic_partitions}
    check(offsets == {0: 8}, "what it has committed is listed", offsets)

    to = ConsumerGroupTopicPartitions("readers", [TopicPartition("changing", 0, 9)])
    try:
        moved = admin.alter_consumer_group_offsets([to])["readers"].result(10)
        errors = [p.error for p in moved.topic_partitions]
    except KafkaException as error:
        errors = [error.args[0]]
    check(errors[0] is not None and errors[0].code() == KafkaError.UNKNOWN_MEMBER_ID,
          "its offsets are not altered while it has members", errors)
    check(refused(admin.delete_consumer_groups(["readers"])["readers"],
                  KafkaError.NON_EMPTY_GROUP), "nor is it deleted")
    consumer.close()
    moved = admin.alter_consumer_group_offsets([to])["readers"].result(10)
    check(moved.topic_partitions[0].error is None, "once it is empty its offsets are altered")
    consumer = Consumer({"bootstrap.servers": server.kafka, "group.id": "readers",
                         "enable.auto.commit": False})
    consumer.subscribe(["changing"])
    message = consumer.poll(10)
    check(message is not None and message.offset() == 9, "and it goes on from there",
          message and (message.error() or message.offset()))
    consumer.close()
    admin.delete_consumer_groups(["readers"])["readers"].result(10)
    check(wait_for(lambda: "readers" not in {
        group.group_id for group in admin.list_consumer_groups().result(10).valid}),
          "a group is deleted")
    check(refused(admin.delete_consumer_groups(["readers"])["readers"],
                  KafkaError.GROUP_ID_NOT_FOUND), "and is not there to be deleted again")


def check_absent(server):
    """What the server does not offer, it refuses in words that the client understands."""
    admin = AdminClient({"bootstrap.servers": server.kafka})
    every = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, None, None,
                             AclOperation.ANY, AclPermissionType.ANY)
    check(refused(admin.describe_acls(every), KafkaError._UNSUPPORTED_FEATURE,
                  KafkaError.SECURITY_DISABLED), "access control lists are not supported")
    elected = list(admin.describe_user_scram_credentials(["someone"]).values())[0]
    check(refused(elected, KafkaError._UNSUPPORTED_FEATURE), "nor are passwords of users")


def main():
    with scratch() as folder, Server(folder / "data") as server:
        check_topics(server)
        check_settings(server)
        check_records(server)
        check_groups(server)
        check_absent(server)
    finish()


main()
