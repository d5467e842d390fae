#!/usr/bin/python3
"""Deployed pipelines under kill -9: windows, joins, dedup and top, to topics and to files, while
records arrive out of order and twice, and versions are replayed, promoted and rolled back.

In the end whatever the topics hold that were read is given to the judge (tests/judge), and what a
foreign reader of committed records finds in the pipelines' topics must be what the judge says,
each record once; so must the rows of files. Replays of the same plan must have no difference.

    soak_pipelines.py [SECONDS] [SEED]

Longer ones are rounds of a minute, each with the next seed. What was done when is printed; the data
directory of a round that fails is kept in build/.
"""

import collections
import json
import os
import random
import shutil
import sys
import threading
import time

from harness import ROOT, Server, check, failures, finish, leat, run, scratch, wait_for

JUDGE = os.environ.get("LEAT_JUDGE", str(ROOT / "build" / "tests" / "judge" / "leat-judge"))
ROUND_SECONDS = 60
# Event time passes faster than ours, so that a minute closes many windows.
SPEED = 4
START_MS = 1_772_409_600_000
DISORDER_MS = 1000
INPUTS = {"orders": 3, "payments": 2}
# Small files, so that a minute rolls segments and uses the journal again.
CONFIG = "[store]\njournal_bytes = 1048576\n"
SHADOWS_MAX = 2


def source(topic, columns):
    return {"name": topic, "type": "source", "topic": topic, "event_time": "t",
            "disorder_ms": DISORDER_MS, "idle_ms": 0,
            "columns": [{"name": name, "type": kind} for name, kind in columns.items()]}


def orders():
    return source("orders", {"t": "timestamp", "id": "bigint", "k": "text", "n": "bigint"})


def payments():
    return source("payments", {"t": "timestamp", "id": "bigint", "paid": "bigint"})


def column(name):
    return {"column": name}


def sink(made_from, topic, *keys):
    return {"name": "out", "type": "sink", "input": made_from, "topic": topic, "keys": list(keys)}


def window(kind, keys, **shape):
    return {"name": "counted", "type": "window", "input": "orders", "keys": keys,
            "window": {"kind": kind, **shape}, "late_topic": f"late-{kind}",
            "aggregates": [{"name": "rows", "function": "count"},
                           {"name": "total", "function": "sum", "argument": column("n")}]}


def joined():
    renamed = {"name": "paid", "type": "project", "input": "payments",
               "columns": [{"name": "paid_id", "expression": column("id")},
                           {"name": "paid", "expression": column("paid")}]}
    join = {"name": "both", "type": "join", "kind": "interval", "how": "left", "left": "orders",
            "right": "paid", "keys": [{"left": "id", "right": "paid_id"}],
            "lower_ms": -2000, "upper_ms": 4000}
    return [orders(), payments(), renamed, join, sink("both", "joined", "id")]


def once():
    dedup = {"name": "once", "type": "dedup", "input": "orders", "keys": ["id"], "keep": "first",
             "horizon_ms": 20_000}
    return [orders(), dedup, sink("once", "once", "id")]


def best():
    top = {"name": "best", "type": "top", "input": "counted", "keys": ["window_start"], "limit": 3,
           "order_by": [{"column": "rows", "descending": True}, {"column": "k"}],
           "rank": "place", "emit": "watermark"}
    return [orders(), window("tumbling", ["k"], size_ms=1000), top, sink("best", "best")]


def in_files(folder):
    files = {"name": "files", "type": "sink", "input": "counted", "files": str(folder),
             "partition_by": ["k"]}
    return [orders(), window("hopping", ["k"], size_ms=2000, slide_ms=1000), files,
            sink("counted", "in-files")]


def running():
    over = {"name": "running", "type": "over", "input": "orders", "keys": ["k"],
            "frame": {"range_ms": 5000},
            "aggregates": [{"name": "rows", "function": "count"},
                           {"name": "total", "function": "sum", "argument": column("n")}]}
    return [orders(), over, sink("running", "running", "k")]


def plans(folder):
    made = {"windows": [orders(), window("tumbling", ["k"], size_ms=1000),
                        sink("counted", "windows", "k")],
            "sessions": [orders(), window("session", ["k"], gap_ms=300),
                         sink("counted", "sessions", "k")],
            "joined": joined(), "once": once(), "best": best(), "in-files": in_files(folder),
            "running": running()}
    for name, nodes in made.items():
        for node in nodes:
            if "late_topic" in node:
                node["late_topic"] = f"{name}-late"
    return {name: {"version": 1, "name": name, "nodes": nodes} for name, nodes in made.items()}


