#!/usr/bin/env python3
"""confluent-kafka produces and consumes: every codec, headers, times, epochs across a crash."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from harness import CODECS, Server, check, edits, finish, leat, scratch, wait_for


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


def check_parts(server):
    """Key, value, headers and time of records that lack some of them."""
    leat("topic", "create", "parts", "-b", server.kafka)
    delivered = []
    producer = Producer({"bootstrap.servers": server.kafka, "acks": "all"})
    records = [(b"key", b"value", [("one", b"1"), ("one", b"2"), ("none", None)], 1_000),
               (None, b"", [], 2_000), (b"", None, [("empty", b"")], 3_000)]
    for key, value, headers, time in records:
        producer.produce("parts", value, key=key, headers=headers, timestamp=time, partition=0,
                         on_delivery=lambda error, message: delivered.append(
                             (error, message.partition(), message.offset())))
    producer.flush(10)
    check(delivered == [(None, 0, i) for i in range(3)], "deliveries are reported, with offsets",
          delivered)
    consumer = Consumer({"bootstrap.servers": server.kafka, "group.id": "unused",
                         "auto.offset.reset": "error"})
    consumer.assign([TopicPartition("parts", 0, 0)])
    got = [(m.key(), m.value(), m.headers() or [], m.timestamp()[1])
           for m in consumer.consume(3, timeout=10)]
    check(got == records, "keys, values, headers and times come back, also where there are none",
          got)
    consumer.assign([TopicPartition("parts", 0, 99)])
    try:
        message = consumer.poll(10)
        code = message.error().code() if message and message.error() else None
    except KafkaException as error:
        code = error.args[0].code()
    check(code in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE),
          "an offset beyond the end is out of range", code)
    consumer.close()
    failures = []
    producer = Producer({"bootstrap.servers": server.kafka, "message.max.bytes": 3_000_000})
    producer.produce("parts", b"x" * 2_000_000,
                     on_delivery=lambda error, _: failures.append(error and error.code()))
    producer.flush(10)
    check(failures == [KafkaError.MSG_SIZE_TOO_LARGE], "a record that is too large is refused",
          failures)


def consume(server, topic, count):
    consumer = Consumer({"bootstrap.servers": server.kafka, "group.id": "unused",
                         "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    values = []
    while len(values) < count:
        messages = consumer.consume(min(5000, count - len(values)), timeout=10)
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
        check_epochs(server)
        check_parts(server)
        for codec in CODECS:
            check_codec(server, codec, lines)
    finish()


main()
