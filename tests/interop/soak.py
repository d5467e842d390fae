#!/usr/bin/python3
"""Clients of all kinds against a server, and random SIGKILLs of both; some clients are only stopped,
and go on when another has taken their place. What they were told, what they read and what the log
holds in the end is held against the rules of tests/checker.

    soak.py [SECONDS] [SEED]

Half of the time the server has one shard, and two in the other half, unless LEAT_SHARDS says how
many. A history with an anomaly is kept.
"""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

from harness import LEAT, ROOT, Server, check, finish, leat, run, scratch
from soak_client import TOPICS

CHECKER = os.environ.get("LEAT_CHECK", str(ROOT / "build" / "tests" / "checker" / "leat-check"))
CLIENT = pathlib.Path(__file__).with_name("soak_client.py")
# Our own client, in the roles that it has; half of those who have one are librdkafka's. "plain" sends
# nothing again, and ours does.
OWN_CLIENT = os.environ.get("LEAT_SOAK_CLIENT",
                            str(ROOT / "build" / "tests" / "soak" / "leat-soak-client"))
OWN_ROLES = {"once", "pair", "loop", "watch", "all"}
WRITERS = {"once": 2, "plain": 1, "pair": 2}
LOOPS = {"loop": 2, "mover": 1}
READERS = {"watch": 2, "all": 1}
OTHERS = {"observe": 1}
# Small files, so that a minute rolls segments and uses the journal again.
CONFIG = "[store]\njournal_bytes = 1048576\n"
SEGMENT_BYTES = 1 << 20


