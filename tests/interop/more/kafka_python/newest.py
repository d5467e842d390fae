#!/usr/bin/python3
"""A newer kafka-python than Debian's: its admin client, a consumer with fetch sessions, groups, and
transactions."""

import logging
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from toolchain import python

OURS = python("kafka_python", "kafka-python")
if pathlib.Path(sys.executable) != OURS:
    os.execv(OURS, [OURS, __file__])

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.structs import OffsetAndMetadata

from harness import Server, check, finish, scratch, wait_for

TOPICS = [f"topic-{i}" for i in range(20)]


class Lines(logging.Handler):
    """What a logger said."""

    def __init__(self, name):
        super().__init__(logging.DEBUG)
        self.lines = []
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        logger.addHandler(self)

    def emit(self, record):
        self.lines.append(record.getMessage())

    def count(self, text):
        return sum(text in line for line in self.lines)


def check_sessions(server):
    sessions = Lines("kafka.consumer.fetcher")
    producer = KafkaProducer(bootstrap_servers=server.kafka, enable_idempotence=False)
    consumer = KafkaConsumer(bootstrap_servers=server.kafka, group_id=None)
    consumer.assign([TopicPartition(topic, 0) for topic in TOPICS])
    consumer.seek_to_beginning()
    got = []
    for i in range(100):
        for topic in (TOPICS[i % 20], TOPICS[0]):
            producer.send(topic, b"%d" % i)
        producer.flush(10)
        if i == 50:
            server.kill()
            server.start()
        for records in consumer.poll(100).values():
            got += records
    while len(got) < 200:
        polled = consumer.poll(5000)
        if not polled:
            break
        for records in polled.values():
            got += records
    check(len(got) == 200 and len({(r.topic, r.offset) for r in got}) == 200,
          "a consumer with a fetch session misses nothing, also across a kill -9", len(got))
    check(sessions.count("incremental") > 0, "its fetches were incremental", sessions.lines[:40])
    consumer.close()
    producer.close()


def check_group(server):
    """One member reads, a second one comes, the first goes."""
    producer = KafkaProducer(bootstrap_servers=server.kafka)
    admin = KafkaAdminClient(bootstrap_servers=server.kafka)
    admin.create_topics([NewTopic("balanced", 4, 1)])
    got = []

    def produce(first):
        for i in range(first, first + 400):
            producer.send("balanced", b"%d" % i, partition=i % 4)
        producer.flush(20)

    def join():
        return KafkaConsumer("balanced", bootstrap_servers=server.kafka, group_id="python",
                             auto_offset_reset="earliest", enable_auto_commit=False,
                             heartbeat_interval_ms=200, session_timeout_ms=6000)

    def until(condition, *members):
        def took():
            for member in members:
                polled = [record for part in member.poll(500).values() for record in part]
                got.extend(int(record.value) for record in polled)
                if polled:
                    member.commit()
            return condition()
        return wait_for(took, 60)

    produce(0)
    one = join()
    check(until(lambda: len(got) == 400, one), "one member reads everything", len(got))
    two = join()
    check(until(lambda: len(one.assignment()) == len(two.assignment()) == 2, one, two),
          "two share the partitions")
    produce(400)
    check(until(lambda: len(got) == 800, one, two), "both read what comes", len(got))
    one.close()
    produce(800)
    check(until(lambda: len(got) >= 1200, two) and sorted(got) == list(range(1200)),
          "one leaves, and nothing is lost or read twice", len(got))
    two.close()
    before = str(admin.list_groups())
    admin.delete_groups(["python"])
    check("'python'" in before and "'python'" not in str(admin.list_groups()),
          "the group is listed, and deleted", before)
    admin.close()
    producer.close()


def check_transactions(server):
    producer = KafkaProducer(bootstrap_servers=server.kafka, transactional_id="python")
    producer.init_transactions()
    partition = TopicPartition("decided", 0)
    for i in range(9):
        producer.begin_transaction()
        for j in range(10):
            producer.send("decided", b"%d" % (i * 10 + j), partition=0)
        producer.send_offsets_to_transaction({partition: OffsetAndMetadata(i, "", -1)}, "moved")
        if i % 3 == 2:
            producer.abort_transaction()
        else:
            producer.commit_transaction()
    producer.close()
    consumer = KafkaConsumer(bootstrap_servers=server.kafka, group_id="moved",
                             isolation_level="read_committed", auto_offset_reset="earliest",
                             enable_auto_commit=False, consumer_timeout_ms=3000)
    consumer.assign([partition])
    consumer.seek_to_beginning()
    got = [int(record.value) for record in consumer]
    check(got == [n for n in range(90) if n // 10 % 3 != 2],
          "what is committed is read, and nothing else", got)
    check(consumer.committed(partition) == 7, "offsets are those of the commits",
          consumer.committed(partition))
    consumer.close()


def check_admin(server):
    admin = KafkaAdminClient(bootstrap_servers=server.kafka)
    admin.create_topics([NewTopic(topic, 1, 3) for topic in TOPICS])
    directories = admin.describe_log_dirs()
    check(str(server.data) in str(directories), "the data directory is described", directories)
    moving = admin.list_partition_reassignments()
    check(not moving, "no partition is being moved", moving)
    admin.close()


def main():
    with scratch() as folder, Server(folder / "data") as server:
        check_admin(server)
        check_sessions(server)
        check_group(server)
        check_transactions(server)
    finish()


main()
