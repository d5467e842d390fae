#!/usr/bin/env python3
"""Raises an alert when a card looks stolen: more than 5 transactions of a customer in the 5 minutes
up to and including one of them, or an amount above 10,000.

An ordinary program for Kafka: nothing in it knows which server it talks to. It reads the topic
`transactions`, whose partitions are keyed by customer, as a member of a group, and writes to
`fraud-alerts`. Start several of them, and they share the partitions.

What it commits is not where it is, but the first transaction that its windows still need; where it
is goes along as the commit's metadata. So whoever takes a partition over fills the windows again
without raising the same alerts again. After a crash the alerts since the last commit are raised
twice, and none is lost: at least once. A reader tells them apart by transaction_id.
"""

import argparse
import bisect
import collections
import datetime
import json
import signal
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

WINDOW = 5 * 60 * 1000
MANY = 5
LARGE = 10_000
# Transactions may be this late, by their timestamp, and are judged by full windows all the same.
LATENESS = 5 * 60 * 1000
COMMIT_SECONDS = 1


def milliseconds(text):
    """A timestamp such as 2026-03-02T09:30:00.250Z."""
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


class Partition:
    """What a partition's customers did of late. A transaction is judged by those that stand before
    it in the partition. Memory: a window and the lateness of one partition."""

    def __init__(self, position):
        self.position = position  # the first transaction that has not been judged
        self.newest = 0
        self.recent = collections.deque()  # (offset, time, customer), as they came
        self.times = collections.defaultdict(list)  # of a customer, sorted

    def judge(self, offset, transaction):
        """The reasons for an alert. None where there are none, or it was judged before."""
        now = milliseconds(transaction["timestamp"])
        customer = transaction["customer_id"]
        self.recent.append((offset, now, customer))
        bisect.insort(self.times[customer], now)
        self.newest = max(self.newest, now)
        self.forget(self.newest - WINDOW - LATENESS)
        if offset < self.position:
            return []
        self.position = offset + 1
        times = self.times[customer]
        # From now - WINDOW to now, both included.
        count = bisect.bisect_right(times, now) - bisect.bisect_left(times, now - WINDOW)
        reasons = []
        if count > MANY:
            reasons.append(f"{count} transactions in 5 minutes")
        if transaction["amount"] > LARGE:
            reasons.append(f"an amount above {LARGE}")
        return reasons

    def forget(self, before):
        while self.recent and self.recent[0][1] < before:
            _, then, customer = self.recent.popleft()
            times = self.times[customer]
            times.remove(then)
            if not times:
                del self.times[customer]

    def needed(self):
        """The first transaction that whoever goes on from here has to read."""
        return self.recent[0][0] if self.recent else self.position


class Detector:
    def __init__(self, bootstrap, group):
        self.consumer = Consumer({
            "bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest",
            "enable.auto.commit": False, "partition.assignment.strategy": "cooperative-sticky",
            # So soon another one takes over from one that died.
            "session.timeout.ms": 6000})
        # No linger: an alert is on its way at once.
        self.producer = Producer({
            "bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 0})
        self.partitions = {}
        self.committed = time.monotonic()
        self.undelivered = None
        self.consumer.subscribe(["transactions"], on_assign=self.assigned, on_revoke=self.revoked,
                                on_lost=self.lost)

    def assigned(self, consumer, partitions):
        known = consumer.committed(partitions, timeout=30)
        for partition in known:
            self.partitions[partition.partition] = Partition(int(partition.metadata or 0))
        consumer.incremental_assign(known)

    def revoked(self, consumer, partitions):
        self.commit()
        self.lost(consumer, partitions)

    def lost(self, consumer, partitions):
        for partition in partitions:
            self.partitions.pop(partition.partition, None)

    def take(self, message):
        transaction = json.loads(message.value())
        reasons = self.partitions[message.partition()].judge(message.offset(), transaction)
        if reasons:
            alert = {name: transaction[name] for name in
                     ("customer_id", "transaction_id", "amount")}
            alert.update(reasons=reasons, timestamp=transaction["timestamp"])
            self.producer.produce("fraud-alerts", key=message.key(), value=json.dumps(alert),
                                  on_delivery=self.delivered)
            print(json.dumps(alert), flush=True)

    def delivered(self, error, _):
        self.undelivered = self.undelivered or error

    def commit(self):
        """What is committed has had its alerts delivered."""
        self.producer.flush()
        if self.undelivered:
            raise SystemExit(f"an alert could not be delivered: {self.undelivered}")
        offsets = [TopicPartition("transactions", number, partition.needed(),
                                  metadata=str(partition.position))
                   for number, partition in self.partitions.items()]
        self.committed = time.monotonic()
        try:
            if offsets:
                self.consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            # Nothing is lost by it: whoever goes on raises some alerts again.
            print(f"not committed: {error}", file=sys.stderr, flush=True)

    def run(self, running):
        while running():
            message = self.consumer.poll(0.2)
            if message is not None and not message.error():
                self.take(message)
            self.producer.poll(0)
            if time.monotonic() - self.committed > COMMIT_SECONDS:
                self.commit()
        self.consumer.close()  # which gives up its partitions, and commits


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options.add_argument("-b", "--bootstrap", default="127.0.0.1:9092", metavar="ADDRESS")
    options.add_argument("-g", "--group", default="fraud")
    options = options.parse_args()
    stopped = []
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stopped.append(True))
    Detector(options.bootstrap, options.group).run(lambda: not stopped)


if __name__ == "__main__":
    main()
