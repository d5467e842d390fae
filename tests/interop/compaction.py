#!/usr/bin/python3
"""Compaction as clients see it: kcat, kafka-python, the tool, a backup, and kill -9 in between."""

import random

from kafka import KafkaConsumer

from harness import Server, check, finish, leat, run, scratch, wait_for

KEYS = 500
RECORDS = 60_000


def with_kcat(server):
    return run("kcat", "-b", server.kafka, "-C", "-t", "c", "-e", "-q", "-f", "%o %k %s\n").stdout


def with_tool(server):
    return leat("consume", "c", "-b", server.kafka, "-o", ":", "-e", "-f", "%o %k %s\n").stdout


def with_kafka_python(server):
    consumer = KafkaConsumer("c", bootstrap_servers=server.kafka, auto_offset_reset="earliest",
                             consumer_timeout_ms=2000, group_id=None)
    return b"".join(b"%d %s %s\n" % (m.offset, m.key, m.value) for m in consumer)


def newest(rows):
    return {key: value for _, key, value in (row.split(b" ", 2) for row in rows.splitlines())}


def removed(server):
    metric = "leat_log_compaction_removed_records_total"
    lines = server.metrics().splitlines()
    return int(next((line.split()[1] for line in lines if line.startswith(metric)), 0))


def produce(server, first, last):
    rng = random.Random(first)
    rows = [b"key%d %d" % (rng.randrange(KEYS), i) for i in range(first, last)]
    run("kcat", "-b", server.kafka, "-P", "-t", "c", "-K", " ", stdin=b"\n".join(rows) + b"\n")
    return dict(row.split(b" ") for row in rows)


with scratch() as folder, Server(folder / "data") as server:
    leat("topic", "create", "c", "-p", "1", "-c", "cleanup.policy=compact", "-c",
         "segment.bytes=100000", "-c", "min.cleanable.dirty.ratio=0.01", "-b", server.kafka)
    expected = produce(server, 0, RECORDS)
    expected.update(produce(server, RECORDS, 2 * RECORDS))
    check(wait_for(lambda: removed(server) > RECORDS), "what is superseded goes within seconds")
    rows = with_kcat(server)
    check(newest(rows) == expected, "kcat gets the newest value of every key")
    check(len(rows.splitlines()) < RECORDS / 4, "and little else", len(rows.splitlines()))
    check(with_tool(server) == rows, "the tool gets the same records at the same offsets")
    check(with_kafka_python(server) == rows, "and so does kafka-python")

    server.kill()
    server.start()
    check(newest(with_kcat(server)) == expected, "so it is after kill -9")
    expected.update(produce(server, 2 * RECORDS, 3 * RECORDS))
    server.kill()
    server.start()
    wait_for(lambda: removed(server) > RECORDS / 2)
    check(newest(with_kcat(server)) == expected, "and after another one, while it compacts")
    made = leat("backup", folder / "copy", "--data", folder / "data")
    check(made.returncode == 0, "a backup is made meanwhile", made.stderr)
    with Server(folder / "copy") as copy:
        check(newest(with_kcat(copy)) == expected, "and has it too")
    check(server.stop() == 0, "the server stops in order", server.stderr())
    checked = leat("fsck", "--data", folder / "data")
    check(checked.returncode == 0, "fsck finds nothing", checked.stdout + checked.stderr)

finish()
