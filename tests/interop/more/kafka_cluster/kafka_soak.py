#!/usr/bin/python3
"""The soak against Apache Kafka itself, three brokers of which one after the other is killed, and
one that is: whether our clients, others beside them, and the checker's rules hold where the broker
is not ours.

    kafka_soak.py [SECONDS] [SEED]

Half of the time is our own clients', in the roles that they have, against three brokers; a quarter
is for both kinds, and a quarter for our own against one broker. LEAT_SOAK_OWN is another share of
our own, of all the time against three brokers.
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parents[1]))

from cluster import Cluster, START_SECONDS

from harness import LEAT, check, finish, leat, scratch, wait_for
from soak import TOPICS, Soak, verdict


class Server:
    """A cluster as the soak knows its server."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.kafka = cluster.bootstrap

    def is_whole(self):
        """Whether every replica has all there is."""
        listed = subprocess.run(["kcat", "-b", self.kafka, "-L", "-J", "-m", "5"],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        try:
            topics = json.loads(listed.stdout)["topics"]
        except ValueError:
            return False
        return all(len(partition["isrs"]) == len(self.cluster.brokers)
                   for topic in topics for partition in topic["partitions"])


class ClusterSoak(Soak):
    """Of three brokers one at most is down, or behind: nobody is asked to lose anything. One that is
    alone goes on: killed, and also when it was asked to end, Kafka 4.3.1 told producers that their
    transactions were over, and had no marker of them on any partition."""

    coming_back = None

    def kill_server(self):
        alone = len(self.server.cluster.brokers) == 1
        if alone or (self.coming_back and self.coming_back.is_alive()):
            return self.kill_client()
        broker = self.chance.choice(self.server.cluster.brokers)
        self.mark("kill", "server")
        broker.end()
        self.coming_back = threading.Thread(target=self.bring_back, args=[broker])
        self.coming_back.start()

    def bring_back(self, broker):
        time.sleep(1)
        broker.start()
        wait_for(lambda: broker.answers() and self.server.is_whole(), START_SECONDS)
        self.mark("start", "server")

    def run(self, seconds):
        super().run(seconds)
        if self.coming_back:
            self.coming_back.join()


def dump(history, cluster, topics):
    """The partitions' segments, which have Kafka's own format: those of one replica."""
    data = cluster.folder / f"data-{cluster.brokers[0].number}"
    is_good = True
    with open(history / "log.jsonl", "w", encoding="utf-8") as log:
        for folder in sorted(data.iterdir()):
            topic, _, number = folder.name.rpartition("-")
            if topic not in topics and topic != "__consumer_offsets":
                continue
            segments = sorted(folder.glob("*.log"))
            lines = subprocess.run([LEAT, "dump", *segments, "--records", "--format", "json"],
                                   stdout=subprocess.PIPE, check=False, timeout=300)
            is_good = is_good and lines.returncode == 0
            for line in lines.stdout.splitlines():
                log.write(json.dumps({**json.loads(line), "topic": topic,
                                      "partition": int(number)}) + "\n")
    check(is_good, "the brokers' segments are read")


def soak(seconds, seed, brokers, own_share):
    with scratch() as folder:
        with Cluster(folder, brokers) as cluster:
            server = Server(cluster)
            for topic, partitions in TOPICS.items():
                leat("topic", "create", topic, "-p", partitions, "-b", server.kafka)
            if not check(wait_for(server.is_whole, 60), f"{brokers} brokers hold all topics"):
                finish()
            history = folder / "history"
            history.mkdir()
            running = ClusterSoak(history, server, seed)
            running.own_share = own_share
            if brokers == 1:
                running.may_be_none = {"unknown", "server"}
            try:
                running.run(seconds)
                running.drain()
            finally:
                running.end()
            wait_for(server.is_whole, 60)
            time.sleep(1)
        dump(history, cluster, TOPICS)
        verdict(history, seconds, seed, f"{brokers} kafka {own_share:g}", running)


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 120
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    parts = [(0.5, 3, 1.0), (0.25, 3, 0.5), (0.25, 1, 1.0)]
    if "LEAT_SOAK_OWN" in os.environ:
        parts = [(1, 3, float(os.environ["LEAT_SOAK_OWN"]))]
    for share, brokers, own_share in parts:
        soak(seconds * share, seed, brokers, own_share)
    finish()


if __name__ == "__main__":
    main()
