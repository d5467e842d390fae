#!/usr/bin/python3
"""kill -9 of a server at work: what was acknowledged is there afterwards, in order, unchanged.

LEAT_KILL_ROUNDS says how often (default 3); a failing round prints its seed.
"""

import os
import random
import subprocess
import threading
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from harness import Server, check, edits, finish, leat, run, scratch


def kcat_round(server, lines, codec, seed):
    """kcat gives up when the server dies, is started again with the rest, and all is there once."""
    topic = f"kcat-{seed}"
    with subprocess.Popen(
            ["kcat", "-b", server.kafka, "-P", "-t", topic, "-z", codec, "-vvv", "-X",
             "max.in.flight.requests.per.connection=1", "-X", "batch.num.messages=200", "-X",
             "linger.ms=1"], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as producer:
        thread = kill_after(server, random.Random(seed).uniform(0.05, 0.6))
        _, told = producer.communicate(b"\n".join(lines) + b"\n", timeout=120)
        thread.join()
    acknowledged = told.count(b"Message delivered to partition")
    got = kcat_read(server, topic)
    check(acknowledged <= len(got) and got == lines[:len(got)],
          f"after a kill -9, the {acknowledged} that kcat with {codec} had acknowledged are there, "
          f"in order (seed {seed})", f"{len(got)} are there")
    rest = b"".join(line + b"\n" for line in lines[len(got):])
    resumed = run("kcat", "-b", server.kafka, "-P", "-t", topic, "-z", codec, stdin=rest)
    check(resumed.returncode == 0 and kcat_read(server, topic) == lines,
          f"the rest is resumed, and every line is there byte for byte (seed {seed})",
          resumed.stderr)


def kcat_read(server, topic):
    got = run("kcat", "-b", server.kafka, "-C", "-t", topic, "-e", "-q", "-o", "beginning")
    return got.stdout.splitlines()


def kill_after(server, seconds):
    def kill_and_restart():
        time.sleep(seconds)
        server.kill()
        server.start()
    thread = threading.Thread(target=kill_and_restart)
    thread.start()
    return thread


def acknowledged_round(server, lines, seed):
    """Keeps the offset of every acknowledgement, and looks there after the kill."""
    chance = random.Random(seed)
    topic = f"acknowledged-{seed}"
    partitions = chance.choice([1, 6])
    leat("topic", "create", topic, "-p", partitions, "-b", server.kafka)
    acknowledged = {}
    producer = KafkaProducer(bootstrap_servers=server.kafka, acks="all", retries=0, linger_ms=1,
                             batch_size=8192, max_block_ms=20000,
                             compression_type=chance.choice([None, "gzip"]))
    try:
        producer.partitions_for(topic)
        thread = kill_after(server, chance.uniform(0.05, 1.0))
        for number, line in enumerate(lines[:20000]):
            try:
                producer.send(topic, line, partition=number % partitions).add_callback(
                    lambda metadata, line=line: acknowledged.__setitem__(
                        (metadata.partition, metadata.offset), line))
            except KafkaError:
                pass
        try:
            producer.flush(60)
        except KafkaError:
            pass
        thread.join()
    finally:
        producer.close(10)
    got = [read_all(server, topic, partition) for partition in range(partitions)]
    missing = [(partition, offset) for (partition, offset), line in acknowledged.items()
               if got[partition].get(offset) != line]
    check(not missing, f"all {len(acknowledged)} acknowledged in {partitions} partitions are at "
          f"their offsets (seed {seed})", f"{len(missing)} are not, the first {sorted(missing)[:3]}")
    check(all(sorted(offsets) == list(range(len(offsets))) for offsets in got),
          f"no offset is skipped (seed {seed})")


def read_all(server, topic, number):
    partition = TopicPartition(topic, number)
    consumer = KafkaConsumer(bootstrap_servers=server.kafka, enable_auto_commit=False,
                             group_id=None, auto_offset_reset="earliest")
    try:
        consumer.assign([partition])
        end = consumer.end_offsets([partition])[partition]
        consumer.seek_to_beginning(partition)
        got = {}
        deadline = time.monotonic() + 60
        while consumer.position(partition) < end and time.monotonic() < deadline:
            for records in consumer.poll(500).values():
                got.update((record.offset, record.value) for record in records)
        return got
    finally:
        consumer.close()


def main():
    lines = edits()
    rounds = int(os.environ.get("LEAT_KILL_ROUNDS", "3"))
    first_seed = int(os.environ.get("LEAT_KILL_SEED", time.time_ns() // 1000 % 1000000))
    codecs = ("none", "gzip", "snappy", "lz4", "zstd")
    with scratch() as folder, Server(folder / "data") as server:
        for seed in range(first_seed, first_seed + rounds):
            kcat_round(server, lines, codecs[seed % len(codecs)], seed)
            acknowledged_round(server, lines, seed)
    finish()


main()
