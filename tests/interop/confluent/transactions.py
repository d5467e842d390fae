#!/usr/bin/env python3
"""confluent-kafka's transactions: committed, aborted, fenced, and records that are moved from topic
to topic exactly once, while members come and go and the server is killed."""

import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from harness import Server, check, finish, leat, scratch, wait_for

COUNT = 3000


def settings(server, **more):
    """Without what librdkafka 2.16 does when its only broker is down: it forgets all brokers and
    begins anew, but goes on waiting for a group's coordinator among those it has forgotten."""
    named = {name.replace("_", "."): value for name, value in more.items()}
    return {"bootstrap.servers": server.kafka, "log_level": 0, "reconnect.backoff.max.ms": 200,
            "metadata.recovery.strategy": "none", **named}


def transactional(server, name, **more):
    producer = Producer(settings(server, transactional_id=name, linger_ms=1, **more))
    producer.init_transactions(30)
    return producer


def read(server, topic, partitions=1, level="read_committed"):
    """All values that such a reader gets."""
    consumer = Consumer(settings(server, group_id="unused", isolation_level=level,
                                 auto_offset_reset="earliest", enable_partition_eof=True))
    consumer.assign([TopicPartition(topic, p, 0) for p in range(partitions)])
    values, ended = [], 0
    while ended < partitions:
        message = consumer.poll(20)
        if message is None:
            break
        if message.error():
            ended += 1
        else:
            values.append(int(message.value()))
    consumer.close()
    return values


def check_ends(server):
    leat("topic", "create", "ends", "-p", "1", "-b", server.kafka)
    producer = transactional(server, "ends")
    for i in range(30):
        producer.begin_transaction()
        producer.produce("ends", b"%d" % i)
        if i % 3 == 2:
            producer.flush(10)
            producer.abort_transaction(20)
        else:
            producer.commit_transaction(20)
    kept = [i for i in range(30) if i % 3 != 2]
    check(read(server, "ends") == kept, "what is committed is read, and nothing else")
    check(read(server, "ends", level="read_uncommitted") == list(range(30)),
          "who asks for it reads what was aborted as well")
    producer.begin_transaction()
    producer.produce("ends", b"30")
    producer.flush(10)
    check(read(server, "ends") == kept, "what is not decided yet is not read")
    other = transactional(server, "ends")
    try:
        producer.commit_transaction(20)
        fenced = False
    except KafkaException as error:
        fenced = error.args[0].fatal()
    check(fenced, "a producer whose id another one has taken is fenced")
    other.begin_transaction()
    other.produce("ends", b"31")
    other.commit_transaction(20)
    check(read(server, "ends") == kept + [31], "the new one's records are read")


class Mover(threading.Thread):
    """Moves records from one topic to another, offsets included in the transaction, until it is
    asked to stop or there is nothing left."""

    def __init__(self, server, name):
        super().__init__()
        self.server = server
        self.id = name
        self.stopping = threading.Event()
        self.moved = 0
        self.start()

    def run(self):
        while not self.stopping.is_set():
            consumer = Consumer(settings(
                self.server, group_id="movers", auto_offset_reset="earliest",
                enable_auto_commit=False, heartbeat_interval_ms=100,
                isolation_level="read_committed"))
            try:
                consumer.subscribe(["from"])
                producer = transactional(self.server, self.id)
                while not self.stopping.is_set():
                    self.move(consumer, producer)
            except KafkaException:
                continue  # begins again, as a process that is started anew
            finally:
                consumer.close()

    def move(self, consumer, producer):
        messages = [m for m in consumer.consume(50, timeout=0.2) if not m.error()]
        if not messages:
            return
        producer.begin_transaction()
        try:
            for message in messages:
                producer.produce("to", message.value(), partition=message.partition())
            producer.send_offsets_to_transaction(
                consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), 20)
            producer.commit_transaction(30)
            self.moved += len(messages)
        except KafkaException as error:
            if error.args[0].txn_requires_abort():
                producer.abort_transaction(30)
            raise

    def stop(self):
        self.stopping.set()
        self.join()


def check_exactly_once(server):
    leat("topic", "create", "from", "-p", "2", "-b", server.kafka)
    leat("topic", "create", "to", "-p", "2", "-b", server.kafka)
    producer = Producer(settings(server))
    for i in range(COUNT):
        producer.produce("from", b"%d" % i, partition=i % 2)
    producer.flush(20)
    movers = [Mover(server, "mover-1"), Mover(server, "mover-2")]

    def moved():
        return sum(mover.moved for mover in movers)

    wait_for(lambda: moved() > COUNT // 6)
    server.kill()
    server.start()
    wait_for(lambda: moved() > COUNT // 3)
    movers[0].stop()
    movers.append(Mover(server, "mover-3"))

    def everything():
        return len(set(read(server, "to", 2))) == COUNT

    check(wait_for(everything, 60), "records are moved by members that come and go", moved())
    for mover in movers[1:]:
        mover.stop()
    values = read(server, "to", 2)
    check(sorted(values) == list(range(COUNT)),
          "each exactly once, though the server was killed", (len(values), len(set(values))))
    check([v for v in values if v % 2 == 0] == list(range(0, COUNT, 2)), "in order")


def main():
    with scratch() as folder, Server(folder / "data") as server:
        check_ends(server)
        check_exactly_once(server)
    finish()


main()
