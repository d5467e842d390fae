#!/usr/bin/python3
"""leat run -b: pipelines over a cluster's topics, in a process of their own, give what was computed
by other means, live and as batches; and what people are told when something is wrong."""

import json
import re
import signal
import subprocess
import sys
import time

from harness import LEAT, Server, check, finish, leat, scratch, wait_for
from run import DATA, PLANS, QUESTIONS, csv_rows, field, text_of

EDITS_PLAN = str(PLANS / "wikipedia-tumble-5m.plan.json")


def topics(brokers):
    listed = leat("topic", "list", "--format", "json", "-b", brokers)
    return [topic["topic"] for topic in json.loads(listed.stdout)]


def load(brokers, topic, events, key, partitions):
    """A cluster whose only topic has the events."""
    for old in topics(brokers):
        leat("topic", "delete", old, "-b", brokers)
    wait_for(lambda: not topics(brokers))
    leat("topic", "create", topic, "-p", str(partitions), "-b", brokers)
    wait_for(lambda: topics(brokers) == [topic])
    sent = leat("produce", topic, "-b", brokers, "-k", key, stdin=text_of(DATA / events))
    check(sent.returncode == 0, f"{events} in {partitions} partitions", sent.stderr)


def values(brokers, topic):
    return leat("consume", topic, "-b", brokers, "-e", "-o", "start:").stdout.splitlines()


def rows_of(brokers, topic):
    return sorted(tuple("" if value is None else field(str(value))
                        for value in json.loads(line).values())
                  for line in values(brokers, topic))


def check_answers(brokers, partitions, workers):
    for plan, topic, events, key, sink, answer in QUESTIONS:
        load(brokers, topic, events, key, partitions)
        ran = leat("run", str(PLANS / f"{plan}.plan.json"), "-b", brokers, "--batch",
                   "--workers", str(workers))
        rows = rows_of(brokers, sink)
        wanted = sorted(csv_rows(text_of(DATA / answer)))
        check(ran.returncode == 0 and rows == wanted,
              f"{plan}, {partitions} partitions, {workers} workers: {len(wanted)} rows",
              f"{len(rows)} {ran.stderr}")


def check_csv(folder, brokers):
    """A topic's values as lines of CSV."""
    load(brokers, "edits", "wikipedia-edits.jsonl.gz", "channel", 2)
    plan = json.loads(open(EDITS_PLAN, encoding="utf-8").read())
    plan["nodes"][-1]["format"] = "csv"
    path = folder / "csv.plan.json"
    path.write_text(json.dumps(plan))
    ran = leat("run", str(path), "-b", brokers, "--batch")
    wanted = text_of(DATA / "wikipedia-tumble-5m.csv").splitlines()[1:]
    got = [line.replace(b".000Z", b"Z") for line in values(brokers, "edits-per-channel")]
    check(ran.returncode == 0 and sorted(got) == sorted(wanted), "values as CSV, without names",
          f"{got[:2]} {wanted[:2]} {ran.stderr}")


class Live:
    """A run that goes on until it is told to stop."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([LEAT, "run", *arguments], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def interrupt(self, seconds=30):
        """Gives its exit code and what it said."""
        self.process.send_signal(signal.SIGINT)
        return self.end(seconds)

    def end(self, seconds=30):
        try:
            _, told = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, told = self.process.communicate()
            return None, told.decode()
        return self.process.returncode, told.decode()


def settled(brokers, topic):
    """Waits until nothing more comes; how many there are."""
    counts = [-1]

    def is_settled():
        time.sleep(1)
        counts.append(len(values(brokers, topic)))
        return counts[-1] > 0 and counts[-1] == counts[-2]
    wait_for(is_settled, 60)
    return counts[-1]


def check_live(brokers, restart=None):
    """As records come, through a restart of the broker if there is a way, until Ctrl-C."""
    events = text_of(DATA / "wikipedia-edits.jsonl.gz").splitlines(keepends=True)
    load(brokers, "edits", "wikipedia-edits.jsonl.gz", "channel", 2)
    live = Live(EDITS_PLAN, "-b", brokers)
    before = settled(brokers, "edits-per-channel")
    if restart:
        restart()
        later = b"".join(events).replace(b"2015-09-12", b"2015-09-13")
        sent = leat("produce", "edits", "-b", brokers, "-k", "channel", stdin=later)
        check(sent.returncode == 0, "the broker is back", sent.stderr)
        wait_for(lambda: len(values(brokers, "edits-per-channel")) > before, 60)
        after = settled(brokers, "edits-per-channel")
        check(after > before and live.process.poll() is None,
              "a live run goes on when its broker is back", f"{before} {after}")
    code, told = live.interrupt()
    count = len(events) * (2 if restart else 1)
    check(code == 0 and re.search(rf"wikipedia-tumble-5m: {count} rows in, \d+ out", told),
          "a live run is stopped by SIGINT, and says what it did", f"{code} {told}")


def check_errors(folder):
    gone = leat("run", EDITS_PLAN, "-b", "127.0.0.1:1", "--batch")
    check(gone.returncode == 1 and b"cannot connect to 127.0.0.1:1" in gone.stderr,
          "an address where nobody is", gone.stderr)
    wrong = leat("run", EDITS_PLAN, "-b", "no such host:x")
    check(wrong.returncode == 2 and b"no such host:x" in wrong.stderr, "what is no address",
          wrong.stderr)
    both = leat("run", EDITS_PLAN, "-b", "127.0.0.1:1", "-d", str(folder / "none"))
    check(both.returncode == 2 and b"-d and -b" in both.stderr, "a directory and a cluster",
          both.stderr)
    help_text = leat("run", "--help").stdout
    check(b"-b broker-1:9092" in help_text and b"--brokers" in help_text, "--help has an example",
          help_text)
    with Server(folder / "errors") as server:
        missing = leat("run", EDITS_PLAN, "-b", server.kafka, "--batch")
        check(missing.returncode == 1 and
              f"there is no topic edits at {server.kafka}".encode() in missing.stderr,
              "a topic that is not there", missing.stderr)
        leat("topic", "create", "edits", "-b", server.kafka)
        live = Live(EDITS_PLAN, "-b", server.kafka)
        wait_for(lambda: "edits-per-channel" in topics(server.kafka))
        server.kill()
        time.sleep(1)
        code, told = live.interrupt(10)
        check(code == 0, "Ctrl-C ends a run whose broker has gone", f"{code} {told}")


def main():
    with scratch() as folder:
        check_errors(folder)
        for partitions, workers in ((1, 1), (4, 2)):
            with Server(folder / f"answers-{partitions}") as server:
                check_answers(server.kafka, partitions, workers)
        with Server(folder / "live") as server:
            def restart():
                server.kill()
                server.start()
            check_csv(folder, server.kafka)
            check_live(server.kafka, restart)
    finish()


if __name__ == "__main__":
    sys.exit(main())
