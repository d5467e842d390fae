#!/usr/bin/python3
"""librdkafka's idempotent and transactional producers against the server: nothing twice, and all of
a transaction or none of it, also when the server is killed in the middle."""

import contextlib
import json
import random
import socket
import struct
import threading
import time

from kafka import KafkaConsumer, TopicPartition

from harness import Server, check, finish, leat, run, scratch
from librdkafka import Failed, Producer

TXN_OFFSET_COMMIT = 28  # the number of that API


def read(server, topic, committed=True):
    """The values of all partitions, as a list for each."""
    level = "read_committed" if committed else "read_uncommitted"
    got = run("kcat", "-b", server.kafka, "-C", "-t", topic, "-e", "-q", "-o", "beginning", "-X",
              f"isolation.level={level}", "-f", "%p %s\\n")
    values = {}
    for line in got.stdout.splitlines():
        partition, value = line.split(b" ", 1)
        values.setdefault(int(partition), []).append(value.decode())
    return values


def create(server, topic, partitions):
    leat("topic", "create", topic, "-p", str(partitions), "-b", server.kafka)


def settings(server, **more):
    named = {name.replace("_", "."): value for name, value in more.items()}
    return {"bootstrap.servers": server.kafka, "linger.ms": 1, "log_level": 0,
            "reconnect.backoff.max.ms": 200, **named}


def committed_and_aborted(server):
    create(server, "pair", 2)
    producer = Producer(settings(server, transactional_id="pair"))
    producer.init()
    expected = []
    for i in range(40):
        producer.begin()
        for partition in (0, 1):
            producer.produce("pair", partition, f"{i}".encode())
        if i % 3 == 2:
            producer.flush()
            producer.abort()
        else:
            producer.commit()
            expected.append(str(i))
    producer.close()
    got = read(server, "pair")
    check(got == {0: expected, 1: expected},
          "of 40 transactions by librdkafka, those that were committed are read, in order", got)
    everything = read(server, "pair", committed=False)
    check(all(len(values) == 40 for values in everything.values()),
          "and all of them by a reader of what is not committed", everything)


def open_transaction(server):
    create(server, "open", 1)
    producer = Producer(settings(server, transactional_id="open"))
    producer.init()
    producer.begin()
    producer.produce("open", 0, b"first")
    producer.flush()
    check(read(server, "open") == {}, "what is not decided yet is not read")
    other = Producer(settings(server, transactional_id="open"))
    other.init()
    try:
        producer.commit()
        check(False, "a producer whose id another one has taken is fenced")
    except Failed as failed:
        check(True, "a producer whose id another one has taken is fenced", failed)
    producer.close()
    other.begin()
    other.produce("open", 0, b"second")
    other.commit()
    other.close()
    check(read(server, "open") == {0: ["second"]},
          "what the fenced one had sent is aborted, and the new one's is read", read(server, "open"))


def offsets(server):
    create(server, "in", 1)
    create(server, "out", 1)
    run("kcat", "-b", server.kafka, "-P", "-t", "in", stdin=b"a\nb\nc\n")
    producer = Producer(settings(server, transactional_id="mover"))
    producer.init()
    told = []
    for offset, decide in ((1, producer.commit), (2, producer.abort), (3, producer.commit)):
        producer.begin()
        producer.produce("out", 0, b"moved")
        producer.send_offset("movers", "in", 0, offset)
        decide()
        told.append(committed_offset(server, "movers"))
    producer.close()
    check(told == [1, 1, 3], "a group's offsets move with the transaction they are in", told)


def committed_offset(server, group):
    """As kafka-python asks; the answer of a transaction that is being ended comes later."""
    consumer = KafkaConsumer(bootstrap_servers=server.kafka, group_id=group,
                             enable_auto_commit=False)
    time.sleep(0.3)
    offset = consumer.committed(TopicPartition("in", 0))
    consumer.close()
    return offset


def idempotent_under_kill(server, seed):
    topic = f"once-{seed}"
    create(server, topic, 2)
    producer = Producer(settings(server, enable_idempotence="true", message_timeout_ms=120000))
    chance = random.Random(seed)
    stop = threading.Event()
    killer = threading.Thread(target=kill_often, args=(server, chance, stop))
    killer.start()
    count = 6000
    for i in range(count):
        producer.produce(topic, i % 2, f"{i}".encode())
        if i % 100 == 0:
            time.sleep(0.02)
    stop.set()
    killer.join()
    producer.flush(120)
    failed = producer.failed
    producer.close()
    got = read(server, topic)
    wanted = {p: [str(i) for i in range(count) if i % 2 == p] for p in (0, 1)}
    check(got == wanted and failed == 0,
          f"an idempotent producer under kill -9: {count} records, each once, in order "
          f"(seed {seed})", json.dumps({"failed": failed, "got": sum(map(len, got.values()))}))


