#!/usr/bin/env python3
"""Consumers of confluent-kafka with group.protocol=consumer (KIP-848): the broker hands out."""

import pathlib
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from confluent_kafka import (Consumer, ConsumerGroupState, ConsumerGroupTopicPartitions,
                             ConsumerGroupType, KafkaError, KafkaException, Producer,
                             TopicPartition)
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from harness import Server, check, finish, leat, scratch, wait_for

PARTITIONS = 6


class Member:
    """A consumer in a thread of its own, which commits all that it reads."""

    def __init__(self, server, group, topics=("work",), **config):
        self.owned = set()
        self.shared = []  # partitions that it got while another one had them
        self.read = []
        self.errors = []
        self.stopping = False
        self.killed = False
        self.consumer = Consumer({"bootstrap.servers": server.kafka, "group.id": group,
                                  "group.protocol": "consumer", "auto.offset.reset": "earliest",
                                  "enable.auto.commit": False, **config})
        self.consumer.subscribe(list(topics), on_assign=self.assign, on_revoke=self.revoke,
                                on_lost=self.lose)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def assign(self, consumer, partitions):
        consumer.incremental_assign(partitions)
        self.owned |= {(p.topic, p.partition) for p in partitions}

    def revoke(self, consumer, partitions):
        self.owned -= {(p.topic, p.partition) for p in partitions}
        consumer.incremental_unassign(partitions)

    def lose(self, consumer, partitions):
        self.revoke(consumer, partitions)

    def run(self):
        while not self.stopping:
            message = self.consumer.poll(0.05)
            if message is None:
                continue
            if message.error():
                self.errors.append(message.error())
                continue
            try:
                self.consumer.commit(message, asynchronous=False)
            except KafkaException as error:
                # It is not ours any more, or the server is away: whoever reads it next commits it.
                self.errors.append(error.args[0])
                continue
            self.read.append((message.partition(), message.offset(), message.value()))
        if not self.killed:
            self.consumer.close()

    def stop(self):
        self.stopping = True
        self.thread.join(30)
        self.owned = set()


def produce(server, first, count, topic="work", partitions=PARTITIONS):
    producer = Producer({"bootstrap.servers": server.kafka})
    for i in range(first, first + count):
        producer.produce(topic, b"%d" % i, partition=i % partitions)
    producer.flush(30)


def all_owned(members, partitions=PARTITIONS, topic="work"):
    """Every partition has one owner, and every member about as many."""
    owned = [p for member in members for p in member.owned]
    even = max(len(m.owned) for m in members) - min(len(m.owned) for m in members) <= 1
    return sorted(owned) == [(topic, i) for i in range(partitions)] and even


def shape(members):
    return [sorted(member.owned) for member in members]


def values(members):
    return sorted({int(value) for member in members for _, _, value in member.read})


def check_members(server, admin):
    produce(server, 0, 60)
    members = [Member(server, "team")]
    check(wait_for(lambda: all_owned(members), 30), "a first member gets all", shape(members))
    for _ in range(2):
        members.append(Member(server, "team"))
    check(wait_for(lambda: all_owned(members), 60), "three members share evenly", shape(members))
    check(wait_for(lambda: values(members) == list(range(60)), 30), "they read everything",
          values(members))
    described = admin.describe_consumer_groups(["team"])["team"].result(10)
    check(described.state == ConsumerGroupState.STABLE and len(described.members) == 3 and
          described.type == ConsumerGroupType.CONSUMER,
          "the group is described as stable, of the consumer protocol, with three members",
          (described.state, described.type))
    listed = admin.list_consumer_groups().result(10)
    check([(g.group_id, g.type) for g in listed.valid] == [("team", ConsumerGroupType.CONSUMER)],
          "it is listed", listed.valid)
    described = leat("group", "describe", "team", "--brokers", server.kafka).stdout.decode()
    check("Stable, 3 members, protocol uniform" in described, "leat describes it", described)
    listed = leat("group", "list", "--brokers", server.kafka).stdout.decode()
    check("team" in listed and "Stable" in listed, "leat lists it", listed)
    members.pop().stop()
    check(wait_for(lambda: all_owned(members), 60), "one leaves, and two share", shape(members))
    altered = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(
        "team", [TopicPartition("work", 0, 0)])])["team"].result(10)
    error = altered.topic_partitions[0].error
    check(error is not None and error.code() == KafkaError.UNKNOWN_MEMBER_ID,
          "an admin may not set back who is at work", error)
    return members


