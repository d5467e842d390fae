#!/usr/bin/python3
"""kafka-python against the server, without groups: admin, producer, consumer, offsets by time."""

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import (ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions,
                         NewTopic)
from kafka.errors import (InvalidPartitionsError, TopicAlreadyExistsError,
                          UnknownTopicOrPartitionError)

from harness import Server, check, finish, scratch


def raises(error, call, *arguments):
    try:
        call(*arguments)
    except error:
        return True
    return False


def settings(admin, topic):
    answers = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    return {row[0]: row[1] for answer in answers for resource in answer.resources
            for row in resource[4]}


def check_admin(server):
    admin = KafkaAdminClient(bootstrap_servers=server.kafka)
    topic = NewTopic("orders", num_partitions=4, replication_factor=1,
                     topic_configs={"retention.ms": "86400000"})
    admin.create_topics([topic])
    check("orders" in admin.list_topics(), "a topic is created and listed")
    described = admin.describe_topics(["orders"])[0]
    check(sorted(p["partition"] for p in described["partitions"]) == [0, 1, 2, 3],
          "it has its four partitions", described)
    check(raises(TopicAlreadyExistsError, admin.create_topics, [topic]),
          "a second topic of that name is refused")
    values = settings(admin, "orders")
    check(values.get("retention.ms") == "86400000", "its retention is what was asked for", values)
    check(len(values) >= 33, "every other setting has a value too", values)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "orders",
                                        configs={"max.message.bytes": "2000000"})])
    values = settings(admin, "orders")
    check((values["max.message.bytes"], values["retention.ms"]) == ("2000000", "604800000"),
          "AlterConfigs replaces all its settings", values)
    admin.create_topics([NewTopic("growing", 1, 3)])
    admin.create_partitions({"growing": NewPartitions(3)})
    described = admin.describe_topics(["growing"])[0]
    check([len(p["replicas"]) for p in described["partitions"]] == [1, 1, 1],
          "a topic for three replicas has one, and grows to three partitions", described)
    check(raises(InvalidPartitionsError, admin.create_partitions, {"growing": NewPartitions(2)}),
          "it does not shrink")
    admin.create_topics([NewTopic("short-lived", 1, 1)])
    admin.delete_topics(["short-lived"])
    check("short-lived" not in admin.list_topics(), "a deleted topic is gone")
    check(raises(UnknownTopicOrPartitionError, admin.delete_topics, ["short-lived"]),
          "what does not exist cannot be deleted")
    admin.close()


def check_records(server):
    producer = KafkaProducer(bootstrap_servers=server.kafka, acks="all", linger_ms=5)
    sent = {}
    for i in range(2000):
        partition = i % 4
        future = producer.send("orders", value=b"value %d" % i, key=b"key %d" % (i % 100),
                               headers=[("n", b"%d" % i)], partition=partition,
                               timestamp_ms=1_600_000_000_000 + i)
        sent.setdefault(partition, []).append((i, future))
    producer.flush()
    check(all(future.get().offset == place for rows in sent.values()
              for place, (_, future) in enumerate(rows)), "offsets count up from 0 per partition")
    producer.close()

    consumer = KafkaConsumer(bootstrap_servers=server.kafka, group_id=None,
                             enable_auto_commit=False, consumer_timeout_ms=2000)
    partitions = [TopicPartition("orders", p) for p in range(4)]
    consumer.assign(partitions)
    consumer.seek_to_beginning()
    got = {}
    while sum(map(len, got.values())) < 2000:
        polled = consumer.poll(5000)
        if not polled:
            break
        for records in polled.values():
            for record in records:
                got.setdefault(record.partition, []).append(record)
    intact = all(
        record.value == b"value %d" % i and record.key == b"key %d" % (i % 100) and
        record.headers == [("n", b"%d" % i)] and record.timestamp == 1_600_000_000_000 + i
        for partition, rows in sent.items()
        for (i, _), record in zip(rows, got.get(partition, []), strict=False))
    check(sum(map(len, got.values())) == 2000 and intact,
          "2,000 records come back with key, headers and timestamp, in order")

    ends = consumer.end_offsets(partitions)
    check(set(ends.values()) == {500}, "the end offsets are right", ends)
    found = consumer.offsets_for_times({partitions[1]: 1_600_000_001_000})
    check(found[partitions[1]].offset == 250, "a time finds its offset", found)
    late = consumer.offsets_for_times({partitions[1]: 1_700_000_000_000})
    check(late[partitions[1]] is None, "a time after the last record finds none", late)
    consumer.close()


def main():
    with scratch() as folder, Server(folder / "data") as server:
        check_admin(server)
        check_records(server)
        server.kill()
        server.start()
        admin = KafkaAdminClient(bootstrap_servers=server.kafka)
        check(settings(admin, "orders")["max.message.bytes"] == "2000000" and
              len(admin.describe_topics(["growing"])[0]["partitions"]) == 3,
              "what was altered outlives a kill -9")
        check("orders" in admin.list_topics() and "short-lived" not in admin.list_topics(),
              "topics outlive a kill -9, and deleted ones stay deleted")
        admin.close()
    finish()


main()
