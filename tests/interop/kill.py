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

from harness import Server, check, edits, finish, run, scratch


def kcat_round(server, lines, codec, seed):
    """kcat keeps sending while the server dies and comes back. Its retries may repeat a batch."""
    topic = f"kcat-{seed}"
    text = b"".join(b"%d\t%s\n" % (i, line) for i, line in enumerate(lines))
    with subprocess.Popen(
            ["kcat", "-b", server.kafka, "-P", "-t", topic, "-z", codec, "-K", "\t",
             "-X", "max.in.flight.requests.per.connection=1", "-X", "linger.ms=1",
             "-X", "batch.num.messages=200", "-X", "retry.backoff.ms=50",
             "-X", "reconnect.backoff.max.ms=200"],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE) as producer:
        kill_after(server, random.Random(seed).uniform(0.05, 0.6))
        _, errors = producer.communicate(text, timeout=120)
    check(producer.returncode == 0, f"kcat with {codec} outlives a kill -9 (seed {seed})", errors)
    got = run("kcat", "-b", server.kafka, "-C", "-t", topic, "-e", "-q", "-K", "\t").stdout
    wrong = find_disorder(got.splitlines(), lines)
    check(wrong is None, f"every line is there, in order, byte for byte (seed {seed})", wrong)


def find_disorder(got, lines):
    """What is wrong with `got`, which may start again at a line it had before; None if nothing."""
    expected = 0
    for position, row in enumerate(got):
        number, value = row.split(b"\t", 1)
        index = int(number)
        if index > expected:
            return f"at {position}: line {index}, but {expected} was not there yet"
        if value != lines[index]:
            return f"at {position}: line {index} was changed"
        expected = max(expected, index + 1)
    return None if expected == len(lines) else f"ends after line {expected} of {len(lines)}"


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
    acknowledged = {}
    producer = KafkaProducer(bootstrap_servers=server.kafka, acks="all", retries=0, linger_ms=1,
                             batch_size=8192, max_block_ms=20000,
                             compression_type=chance.choice([None, "gzip"]))
    try:
        producer.partitions_for(topic)
        thread = kill_after(server, chance.uniform(0.05, 1.0))
        for line in lines[:20000]:
            try:
                producer.send(topic, line, partition=0).add_callback(
                    lambda metadata, line=line: acknowledged.__setitem__(metadata.offset, line))
            except KafkaError:
                pass
        try:
            producer.flush(60)
        except KafkaError:
            pass
        thread.join()
    finally:
        producer.close(10)
    got = read_all(server, topic)
    missing = [offset for offset, line in acknowledged.items() if got.get(offset) != line]
    check(not missing, f"all {len(acknowledged)} acknowledged are at their offsets (seed {seed})",
          f"{len(missing)} are not, the first {sorted(missing)[:3]}")
    check(sorted(got) == list(range(len(got))), f"no offset is skipped (seed {seed})")


def read_all(server, topic):
    partition = TopicPartition(topic, 0)
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