def check_growth(server, admin, members):
    admin.create_partitions([NewPartitions("work", PARTITIONS + 2)])["work"].result(10)
    check(wait_for(lambda: all_owned(members, PARTITIONS + 2), 60), "new partitions are handed out",
          shape(members))


def check_restart(server, members):
    produce(server, 60, 40)
    check(wait_for(lambda: len(values(members)) >= 80, 60), "they read on", len(values(members)))
    server.kill()
    server.start()
    produce(server, 100, 60)
    check(wait_for(lambda: values(members) == list(range(160)), 60),
          "they read on over a kill of the server", len(values(members)))
    check(all_owned(members, PARTITIONS + 2), "each keeps what it had", shape(members))
    for member in members:
        member.stop()
    # Nobody reads again what was committed.
    produce(server, 160, 8)
    late = Member(server, "team")
    check(wait_for(lambda: len(late.read) >= 8, 60) and values([late]) == list(range(160, 168)),
          "one that comes later begins where they ended", values([late]))
    late.stop()


def check_killed(server):
    """Its session ends 45 s after its last heartbeat."""
    program = ("import sys; from confluent_kafka import Consumer; "
               "c = Consumer({'bootstrap.servers': sys.argv[1], 'group.id': 'killed', "
               "'group.protocol': 'consumer'}); c.subscribe(['work']); "
               "[c.poll(0.1) for _ in iter(int, 1)]")
    victim = subprocess.Popen([sys.executable, "-c", program, server.kafka])
    member = Member(server, "killed")
    all_partitions = PARTITIONS + 2
    check(wait_for(lambda: len(member.owned) == all_partitions // 2, 60),
          "a process of its own shares", shape([member]))
    victim.kill()
    victim.wait()
    check(wait_for(lambda: all_owned([member], all_partitions), 90),
          "what a process had that is killed goes to the other", shape([member]))
    member.stop()


def check_static(server):
    first = Member(server, "static", **{"group.instance.id": "one"})
    second = Member(server, "static", **{"group.instance.id": "two"})
    both = [first, second]
    check(wait_for(lambda: all_owned(both, PARTITIONS + 2), 60), "static members share",
          shape(both))
    had = set(first.owned)
    kept = set(second.owned)
    first.stop()
    time.sleep(1)
    first = Member(server, "static", **{"group.instance.id": "one"})
    check(wait_for(lambda: first.owned == had, 30) and second.owned == kept,
          "one that is started anew has what it had, and the other does not notice",
          shape([first, second]))
    first.stop()
    second.stop()


def check_pattern(server, admin):
    admin.create_topics([NewTopic("sales-eu", 1, 1)])["sales-eu"].result(10)
    member = Member(server, "pattern", topics=["^sales-.*"])
    check(wait_for(lambda: member.owned == {("sales-eu", 0)}, 30), "a pattern is subscribed to",
          member.owned or member.errors)
    admin.create_topics([NewTopic("sales-us", 1, 1)])["sales-us"].result(10)
    check(wait_for(lambda: member.owned == {("sales-eu", 0), ("sales-us", 0)}, 30),
          "and the topic that is made later", member.owned or member.errors)
    member.stop()


def main():
    with scratch() as folder, Server(folder / "data") as server:
        admin = AdminClient({"bootstrap.servers": server.kafka})
        admin.create_topics([NewTopic("work", PARTITIONS, 1)])["work"].result(10)
        members = check_members(server, admin)
        check_growth(server, admin, members)
        check_restart(server, members)
        admin = AdminClient({"bootstrap.servers": server.kafka})
        check_killed(server)
        check_static(server)
        check_pattern(server, admin)
        admin.delete_consumer_groups(["team"])["team"].result(10)
        listed = [g.group_id for g in admin.list_consumer_groups().result(10).valid]
        check("team" not in listed, "the empty group is deleted", listed)
    finish()


main()