def other_rule(plan, number):
    """Another plan with the same results, so that whoever is live gives what the judge says."""
    changed = json.loads(json.dumps(plan))
    changed["nodes"].insert(1, {
        "name": "all", "type": "filter", "input": "orders",
        "condition": {"call": ">=", "arguments": [column("n"), {"bigint": -number}]}})
    for node in changed["nodes"][2:]:
        for place in ("input", "left"):
            if node.get(place) == "orders":
                node[place] = "all"
    return changed


class Producer(threading.Thread):
    """Sends records of one topic, whatever becomes of them: what counts is what the log has."""

    def __init__(self, round_, topic, make):
        super().__init__()
        self.round = round_
        self.topic = topic
        self.make = make
        self.chance = random.Random(round_.chance.random())
        self.sent = [[] for _ in range(INPUTS[topic])]
        self.over = threading.Event()
        self.batches = 0

    def run(self):
        while not self.over.is_set():
            for partition in range(INPUTS[self.topic]):
                # Silent now and then; others must wait for it.
                if self.chance.random() < 0.15:
                    continue
                lines = [self.line(partition) for _ in range(self.chance.randint(1, 60))]
                self.batches += self.send(partition, lines)
            self.over.wait(self.chance.uniform(0, 0.6))

    def line(self, partition):
        sent = self.sent[partition]
        if sent and self.chance.random() < 0.05:
            return self.chance.choice(sent[-50:])
        late = self.chance.random() < 0.03
        time_ms = self.round.now_ms() - self.chance.randint(0, 5000 if late else DISORDER_MS - 200)
        line = json.dumps(self.make(self.chance, time_ms))
        sent.append(line)
        return line

    def send(self, partition, lines):
        sent = run("kcat", "-P", "-b", self.round.server.kafka, "-t", self.topic, "-p", partition,
                   "-X", "message.timeout.ms=4000", stdin="\n".join(lines).encode() + b"\n")
        return sent.returncode == 0


def make_order(chance, time_ms):
    return {"t": time_ms, "id": time_ms * 10 % 1_000_000 // 40 + chance.randint(0, 30),
            "k": "hot" if chance.random() < 0.3 else f"k{chance.randint(0, 8)}",
            "n": chance.randint(0, 1000)}


def make_payment(chance, time_ms):
    return {"t": time_ms, "id": time_ms * 10 % 1_000_000 // 40 + chance.randint(0, 30),
            "paid": chance.randint(0, 1000)}