def kill_often(server, chance, stop):
    while not stop.wait(chance.uniform(0.3, 1.0)):
        server.kill()
        server.start()


def transactions_under_kill(server, seed):
    """Counts what is known of each transaction, and compares with what is read."""
    topic = f"all-or-none-{seed}"
    create(server, topic, 3)
    chance = random.Random(seed)
    stop = threading.Event()
    killer = threading.Thread(target=kill_often, args=(server, chance, stop))
    killer.start()
    fate = {}
    producer = None
    ends = time.monotonic() + 6
    number = 0
    while time.monotonic() < ends:
        number += 1
        try:
            if producer is None:
                producer = Producer(settings(server, transactional_id=f"id-{seed}"))
                producer.init()
            fate[number] = "unknown"
            producer.begin()
            for partition in range(3):
                producer.produce(topic, partition, f"{number}".encode())
            if chance.random() < 0.3:
                producer.flush(30)
                producer.abort()
                fate[number] = "aborted"
            else:
                producer.commit()
                fate[number] = "committed"
        except Failed as failed:
            try:
                if not failed.requires_abort:
                    raise
                producer.abort()
                fate[number] = "aborted"
            except Failed:
                producer.close()
                producer = None
    stop.set()
    killer.join()
    if producer is not None:
        producer.close()
    # Whoever takes the id over ends what is open.
    last = Producer(settings(server, transactional_id=f"id-{seed}"))
    last.init()
    last.close()
    got = read(server, topic)
    rows = [[int(value) for value in got.get(partition, [])] for partition in range(3)]
    check(rows[0] == rows[1] == rows[2],
          f"transactions under kill -9 are in all partitions or in none (seed {seed})",
          [len(row) for row in rows])
    committed = [n for n in sorted(fate) if fate[n] == "committed"]
    seen = set(rows[0])
    lost = [n for n in committed if n not in seen]
    undead = [n for n in rows[0] if fate.get(n) == "aborted"]
    check(not lost and not undead and rows[0] == sorted(seen) and len(committed) > 0,
          f"all {len(committed)} that were told to be committed are there, once, in order, and "
          f"none of the aborted (seed {seed})", (lost, undead))


class DeadlyWay:
    """Clients come to a server by it, and the first request of one API finds it killed and started
    again, on a connection that lives on."""

    def __init__(self, api):
        self.api = api
        self.server = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.kept = None

    def open(self, server):
        self.server = server
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def connect(self, client):
        host, port = self.server.kafka.split(":")
        onwards = socket.create_connection((host, int(port)))
        threading.Thread(target=self.carry_back, args=(onwards, client), daemon=True).start()
        return onwards

    def carry_back(self, onwards, client):
        with contextlib.suppress(OSError):
            while data := onwards.recv(65536):
                client.sendall(data)
        if client is not self.kept:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def carry(self, client):
        with contextlib.suppress(OSError), client, client.makefile("rb") as requests:
            onwards = self.connect(client)
            while size := requests.read(4):
                request = requests.read(struct.unpack(">i", size)[0])
                if struct.unpack(">h", request[:2])[0] == self.api:
                    self.api = None
                    self.kept = client
                    self.server.kill()
                    self.server.start()
                    onwards = self.connect(client)
                    self.kept = None
                onwards.sendall(size + request)


def forgotten_group(folder):
    """The group was added to the transaction in memory alone, which a kill takes."""
    way = DeadlyWay(TXN_OFFSET_COMMIT)
    with Server(folder / "forgotten", "--advertised", way.address) as server:
        way.open(server)
        create(server, "f", 1)
        producer = Producer({**settings(server, transactional_id="f"),
                             "bootstrap.servers": way.address})
        producer.init()
        producer.begin()
        outcome = None
        try:
            producer.send_offset("forgotten", "f", 0, 5)
        except Failed as failed:
            outcome = failed
        check(outcome is not None and outcome.requires_abort,
              "librdkafka is told to abort where a kill took the group from its transaction",
              outcome)
        try:
            producer.abort()
            producer.begin()
            producer.send_offset("forgotten", "f", 0, 6)
            producer.commit()
            outcome = None
        except Failed as failed:
            outcome = failed
        producer.close()
        check(outcome is None, "and goes on with the next one", outcome)


def main():
    with scratch() as folder, Server(folder / "data") as server:
        forgotten_group(folder)
        committed_and_aborted(server)
        open_transaction(server)
        offsets(server)
        for seed in (1, 2):
            idempotent_under_kill(server, seed)
            transactions_under_kill(server, seed)
    finish()


if __name__ == "__main__":
    main()
