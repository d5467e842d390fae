#!/usr/bin/env python3
"""confluent-kafka, whose librdkafka is newer than Debian's: admin, every codec, times, metadata."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource,
                                   ConfigSource, NewPartitions, NewTopic, OffsetSpec)

from harness import CODECS, Server, check, edits, finish, scratch, wait_for


def check_admin(server):
    admin = AdminClient({"bootstrap.servers": server.kafka})
    admin.create_topics([NewTopic("orders", 3, 1, config={"retention.ms": "60000"})])[
        "orders"].result(10)
    metadata = admin.list_topics(timeout=10)
    check(len(metadata.topics["orders"].partitions) == 3, "a topic is created and listed")
    resource = ConfigResource(ConfigResource.Type.TOPIC, "orders")
    configs = admin.describe_configs([resource])[resource].result(10)
    check(configs["retention.ms"].value == "60000", "its settings are what was asked for")
    cluster = admin.describe_cluster().result(10)
    check(len(cluster.nodes) == 1 and cluster.controller.id == cluster.nodes[0].id,
          "the cluster is one node, its own controller")
    try:
        admin.create_topics([NewTopic("orders", 1, 1)])["orders"].result(10)
        check(False, "a second topic of that name is refused")
    except KafkaException as error:
        check(error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS,
              "a second topic of that name is refused", error)
    partition = TopicPartition("orders", 0)
    listed = admin.list_offsets({partition: OffsetSpec.latest()})[partition].result(10)
    check(listed.offset == 0, "the admin client lists offsets")
    admin.delete_topics(["orders"])["orders"].result(10)
    check("orders" not in admin.list_topics(timeout=10).topics, "a topic is deleted")


def check_changes(server):
    admin = AdminClient({"bootstrap.servers": server.kafka})
    admin.create_topics([NewTopic("changing", 1, 3)])["changing"].result(10)
    admin.create_partitions([NewPartitions("changing", 3)])["changing"].result(10)
    metadata = admin.list_topics("changing", timeout=10)
    check(len(metadata.topics["changing"].partitions) == 3, "a topic is given more partitions")

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
    broker = ConfigResource(ConfigResource.Type.BROKER, "1")
    configs = admin.describe_configs([broker])[broker].result(10)
    check("inter.broker.protocol.version" in configs and configs["num.partitions"].is_read_only,
          "the broker shows its settings", configs)

    producer = Producer({"bootstrap.servers": server.kafka})
    for i in range(10):
        producer.produce("changing", b"%d" % i, key=b"key", partition=0)
    producer.flush(10)
    partition = TopicPartition("changing", 0, 7)
    deleted = admin.delete_records([partition])[partition].result(10)
    check(deleted.low_watermark == 7, "records are deleted up to an offset", deleted)
    consumer = Consumer({"bootstrap.servers": server.kafka, "group.id": "unused",
                         "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition("changing", 0, 2)])
    message = consumer.poll(10)
    check(message is not None and message.offset() == 7,
          "a consumer below them is set to the new start", message and message.error())
    consumer.close()


def check_epochs(server):
    """A crash that leaves bytes behind a log's end raises its leader epoch."""
    producer = Producer({"bootstrap.servers": server.kafka})
    consumer = Consumer({"bootstrap.servers": server.kafka, "group.id": "unused",
                         "auto.offset.reset": "error", "topic.metadata.refresh.interval.ms": 200})
    consumer.assign([TopicPartition("epochs", 0, 0)])
    values = []

    def produce_and_consume(value):
        producer.produce("epochs", value, partition=0)
        producer.flush(20)
        return wait_for(lambda: take(consumer, values) == value)

    check(produce_and_consume(b"before"), "a record is produced and consumed")
    server.kill()
    for log in (server.data / "partitions").glob("*/0/*.log"):
        with log.open("ab") as file:
            file.write(b"junk")
    server.start()
    check(produce_and_consume(b"after"), "the consumer goes on after the epoch has risen", values)
    check(values == [b"before", b"after"], "and gets each record once", values)
    consumer.close()


def take(consumer, values):
    message = consumer.poll(0.1)
    if message is not None:
        values.append(message.error() or message.value())
    return values[-1] if values else None


def consume(server, topic, count):
    consumer = Consumer({"bootstrap.servers": server.kafka, "group.id": "unused",
                         "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    values = []
    while len(values) < count:
        messages = consumer.consume(5000, timeout=10)
        if not messages:
            break
        values += [message.value() for message in messages]
    found = consumer.offsets_for_times([TopicPartition(topic, 0, 1_600_000_000_010)], timeout=10)
    ends = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
    consumer.close()
    return values, found[0].offset, ends


def check_codec(server, codec, lines):
    topic = "edits-" + codec
    failures = []
    producer = Producer({"bootstrap.servers": server.kafka, "compression.type": codec,
                         "linger.ms": 5, "queue.buffering.max.messages": 200000})
    for i, line in enumerate(lines):
        producer.produce(topic, line, timestamp=1_600_000_000_000 + i,
                         on_delivery=lambda error, _: error and failures.append(error))
    left = producer.flush(60)
    check(left == 0 and not failures, f"{len(lines)} edits are produced with {codec}",
          failures[:3])
    values, found, ends = consume(server, topic, len(lines))
    check(values == lines, f"they come back byte for byte after {codec}",
          f"{len(values)} of {len(lines)}")
    check(found == 10, f"a time finds its offset among {codec} batches", found)
    check(ends == (0, len(lines)), f"start and end are known after {codec}", ends)


def main():
    lines = edits()
    with scratch() as folder, Server(folder / "data") as server:
        check_admin(server)
        check_changes(server)
        check_epochs(server)
        for codec in CODECS:
            check_codec(server, codec, lines)
    finish()


main()
