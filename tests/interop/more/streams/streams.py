#!/usr/bin/python3
"""Kafka Streams counts words exactly once, in its newest version and in one of before 4.0, while
instances and server are killed."""

import collections
import pathlib
import random
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from toolchain import jars

from harness import Server, check, finish, leat, run, scratch, wait_for

HERE = pathlib.Path(__file__).resolve().parent
VERSIONS = ("4.3.1", "3.9.1")
WORDS = [f"word{i}" for i in range(50)]
START = 1_600_000_000_000


class Instance:
    def __init__(self, path, server, folder, number):
        self.said = folder / f"said-{number}"
        with open(self.said, "wb") as out:
            self.process = subprocess.Popen(
                ["java", "-XX:TieredStopAtLevel=1", "-Xmx512m",
                 "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", path,
                 HERE / "WordCount.java", server.kafka, "words", folder / f"state-{number}"],
                stdout=out, stderr=subprocess.STDOUT)

    def runs(self):
        return "state RUNNING" in self.said.read_text(errors="replace")

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(60)


def lines(seed, count):
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=5)) for _ in range(count)]


def produce(server, first, part):
    text = "".join(f'{{"value": "{line}", "timestamp": {START + (first + i) * 100}}}\n'
                   for i, line in enumerate(part))
    done = leat("produce", "lines", "-F", "json", "-b", server.kafka, stdin=text.encode())
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode())


def last_values(server, topic):
    """The last committed value of each key, and all values of each key in order."""
    got = run("kcat", "-b", server.kafka, "-C", "-t", topic, "-e", "-q", "-o", "beginning", "-X",
              "isolation.level=read_committed", "-f", "%k %s\\n").stdout.decode()
    values = collections.defaultdict(list)
    for line in got.splitlines():
        key, value = line.split(" ")
        values[key].append(int(value))
    return values


def check_version(version, path, folder):
    words = lines(version, 3000)
    wanted = collections.Counter(word for line in words for word in line.split())
    windows = collections.Counter()
    for i, line in enumerate(words):
        at = START + i * 100
        for word in line.split():
            windows[f"{word}@{at - at % 60000}"] += 1
    with Server(folder / "data") as server:
        for topic in ("lines", "counts", "windows"):
            leat("topic", "create", topic, "-p", "2", "-b", server.kafka)
        one = Instance(path, server, folder, 1)
        produce(server, 0, words[:1000])
        check(wait_for(lambda: len(last_values(server, "counts")) == len(WORDS), 90),
              f"Kafka Streams {version} counts", one.said.read_text()[-2000:])
        two = Instance(path, server, folder, 2)
        check(wait_for(two.runs, 90), f"{version}: a second instance joins",
              two.said.read_text()[-2000:])
        produce(server, 1000, words[1000:2000])
        server.kill()
        server.start()
        one.end(signal.SIGKILL)
        produce(server, 2000, words[2000:])

        def complete():
            got = last_values(server, "counts")
            return {word: values[-1] for word, values in got.items()} == wanted

        check(wait_for(complete, 120),
              f"{version}: all words are counted, though server and an instance were killed",
              sum(values[-1] for values in last_values(server, "counts").values()))
        got = last_values(server, "counts")
        check(all(values == sorted(set(values)) for values in got.values()),
              f"{version}: no count was written twice or went back")
        got = last_values(server, "windows")
        ends = {key: values[-1] for key, values in got.items()}
        check(ends.keys() <= windows.keys() and
              all(ends[key] <= windows[key] for key in ends) and len(ends) > len(WORDS),
              f"{version}: no window counted more than there was", len(ends))
        two.end(signal.SIGTERM)
        topics = leat("topic", "list", "-b", server.kafka).stdout.decode()
        check("repartition" in topics and "changelog" in topics,
              f"{version}: its internal topics are there", topics)


def main():
    for version in VERSIONS:
        path = jars(f"streams-{version}", HERE / "pom.xml", kafka=version)
        with scratch() as folder:
            check_version(version, path, folder)
    finish()


main()
