#!/usr/bin/env python3
"""Members of one group come and go: of our own client library and of confluent-kafka. They leave,
are killed with SIGKILL, or stand still until the group has taken them for dead, and go on then.
What they read, processed and committed, in which generation, is held against the rules of
tests/checker.

    rebalances.py [SECONDS] [SEED]

Two thirds of the time they share by cooperative-sticky, one third by range. LEAT_SHARDS says how
many shards the server has.
"""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import Server, check, finish, leat, scratch, wait_for
from soak import OWN_CLIENT, dump, judge

TOPIC, PARTITIONS, GROUP = "work", 8, "share"
MEMBERS_MAX = 6
FEEDERS = 2
SESSION = 6.0


class Rebalances:
    def __init__(self, folder, bootstrap, seed, strategy, python=sys.executable, own_share=0.5):
        self.folder = folder
        self.bootstrap = bootstrap
        self.strategy = strategy
        self.python = python
        self.own_share = own_share
        self.chance = random.Random(seed)
        self.feeders = []
        self.members = {}  # by name
        self.asleep = {}  # when to wake them
        self.leaving = []
        self.done = {"came": 0, "own": 0, "left": 0, "killed": 0, "stood still": 0}
        self.failed = []
        self.marks = open(folder / "harness.jsonl", "w", encoding="utf-8")
        self.marks.write('{"client":"harness"}\n')

    def mark(self, what, of):
        self.marks.write(json.dumps({"t": time.monotonic_ns() // 1000, "mark": what, "of": of})
                         + "\n")
        self.marks.flush()

    def spawn(self, role, name, is_own):
        settings = {"client": name, "role": role, "number": 0, "bootstrap": self.bootstrap,
                    "history": str(self.folder / f"{name}.jsonl"), "strategy": self.strategy,
                    "seed": self.chance.randrange(1 << 30)}
        command = [OWN_CLIENT] if is_own else [self.python, str(HERE / "rebalance_member.py")]
        with open(self.folder / "clients.txt", "ab") as output:
            return subprocess.Popen([*command, json.dumps(settings)], stdin=subprocess.DEVNULL,
                                    stdout=output, stderr=output)

    # ---- What happens to members ------------------------------------------------------------------

    def come(self, is_own=None):
        if is_own is None:
            is_own = self.chance.random() < self.own_share
        self.done["came"] += 1
        self.done["own"] += is_own
        name = f"{'own' if is_own else 'confluent'}-{self.done['came']}"
        self.members[name] = self.spawn("share", name, is_own)

    def pick(self):
        """One that is awake; nobody where the group would have too few."""
        awake = [name for name in self.members if name not in self.asleep]
        return self.chance.choice(awake) if len(awake) > 2 else None

    def leave(self):
        if name := self.pick():
            self.done["left"] += 1
            process = self.members.pop(name)
            process.send_signal(signal.SIGTERM)
            self.leaving.append((name, process))

    def kill(self):
        if name := self.pick():
            self.done["killed"] += 1
            self.mark("kill", name)
            process = self.members.pop(name)
            process.kill()
            process.wait()

    def stand_still(self):
        """For shorter than a session, or longer."""
        if name := self.pick():
            self.done["stood still"] += 1
            self.mark("stop", name)
            self.members[name].send_signal(signal.SIGSTOP)
            self.asleep[name] = time.monotonic() + self.chance.uniform(0.5, 2) * SESSION

    def wake(self, everybody=False):
        for name, when in list(self.asleep.items()):
            if everybody or when < time.monotonic():
                del self.asleep[name]
                self.members[name].send_signal(signal.SIGCONT)

    def look(self):
        """Nobody ends who was not asked to."""
        for name, process in list(self.members.items()):
            if process.poll() is not None:
                self.failed.append(f"{name} ended with {process.returncode}: "
                                   f"{self.last_word(name)}")
                del self.members[name]

    def run(self, seconds):
        self.feeders = [self.spawn("feed", f"feed-{i}", True) for i in range(FEEDERS)]
        for is_own in (True, self.own_share == 1, True):
            self.come(is_own)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            time.sleep(self.chance.uniform(0.1, 2))
            self.wake()
            self.look()
            if len(self.members) < MEMBERS_MAX and self.chance.random() < 0.5:
                self.come()
            else:
                self.chance.choice([self.leave, self.leave, self.kill, self.stand_still])()

    # ---- The end ------------------------------------------------------------------------------------

    def is_all_committed(self):
        described = leat("group", "describe", GROUP, "--format", "json", "-b", self.bootstrap)
        try:
            partitions = json.loads(described.stdout)["partitions"]
        except ValueError:
            return False
        return len(partitions) == PARTITIONS and all(p["lag"] == 0 for p in partitions)

    def drain(self):
        self.wake(everybody=True)
        self.end("feeders", [(f"feed-{i}", process) for i, process in enumerate(self.feeders)])
        check(wait_for(self.is_all_committed, 90),
              f"{self.strategy}: when nobody disturbs them, everything is processed and committed",
              leat("group", "describe", GROUP, "-b", self.bootstrap).stdout.decode())
        self.look()
        self.end("members", [*self.leaving, *self.members.items()])
        check(not self.failed, f"{self.strategy}: no client ends before it is asked to",
              self.failed + [(self.folder / "clients.txt").read_text(errors="replace")[-3000:]])

    def end(self, what, processes):
        for _, process in processes:
            process.send_signal(signal.SIGTERM)
        bad = []
        for name, process in processes:
            try:
                code = process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            # One that has only just been started may not know SIGTERM yet.
            if code not in (0, -signal.SIGTERM):
                bad.append((name, code, self.last_word(name)))
        check(not bad, f"{self.strategy}: {what} end when they are asked to", bad)

    def last_word(self, name):
        history = self.folder / f"{name}.jsonl"
        return history.read_text(errors="replace")[-500:] if history.exists() else ""

    def close(self):
        for process in [*self.feeders, *self.members.values(), *(p for _, p in self.leaving)]:
            process.kill()
            process.wait()
        self.marks.close()


def rebalances(seconds, seed, strategy):
    with scratch() as folder, Server(folder / "data") as server:
        leat("topic", "create", TOPIC, "-p", PARTITIONS, "-b", server.kafka)
        history = folder / "history"
        history.mkdir()
        running = Rebalances(history, server.kafka, seed, strategy)
        try:
            running.run(seconds)
            running.drain()
        finally:
            running.close()
        dump(history, server)
        verdict(history, seed, strategy, running)


def verdict(history, seed, strategy, running):
    print(f"    {strategy}, seed {seed}: " +
          ", ".join(f"{what} {count}" for what, count in running.done.items()))
    for own in sorted(history.glob("own-*.jsonl")):
        if "left without a commit" in (text := own.read_text(errors="replace")):
            print("    " + text.splitlines()[-1])
    judge(history, seed, strategy)


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 21
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    for strategy, share in (("cooperative-sticky", 2), ("range", 1)):
        rebalances(seconds * share / 3, seed, strategy)
    finish()


if __name__ == "__main__":
    main()