class Soak:
    # Of what is counted in the end.
    may_be_none = {"unknown"}

    def __init__(self, folder, server, seed):
        self.folder = folder
        self.server = server
        self.chance = random.Random(seed)
        self.clients = {}
        self.lives = {}
        self.zombies = []  # (when to wake it, process), of those that stand still or did
        self.zombie_count = 0
        self.gave_up = 0
        self.own_share = float(os.environ.get("LEAT_SOAK_OWN", "0.5"))
        self.own_count = 0
        self.marks = open(folder / "harness.jsonl", "w", encoding="utf-8")
        self.marks.write('{"client":"harness"}\n')

    def mark(self, what, of):
        self.marks.write(json.dumps({"t": time.monotonic_ns() // 1000, "mark": what, "of": of})
                         + "\n")
        self.marks.flush()

    def start(self, role, number):
        """Starts a client, or its next life, which is a client of its own name."""
        life = self.lives[role, number] = self.lives.get((role, number), 0) + 1
        name = f"{role}-{number}.{life}"
        settings = {"client": name, "role": role, "number": number, "bootstrap": self.server.kafka,
                    "history": str(self.folder / f"{name}.jsonl"),
                    "seed": self.chance.randrange(1 << 30)}
        is_own = role in OWN_ROLES and self.chance.random() < self.own_share
        command = [OWN_CLIENT] if is_own else [sys.executable, str(CLIENT)]
        self.own_count += is_own
        with open(self.folder / "clients.txt", "ab") as output:
            self.clients[role, number] = subprocess.Popen(
                [*command, json.dumps(settings)], stdin=subprocess.DEVNULL, stdout=output,
                stderr=output)

    def start_all(self):
        for roles in (WRITERS, LOOPS, READERS, OTHERS):
            for role, count in roles.items():
                for number in range(count):
                    self.start(role, number)

    def restart_dead(self):
        for (role, number), process in list(self.clients.items()):
            if process.poll() is not None:
                self.gave_up += 1
                self.start(role, number)

    def kill_server(self):
        self.mark("kill", "server")
        self.server.kill()
        time.sleep(self.chance.choice([0, 0, 0.1, 0.5]))
        if self.chance.random() < 0.2:
            self.kill_start()
        if not self.server.alive():
            self.server.start()
        self.mark("start", "server")

    def kill_start(self):
        """Kills the server while it recovers, or soon after."""
        self.mark("kill", "server")
        timer = threading.Timer(self.chance.uniform(0.005, 0.1),
                                lambda: self.server.process.kill())
        timer.start()
        try:
            self.server.start()
        except RuntimeError:
            pass
        timer.join()
        self.server.process.wait()

    def kill_client(self):
        key = self.chance.choice(list(self.clients))
        self.mark("kill", f"{key[0]}-{key[1]}.{self.lives[key]}")
        self.clients[key].kill()
        self.clients[key].wait()
        time.sleep(self.chance.choice([0, 0.2]))
        self.start(*key)

    def replace_client(self):
        """It stands still while its next life begins, and then finds itself replaced."""
        key = self.chance.choice(list(self.clients))
        self.zombie_count += 1
        self.mark("replace", f"{key[0]}-{key[1]}.{self.lives[key]}")
        process = self.clients[key]
        process.send_signal(signal.SIGSTOP)
        self.zombies.append((time.monotonic() + self.chance.uniform(0.5, 9), process))
        self.start(*key)

    def wake_zombies(self):
        for when, process in self.zombies:
            if when < time.monotonic():
                process.send_signal(signal.SIGCONT)

    def run(self, seconds):
        self.start_all()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            time.sleep(self.chance.uniform(0.3, 2.5))
            self.restart_dead()
            self.wake_zombies()
            self.chance.choice([self.kill_server, self.kill_server, self.kill_client,
                                self.replace_client])()
        for _, process in self.zombies:
            process.kill()
            process.wait()

    def drain(self):
        """Lets all clients come to their end, those first whose records others read."""
        failed = []
        for roles in (WRITERS, LOOPS, READERS, OTHERS):
            ending = {key: process for key, process in self.clients.items() if key[0] in roles}
            for process in ending.values():
                process.send_signal(signal.SIGTERM)
            for key, process in ending.items():
                try:
                    code = process.wait(150)
                except subprocess.TimeoutExpired:
                    process.kill()
                    code = process.wait()
                # One that has only just been started may not know SIGTERM yet.
                if code not in (0, 3, -signal.SIGTERM):
                    failed.append(f"{key[0]}-{key[1]}.{self.lives[key]} ended with {code}")
                self.gave_up += 1 if code == 3 else 0
                del self.clients[key]
        check(not failed, "all clients come to their end when nothing is killed any more", failed)
        self.start("last", 0)
        code = self.clients.pop(("last", 0)).wait(400)
        check(code == 0, "one more ends what transactions are open, and reads all that there is",
              self.text_of("clients.txt"))

    def text_of(self, name):
        return (self.folder / name).read_text(errors="replace")[-3000:]

    def end(self):
        for process in [*self.clients.values(), *(process for _, process in self.zombies)]:
            process.kill()
            process.wait()
        self.marks.close()


def dump(folder, server):
    check(server.stop() == 0, "the server stops when it is asked to", server.stderr())
    with open(folder / "log.jsonl", "wb") as log:
        code = subprocess.run([LEAT, "dump", str(server.data), "--records", "--format", "json"],
                              stdout=log, check=False, timeout=300).returncode
    check(code == 0, "the log has no damage")


def judge(history, seed, kind):
    """What the checker says: its counts. A history with an anomaly is kept. `kind` is of the server,
    or of what was run."""
    checked = run(CHECKER, *sorted(history.glob("*.jsonl")), timeout=600)
    counts, _, anomalies = checked.stdout.decode(errors="replace").partition("\n")
    print("    " + counts, flush=True)
    is_good = check(checked.returncode == 0, f"the checker finds no anomaly, {kind} (seed {seed})",
                    anomalies + checked.stderr.decode(errors="replace"))
    if not is_good or os.environ.get("LEAT_SOAK_KEEP"):
        print("    " + keep(history, seed, kind))
    return counts


def verdict(history, seconds, seed, kind, running):
    print(f"    seed {seed}, {seconds:g} s, {kind}; clients of our own {running.own_count} of "
          f"{sum(running.lives.values())}, replaced {running.zombie_count}, that gave up "
          f"{running.gave_up}")
    counts = judge(history, seed, kind)
    nothing = re.findall(r"(\w+(?: of \w+)?(?: told)?) 0[,;\n]", counts + "\n")
    check(set(nothing) <= running.may_be_none or seconds < 20,
          "clients of all kinds got something done, and something was killed", nothing)


def keep(folder, seed, kind):
    kept = ROOT / "build" / f"soak-{seed}-{kind.replace(' ', '-')}"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(folder, kept)
    return f"the history is kept; check it again with\n{CHECKER} {kept}/*.jsonl"


def soak(seconds, seed, shards):
    with scratch() as folder:
        (folder / "leat.toml").write_text(CONFIG)
        with Server(folder / "data", "--config", folder / "leat.toml") as server:
            for topic, partitions in TOPICS.items():
                leat("topic", "create", topic, "-p", partitions, "--config",
                     f"segment.bytes={SEGMENT_BYTES}", "-b", server.kafka)
            history = folder / "history"
            history.mkdir()
            running = Soak(history, server, seed)
            try:
                running.run(seconds)
                running.drain()
            finally:
                running.end()
            dump(history, server)
        verdict(history, seconds, seed, f"{shards} shards", running)


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    shards = [os.environ["LEAT_SHARDS"]] if "LEAT_SHARDS" in os.environ else ["1", "2"]
    for count in shards:
        os.environ["LEAT_SHARDS"] = count
        soak(seconds / len(shards), seed, count)
    finish()


if __name__ == "__main__":
    main()