class Round:
    def __init__(self, folder, seed):
        self.folder = folder
        self.seed = seed
        self.chance = random.Random(seed)
        config = folder / "leat.toml"
        config.write_text(CONFIG)
        self.server = Server(folder / "data", "--config", str(config))
        self.began = time.monotonic()
        self.plans = plans(folder / "rows")
        self.done = collections.Counter()
        self.changes = 0
        self.journal = open(folder / "journal.txt", "w", encoding="utf-8")

    def now_ms(self):
        return START_MS + int((time.monotonic() - self.began) * 1000 * SPEED)

    def note(self, what):
        self.journal.write(f"{time.monotonic() - self.began:8.3f} {what}\n")
        self.journal.flush()

    # ---- what users do

    def leat(self, *arguments, timeout=60):
        env = {"LEAT_BROKERS": self.server.kafka, "LEAT_HTTP": self.server.http}
        return leat(*arguments, env=env, timeout=timeout)

    def pipeline(self, verb, *arguments, timeout=60):
        """Does it, and counts it if it was done."""
        told = self.leat("pipeline", verb, *arguments, timeout=timeout)
        self.note(f"{verb} {' '.join(map(str, arguments))}: {told.returncode} "
                  f"{(told.stdout + told.stderr).decode(errors='replace').strip()[:300]!r}")
        self.done[verb] += told.returncode == 0
        return told

    def show(self, name):
        told = self.leat("pipeline", "show", name, "--format", "json")
        return json.loads(told.stdout) if told.returncode == 0 else {}

    def versions(self, name):
        return {one["version"]: one["role"] for one in self.show(name).get("versions", [])}

    def deploy(self, plan):
        path = self.folder / f"{plan['name']}.plan.json"
        path.write_text(json.dumps(plan, indent=1))
        return self.pipeline("deploy", path)

    # ---- what happens to it

    def begin(self):
        for topic, partitions in INPUTS.items():
            self.leat("topic", "create", topic, "-p", partitions, "-c", "segment.bytes=1048576")
        deployed = [self.deploy(plan) for plan in self.plans.values()]
        bad = [told.stderr for told in deployed if told.returncode != 0]
        check(not bad, f"{len(deployed)} pipelines are deployed", bad)

    def kill(self):
        self.note("kill")
        self.server.kill()
        self.done["kill"] += 1
        if self.chance.random() < 0.3:
            time.sleep(self.chance.uniform(0, 0.5))
        self.server.start()
        # In its recovery, too.
        if self.chance.random() < 0.25:
            time.sleep(self.chance.uniform(0, 0.1))
            self.note("kill again")
            self.server.kill()
            self.server.start()

    def replay(self, name):
        shadows = [version for version, role in self.versions(name).items()
                   if role in ("replay", "shadow", "retired")]
        if len(shadows) > SHADOWS_MAX:
            self.pipeline("replay", name, "--stop", "--version", self.chance.choice(shadows))
        elif self.chance.random() < 0.5:
            self.pipeline("replay", name, "--no-wait")
        else:
            self.changes += 1
            self.deploy(other_rule(self.plans[name], self.changes))
            self.pipeline("replay", name, "--no-wait")

    def promote(self, name):
        others = [version for version, role in self.versions(name).items()
                  if role in ("shadow", "retired")]
        if others:
            self.pipeline("promote", name, self.chance.choice(others))

    def disturb(self, seconds):
        """Kills while others do what users do, each at their own times."""
        over = time.monotonic() + seconds
        users = [threading.Thread(target=self.use, args=(name, over, self.chance.random()))
                 for name in self.plans]
        for user in users:
            user.start()
        while time.monotonic() < over:
            time.sleep(self.chance.choice([0.2, 1, 3, 5]) * self.chance.random() + 0.1)
            self.kill()
        for user in users:
            user.join()

    def use(self, name, over, seed):
        chance = random.Random(seed)
        while time.monotonic() < over:
            time.sleep(chance.uniform(0.3, 4))
            what = chance.random()
            if what < 0.4:
                self.replay(name)
            elif what < 0.9:
                self.promote(name)
            elif self.pipeline("pause", name).returncode == 0:
                time.sleep(chance.uniform(0, 1))
                self.pipeline("resume", name)

    # ---- the end

    def come_to_end(self, producers):
        closing = json.dumps({"t": self.now_ms() + 3_600_000, "id": 0, "k": "end", "n": 0})
        for producer in producers:
            for partition in range(INPUTS[producer.topic]):
                sent = producer.send(partition, [closing])
                check(sent, f"a last record of {producer.topic} {partition}")
        for name in self.plans:
            self.pipeline("resume", name)

    def is_through(self, name):
        shown = self.show(name)
        live = [one for one in shown.get("versions", []) if one["role"] == "live"]
        return bool(live) and shown.get("lag_records") == 0 and shown.get("state") == "running"

    def records(self, topic):
        """What a foreign reader of committed records finds, as partition, key, value and time."""
        got = run("kcat", "-b", self.server.kafka, "-C", "-t", topic, "-e", "-q", "-J", "-o",
                  "beginning", "-X", "isolation.level=read_committed", timeout=300)
        if got.returncode != 0:
            raise RuntimeError(got.stderr)
        found = [json.loads(line) for line in got.stdout.splitlines()]
        found.sort(key=lambda record: (record["partition"], record["offset"]))
        return [{"partition": one["partition"], "key": one.get("key"), "value": one["payload"],
                 "time": one["ts"]} for one in found]

    def judge(self, name):
        inputs = []
        for topic in INPUTS:
            path = self.folder / f"{topic}.jsonl"
            if not path.exists():
                path.write_text("".join(json.dumps(one) + "\n" for one in self.records(topic)))
            inputs.append(f"{topic}={path}")
        plan = self.folder / f"{name}.judged.json"
        plan.write_text(json.dumps(self.plans[name]))
        judged = run(JUDGE, plan, *inputs, timeout=600)
        if judged.returncode != 0:
            raise RuntimeError(judged.stderr)
        return [json.loads(line) for line in judged.stdout.splitlines()]

    def compare(self, name):
        judged = self.judge(name)
        # What stays open: the closing records' own.
        end_ms = self.now_ms() + 1_000_000
        wanted = collections.Counter((one["key"], one["value"], one["time"]) for one in judged
                                     if "topic" in one and one["time"] < end_ms)

        def given():
            return collections.Counter((one["key"], one["value"], one["time"])
                                       for one in self.records(name) if one["time"] < end_ms)
        wait_for(lambda: sum(given().values()) >= sum(wanted.values()), 30)
        found = given()
        missing, extra = wanted - found, found - wanted
        check(not missing and not extra,
              f"{name}: {sum(wanted.values())} records are the judge's, each once",
              f"missing {sum(missing.values())}: {first(missing)}\n"
              f"too many {sum(extra.values())}: {first(extra)}")
        late = sum(one["rows"] for one in judged if "late" in one)
        if any("late_topic" in node for node in self.plans[name]["nodes"]):
            kept = len(self.records(f"{name}-late"))
            check(kept == late, f"{name}: {late} late rows, each once", f"{kept}")

    def compare_files(self):
        """Rows of files are those of the topic beside them."""
        def in_topic():
            return collections.Counter(
                as_row(json.loads(one["value"])) for one in self.records("in-files"))

        def in_files():
            rows = collections.Counter()
            for path in (self.folder / "rows").rglob("rows-*"):
                if ".leat" in path.parts:
                    continue
                key = path.parent.name.partition("=")[2]
                for line in path.read_text().splitlines():
                    rows[as_row({**json.loads(line), "k": key})] += 1
            return rows
        wait_for(lambda: sum(in_files().values()) >= sum(in_topic().values()), 40)
        wanted, found = in_topic(), in_files()
        check(wanted == found, f"{sum(found.values())} rows of files are the topic's, each once",
              f"missing {first(wanted - found)}\ntoo many {first(found - wanted)}")

    def replay_all(self):
        """The live one's plan again, from the start: there is nothing that differs."""
        for name in self.plans:
            live = next(version for version, role in self.versions(name).items()
                        if role == "live")
            told = self.pipeline("replay", name, "--diff", timeout=300)
            check(told.returncode == 0 and b"diff 0" in told.stdout,
                  f"{name}: a replay of what is live ({live}) has no difference",
                  told.stdout + told.stderr)

    def tell(self, seconds):
        self.begin()
        producers = [Producer(self, "orders", make_order), Producer(self, "payments", make_payment)]
        for producer in producers:
            producer.start()
        try:
            self.disturb(seconds)
        finally:
            for producer in producers:
                producer.over.set()
            for producer in producers:
                producer.join()
        self.come_to_end(producers)
        for name in self.plans:
            through = wait_for(lambda name=name: self.is_through(name), 60)
            check(through, f"{name}: it comes to the end of what there is", self.show(name))
            self.compare(name)
        self.compare_files()
        self.replay_all()
        check(self.server.alive(), "the server lives", self.server.stderr())
        print(f"# seed {self.seed}: " + ", ".join(f"{what} {count}" for what, count
                                                  in sorted(self.done.items())), flush=True)
        return all(self.done[what] > 0 for what in ("kill", "replay", "promote"))


def as_row(row):
    return json.dumps(row, sort_keys=True)


def first(counter):
    return dict(list(counter.items())[:5])


def tell_round(seed, seconds):
    """One round; what it leaves is kept if a check failed."""
    with scratch() as folder:
        told = Round(folder, seed)
        good = False
        try:
            with told.server:
                good = told.tell(seconds)
        finally:
            told.journal.close()
            keep(folder, seed, good)
        return good


def keep(folder, seed, good):
    if good and failures() == 0:
        return
    kept = ROOT / "build" / f"soak-pipelines-{seed}"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(folder, kept)
    print(f"# what was done and the data are in {kept}", flush=True)
    print((kept / "journal.txt").read_text(), flush=True)


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1_000_000)
    print(f"# {seconds} s, seed {seed}", flush=True)
    over = time.monotonic() + seconds
    while True:
        left = over - time.monotonic()
        good = tell_round(seed, min(ROUND_SECONDS, max(left, 5)))
        check(good or seconds < ROUND_SECONDS, f"seed {seed}: it was killed, replayed and promoted")
        seed += 1
        if time.monotonic() >= over:
            break
    finish()


if __name__ == "__main__":
    main()
