"""A member of the group "share" of rebalances.py, over confluent-kafka, in a process of its own:
rebalance_member.py SETTINGS. It writes what it does as soak_client.py does. SIGTERM asks it to
leave."""

import json
import os
import pathlib
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from confluent_kafka import Consumer, KafkaException, TopicPartition

from soak_client import Client, next_offsets, triples

GROUP = "share"
HEAD = b"CGMDv2:"


class Record:
    def __init__(self, message):
        self.place = (message.topic(), message.partition())
        self.offset = message.offset()
        self.value = message.value()


class Member:
    def __init__(self, client, strategy):
        self.client = client
        self.sessions = {}
        self.generation = {}
        self.records = []
        self.uncommitted = {}
        self.since = 0
        self.consumer = Consumer(client.settings(
            group_id=GROUP, partition_assignment_strategy=strategy, enable_auto_commit=False,
            session_timeout_ms=6000, heartbeat_interval_ms=300, max_poll_interval_ms=20000,
            auto_offset_reset="earliest", fetch_wait_max_ms=100))
        self.consumer.subscribe(["work"], on_assign=self.on_assign, on_revoke=self.on_revoke,
                                on_lost=self.on_lost)

    def learn_generation(self):
        """As librdkafka writes a membership down: a name of the format, the generation, ..."""
        written = self.consumer.consumer_group_metadata()
        if not written.startswith(HEAD):
            sys.exit(f"of another format: {written}")
        generation = struct.unpack_from("=i", written, len(HEAD))[0]
        self.generation = {"generation": generation} if generation > 0 else {}

    def on_assign(self, _consumer, partitions):
        # What was read before was of the last generation.
        self.note()
        self.learn_generation()
        if partitions:
            self.sessions.update(self.client.assigned(
                {(p.topic, p.partition): -1 for p in partitions}, True, GROUP, **self.generation))

    def on_revoke(self, _consumer, partitions):
        self.give_up(partitions, False)

    def on_lost(self, _consumer, partitions):
        self.give_up(partitions, True)

    def give_up(self, partitions, is_lost):
        self.note()
        done = {}
        for place in [(p.topic, p.partition) for p in partitions]:
            self.client.write(t=self.client.now(), call="revoke",
                              session=self.sessions.pop(place), topic=place[0],
                              partition=place[1], lost=is_lost)
            if place in self.uncommitted:
                done[place] = self.uncommitted.pop(place)
        if done and not is_lost:
            self.commit(done)

    def note(self):
        """What was read is processed."""
        if self.records:
            self.client.polled(self.since, self.sessions, self.records, **self.generation)
            self.uncommitted.update(next_offsets(self.records))
        self.records = []

    def poll(self, count):
        self.since = self.client.now()
        until = time.monotonic() + 0.2
        while len(self.records) < count and time.monotonic() < until:
            message = self.consumer.poll(0.02)
            if message is not None and message.error() is None:
                self.records.append(Record(message))
            elif message is None and self.records:
                break
        self.note()

    def commit(self, offsets):
        uid = self.client.uid()
        operation = self.client.begin("offsets", group=GROUP, uid=uid, offsets=triples(offsets))
        try:
            told = self.consumer.commit(
                offsets=[TopicPartition(*place, offset, metadata=uid)
                         for place, offset in offsets.items()], asynchronous=False)
            failed = [p.error.code() for p in told if p.error]
        except KafkaException as error:
            failed = [error.args[0].code()]
        if failed:
            # What is still ours is to be committed all the same.
            self.uncommitted = {place: offset for place, offset in offsets.items()
                                if place in self.sessions} | self.uncommitted
        # It may have been there before an answer was lost, and refused when it was sent again.
        self.client.end(operation, "unknown" if failed else "ok",
                        **({"error": failed[0]} if failed else {}))

    def run(self):
        while not self.client.stopping:
            self.poll(self.client.random.randrange(1, 400))
            if self.uncommitted and self.client.random.random() < 0.5:
                done, self.uncommitted = self.uncommitted, {}
                self.commit(done)
            time.sleep(self.client.random.uniform(0, 0.05))
        self.consumer.close()


def main():
    settings = json.loads(sys.argv[1])
    Member(Client(settings), settings["strategy"]).run()
    os._exit(0)


main()
