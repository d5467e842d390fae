#!/usr/bin/python3
"""Our own client library against one broker of Apache Kafka: what the command line does with it, and
a group whose members come and go: with range beside confluent-kafka's. With cooperative-sticky these
were seen to read again, from the beginning, what they kept.

    kafka_clients.py [SECONDS] [SEED]        of the group, with each strategy
"""

import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
for folder in (HERE.parents[1], HERE.parents[0], HERE.parents[1] / "confluent"):
    sys.path.insert(0, str(folder))

import command_line
from cluster import Cluster
from kafka_soak import Server, dump
from rebalances import PARTITIONS, TOPIC, Rebalances, verdict
from toolchain import python

from harness import check, edits, finish, leat, scratch, wait_for


def check_command_line(server, lines):
    shell = command_line.Shell(server)
    command_line.check_topics(shell)
    command_line.check_round_trips(shell, lines)
    command_line.check_keys_and_times(shell, lines)
    command_line.check_json(shell)
    command_line.check_time_end(shell)


def check_group(server, count):
    """A group as the command line sees it, with what it has read of "lines-none"."""
    shell = command_line.Shell(server)
    got = shell("consume", "lines-none", "-g", "audit", "-n", "10")
    check(len(got.stdout.splitlines()) == 10, "leat consume -g reads as a member", got.stderr)
    check(b"audit" in shell("group", "list").stdout, "leat group list")
    described = shell("group", "describe", "audit")
    check(described.returncode == 0 and b"%d" % (count - 10) in described.stdout,
          "leat group describe says how far it is behind", described.stdout + described.stderr)
    moved = shell("group", "seek", "audit", "--to", "start", "--yes")
    again = shell("consume", "lines-none", "-g", "audit", "-n", "10")
    check(moved.returncode == 0 and again.stdout == got.stdout, "leat group seek sets it back",
          moved.stderr + again.stderr)
    deleted = shell("group", "delete", "audit")
    check(deleted.returncode == 0 and b"audit" not in shell("group", "list").stdout,
          "leat group delete", deleted.stderr)


def check_rebalances(folder, server, cluster, seconds, seed, strategy, interpreter):
    leat("topic", "create", TOPIC, "-p", PARTITIONS, "-b", server.kafka)
    wait_for(server.is_whole, 60)
    history = folder / "history"
    history.mkdir()
    running = Rebalances(history, server.kafka, seed, strategy, interpreter,
                         1 if strategy == "cooperative-sticky" else 0.5)
    try:
        running.run(seconds)
        running.drain()
    finally:
        running.close()
    cluster.brokers[0].end()
    dump(history, cluster, [TOPIC])
    verdict(history, seed, f"{strategy} kafka", running)


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    interpreter = python("confluent", "confluent-kafka")
    # Of its own: a group that is set back is an anomaly to the checker.
    with scratch() as folder, Cluster(folder, 1) as cluster:
        lines = edits()
        check_command_line(Server(cluster), lines)
        check_group(Server(cluster), len(lines))
    for strategy in ("cooperative-sticky", "range"):
        with scratch() as folder, Cluster(folder, 1) as cluster:
            check_rebalances(folder, Server(cluster), cluster, seconds, seed, strategy, interpreter)
    finish()


if __name__ == "__main__":
    main()
