#!/usr/bin/python3
"""leat replay: at its own pace, merged by time, to stdout and to a topic."""

import json
import os
import pty
import signal
import subprocess
import time

from harness import LEAT, Server, check, edits, finish, leat, run, scratch, wait_for


def produce(server, topic, rows, partitions=1, *config):
    """Rows are (partition, timestamp, key, value)."""
    made = leat("topic", "create", topic, "-p", str(partitions), "-b", server.kafka, *config)
    assert made.returncode == 0, made.stderr
    for number in range(partitions):
        lines = b"".join(json.dumps({"timestamp": stamp, "key": key, "value": value,
                                     "headers": [{"key": "h", "value": value}]}).encode() + b"\n"
                         for partition, stamp, key, value in rows if partition == number)
        sent = leat("produce", topic, "-F", "json", "-p", str(number), "-b", server.kafka,
                    stdin=lines)
        assert sent.returncode == 0, sent.stderr


def kcat(server, topic):
    template = "%p|%o|%T|%k|%s|%h\n"
    return sorted(run("kcat", "-b", server.kafka, "-C", "-t", topic, "-e", "-q", "-f",
                      template).stdout.splitlines())


def check_order(server):
    """Partition 1 has a record out of order: it goes with the one before it."""
    base = 1_700_000_000_000
    rows = [(0, base, "a", "0"), (0, base + 200, "a", "2"), (0, base + 200, "a", "3"),
            (1, base + 100, "b", "1"), (1, base + 300, "b", "5"), (1, base + 50, "b", "6"),
            (2, base + 200, "c", "4")]
    produce(server, "merged", rows, 3)
    got = leat("replay", "merged", "--speed", "max", "-b", server.kafka)
    check(got.returncode == 0 and got.stdout == b"0\n1\n2\n3\n4\n5\n6\n",
          "partitions are merged by time, each in its own order", got.stdout + got.stderr)
    start = time.monotonic()
    got = leat("replay", "merged", "-b", server.kafka, "-f", "%s")
    took = time.monotonic() - start
    check(got.stdout == b"0123456" and took >= 0.29, "at its own pace 300 ms of records take 300 ms",
          f"{took:.3f} s {got.stdout} {got.stderr}")
    start = time.monotonic()
    got = leat("replay", "merged", "--speed", "0.5", "-b", server.kafka, "--format", "json")
    took = time.monotonic() - start
    rows = [json.loads(row)["value"] for row in got.stdout.splitlines()]
    check(rows == list("0123456") and took >= 0.59, "at half the pace twice as long, as JSON",
          f"{took:.3f} s {got.stdout} {got.stderr}")
    check(b"\r" not in got.stderr, "no progress where stderr is no terminal", got.stderr)


def check_topic(server):
    lines = edits()[:5000]
    leat("topic", "create", "edits", "-p", "4", "-c", "retention.ms=-1", "-b", server.kafka)
    leat("produce", "edits", "-k", "channel", "-t", "time", "-z", "zstd", "-b", server.kafka,
         stdin=b"\n".join(lines) + b"\n")
    got = leat("replay", "edits", "--to", "copy", "--speed", "max", "-z", "lz4", "-b",
               server.kafka)
    check(got.returncode == 0 and b"5000 records" in got.stderr, "leat replay --to", got.stderr)
    check(kcat(server, "copy") == kcat(server, "edits"),
          "the copy has the same records at the same partitions and offsets")
    described = json.loads(leat("topic", "describe", "copy", "--format", "json", "-b",
                                server.kafka).stdout)
    check(len(described["partitions"]) == 4 and
          described["configs"]["retention.ms"]["value"] == "-1",
          "the missing target was made like the source", described)
    leat("topic", "create", "narrow", "-b", server.kafka)
    got = leat("replay", "edits", "--to", "narrow", "--speed", "max", "-b", server.kafka)
    without_place = lambda rows: sorted(row.split(b"|", 2)[2] for row in rows)
    check(without_place(kcat(server, "narrow")) == without_place(kcat(server, "edits")),
          "a target with fewer partitions gets all of it", got.stderr)
    got = leat("replay", "narrow", "--to", "narrow", "--speed", "max", "-b", server.kafka)
    check(got.returncode == 0 and len(kcat(server, "narrow")) == 10000,
          "a topic replayed into itself ends where it was", got.stderr)
    hour = ("-o", "@2015-09-12T00:30:00Z:@2015-09-12T01:00:00Z")
    got = leat("replay", "edits", *hour, "--speed", "max", "-f", "%T\n", "-b", server.kafka)
    times = [int(row) for row in got.stdout.split()]
    want = leat("consume", "edits", *hour, "-f", "%T\n", "-b", server.kafka).stdout.split()
    check(times == sorted(int(row) for row in want) and len(times) > 100,
          "a range of times is replayed in their order", got.stderr)


def check_usage(server):
    for arguments in (("--speed", "0"), ("--speed", "fast"), ("-o", "nonsense"), ("-z", "lz4"),
                      ("--to", "x", "-f", "%s")):
        got = leat("replay", "edits", *arguments, "-b", server.kafka)
        check(got.returncode == 2, "leat replay " + " ".join(arguments) + " is a wrong usage",
              got.stderr)
    check(leat("replay", "no-such-topic", "-b", server.kafka).returncode == 1, "no topic: exit 1")


def check_interrupt(server):
    """Half a minute of records, stopped in the middle."""
    rows = [(0, 1_700_000_000_000 + i * 20, "k", str(i)) for i in range(1500)]
    produce(server, "slow", rows)
    process = subprocess.Popen([LEAT, "replay", "slow", "-b", server.kafka],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    first = [process.stdout.readline() for _ in range(10)]
    process.send_signal(signal.SIGINT)
    rest, said = process.communicate(timeout=20)
    got = b"".join(first) + rest
    check(process.returncode == 130 and b"interrupted" in said, "Ctrl-C ends it with 130", said)
    check(got == b"".join(b"%d\n" % i for i in range(len(got.splitlines()))),
          "what it printed are whole lines", got[-100:])
    process = subprocess.Popen([LEAT, "replay", "slow", "--to", "stopped", "-b", server.kafka],
                               stderr=subprocess.PIPE)
    wait_for(lambda: len(leat("consume", "stopped", "-e", "-b",
                              server.kafka).stdout.splitlines()) > 10)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=20)[1].decode()
    delivered = len(kcat(server, "stopped"))
    check(process.returncode == 130 and f"{delivered} records in" in said,
          "what was read before Ctrl-C is delivered, and counted", f"{delivered}; {said}")


def check_progress(server):
    """On a terminal it says how far it is."""
    main, terminal = pty.openpty()
    process = subprocess.Popen([LEAT, "replay", "slow", "-o", ":40", "-b", server.kafka],
                               stdout=subprocess.DEVNULL, stderr=terminal)
    process.wait(20)
    os.close(terminal)
    said = b""
    try:
        while part := os.read(main, 65536):
            said += part
    except OSError:
        pass
    os.close(main)
    check(b"of 40 records" in said and b"left" in said and b"records/s" in said,
          "on a terminal it shows rate and time left", said)


def main():
    with scratch() as folder, Server(folder / "data") as server:
        check_order(server)
        check_topic(server)
        check_usage(server)
        check_interrupt(server)
        check_progress(server)
    finish()


main()
