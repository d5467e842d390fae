#!/usr/bin/env python3
"""confluent-kafka's consumers as groups: rebalanced eagerly and cooperatively, static, killed with
their server, set back."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from harness import Server, check, finish, leat, scratch, wait_for

PARTITIONS = 4


class Member:
    """A consumer of a group, what it got, and what it was told of its partitions."""

    def __init__(self, server, group, topic, **settings):
        named = {name.replace("_", "."): value for name, value in settings.items()}
        self.got = []
        self.told = []
        self.errors = []
        self.consumer = Consumer({
            "bootstrap.servers": server.kafka, "group.id": group, "auto.offset.reset": "earliest",
            "enable.auto.commit": False, "heartbeat.interval.ms": 100, "log_level": 0,
            "reconnect.backoff.max.ms": 200, **named})
        self.consumer.subscribe(
            [topic], on_assign=lambda _, parts: self.told.append(("assigned", len(parts))),
            on_revoke=lambda _, parts: self.told.append(("revoked", len(parts))),
            on_lost=lambda _, parts: self.told.append(("lost", len(parts))))

    def take(self):
        for message in self.consumer.consume(500, timeout=0.05):
            if message.error():
                self.errors.append(message.error().code())
            else:
                self.got.append(int(message.value()))

    def partitions(self):
        return len(self.consumer.assignment())

    def commit(self):
        if self.consumer.assignment():
            self.consumer.commit(asynchronous=False)

    def close(self):
        self.consumer.close()


def until(condition, *members):
    """Lets the members poll until the condition holds."""
    def polled():
        for member in members:
            member.take()
        return condition()
    return wait_for(polled, 30)


def produce(server, topic, first, count):
    producer = Producer({"bootstrap.servers": server.kafka})
    for i in range(first, first + count):
        producer.produce(topic, b"%d" % i, partition=i % PARTITIONS)
    producer.flush(20)


def check_rebalances(server, strategy):
    """A second member comes, and goes again. Each commits what it has before it gives it away."""
    topic = group = strategy
    leat("topic", "create", topic, "-p", str(PARTITIONS), "-b", server.kafka)
    produce(server, topic, 0, 1000)
    option = {"partition_assignment_strategy": strategy}
    one = Member(server, group, topic, **option)
    check(until(lambda: len(one.got) == 1000, one), f"{strategy}: one member reads everything",
          len(one.got))
    one.commit()
    two = Member(server, group, topic, **option)
    check(until(lambda: one.partitions() == two.partitions() == PARTITIONS // 2, one, two),
          f"{strategy}: two share the partitions", (one.told, two.told))
    revoked = [count for what, count in one.told if what == "revoked"]
    kept = PARTITIONS // 2 if strategy == "cooperative-sticky" else PARTITIONS
    check(revoked == [kept], f"{strategy}: the first gave up {kept} of {PARTITIONS} for it",
          one.told)
    produce(server, topic, 1000, 1000)
    check(until(lambda: len(one.got) + len(two.got) == 2000, one, two),
          f"{strategy}: both read what comes", (len(one.got), len(two.got)))
    one.commit()
    two.commit()
    one.close()
    check(until(lambda: two.partitions() == PARTITIONS, two),
          f"{strategy}: when one leaves, the other one has all again", two.told)
    produce(server, topic, 2000, 1000)
    until(lambda: len(one.got) + len(two.got) == 3000, two)
    check(sorted(one.got + two.got) == list(range(3000)),
          f"{strategy}: nothing was read twice, and nothing left out", len(one.got + two.got))
    two.commit()
    two.close()


def check_kill(server):
    leat("topic", "create", "killed", "-p", str(PARTITIONS), "-b", server.kafka)
    produce(server, "killed", 0, 1000)
    members = [Member(server, "killed", "killed") for _ in range(2)]

    def total():
        return sum(len(member.got) for member in members)

    check(until(lambda: total() == 1000 and all(m.partitions() == 2 for m in members), *members),
          "two members read on", total())
    for member in members:
        member.commit()
    server.kill()
    server.start()
    produce(server, "killed", 1000, 1000)
    check(until(lambda: len(set(members[0].got + members[1].got)) == 2000, *members),
          "and after a kill -9 of the server", total())
    for member in members:
        member.commit()
        member.close()
    late = Member(server, "killed", "killed")
    produce(server, "killed", 2000, 8)
    check(until(lambda: len(late.got) == 8, late) and min(late.got) == 2000,
          "who comes later goes on where they were", late.got[:20])
    late.close()


def check_static(server):
    leat("topic", "create", "static", "-p", str(PARTITIONS), "-b", server.kafka)
    one = Member(server, "static", "static", group_instance_id="one")
    two = Member(server, "static", "static", group_instance_id="two")
    until(lambda: one.partitions() == two.partitions() == PARTITIONS // 2, one, two)
    told = list(one.told)
    kept = {p.partition for p in two.consumer.assignment()}
    two.close()
    two = Member(server, "static", "static", group_instance_id="two")
    check(until(lambda: two.partitions() == PARTITIONS // 2, one, two) and
          {p.partition for p in two.consumer.assignment()} == kept,
          "a static member that comes back has what it had", (kept, two.told))
    check(one.told == told, "and the others are not disturbed", one.told)
    twin = Member(server, "static", "static", group_instance_id="two")

    def fenced():
        try:
            two.take()
        except KafkaException as error:
            two.errors.append(error.args[0].code())
        return bool({KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID} & set(two.errors))

    check(until(fenced, one, twin), "a second one of that name takes its place, and it is told so",
          two.errors)
    for member in (one, two, twin):
        member.close()


def check_resets(server):
    """Positions: by offset, by time, by what to do where there is none."""
    leat("topic", "create", "resets", "-p", "1", "-b", server.kafka)
    producer = Producer({"bootstrap.servers": server.kafka})
    for i in range(100):
        producer.produce("resets", b"%d" % i, timestamp=1_000_000 + i * 1000)
    producer.flush(10)
    partition = TopicPartition("resets", 0)

    latest = Member(server, "latest", "resets", auto_offset_reset="latest",
                    enable_partition_eof=True)
    until(lambda: KafkaError._PARTITION_EOF in latest.errors, latest)
    producer.produce("resets", b"100")
    producer.flush(10)
    check(until(lambda: latest.got, latest) and latest.got == [100],
          "auto.offset.reset=latest reads only what comes", latest.got)
    latest.close()

    member = Member(server, "resets", "resets")
    until(lambda: len(member.got) == 101, member)
    found = member.consumer.offsets_for_times([TopicPartition("resets", 0, 1_090_000)], timeout=10)
    check(found[0].offset == 90, "a time finds an offset", found)
    member.got.clear()
    member.consumer.seek(found[0])
    check(until(lambda: len(member.got) == 11, member) and member.got == list(range(90, 101)),
          "a member seeks, and reads again from there", member.got)
    member.consumer.commit(offsets=[TopicPartition("resets", 0, 7, metadata="n\u00f6te")],
                           asynchronous=False)
    told = member.consumer.committed([partition], timeout=10)[0]
    check((told.offset, told.metadata) == (7, "n\u00f6te"), "it commits an offset and a note", told)
    member.close()
    leat("group", "seek", "resets", "--to", "50", "--yes", "-b", server.kafka)
    member = Member(server, "resets", "resets")
    check(until(lambda: len(member.got) == 51, member) and member.got[0] == 50,
          "an empty group is set back from the command line, and reads from there", member.got[:3])
    member.close()


def main():
    with scratch() as folder, Server(folder / "data") as server:
        for strategy in ("range", "roundrobin", "cooperative-sticky"):
            check_rebalances(server, strategy)
        check_kill(server)
        check_static(server)
        check_resets(server)
    finish()


main()
