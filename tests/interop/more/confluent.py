#!/usr/bin/env python3
"""confluent-kafka, whose librdkafka is newer than Debian's: admin, every codec, times, metadata."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec

from harness import CODECS, Server, check, edits, finish, scratch


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
        for codec in CODECS:
            check_codec(server, codec, lines)
    finish()


main()
