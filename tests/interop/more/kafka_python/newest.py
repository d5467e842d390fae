#!/usr/bin/env python3
"""A newer kafka-python than Debian's: its admin client, and a consumer with fetch sessions."""

import logging
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from harness import Server, check, finish, scratch

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
    finish()


main()
