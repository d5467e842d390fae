#!/usr/bin/python3
"""Fault 37: a server whose wall clock is set by a year, forth and back, by libfaketime. Whatever waits
for a time to pass waits for that long, and no longer: groups' sessions, transactions, idle
partitions, triggers. Only timestamps follow the clock."""

import contextlib
import glob
import json
import os
import subprocess
import time

from harness import Server, check, finish, leat, run, scratch, wait_for
from librdkafka import Failed, Producer

YEAR_S = 365 * 24 * 3600
IDLE_S = 4
SESSION_S = 6


def library():
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    return found[0] if found else None


# libfaketime takes absolute times of all timers for ones of the clock that it sets, so a monotonic
# timer that is due at once, which Asio sets to the first nanosecond, would be due in fifty years.
TIMERS = """
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

int timerfd_settime(int timer, int flags, const struct itimerspec* to, struct itimerspec* from) {
  return (int)syscall(SYS_timerfd_settime, timer, flags, to, from);
}
"""


def timers(folder):
    """A library that leaves timers to the kernel, to be loaded before libfaketime."""
    built = folder / "timers.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", built], input=TIMERS.encode(),
                   check=True)
    return built


class SetClock:
    """The wall clock of one server. Its monotonic clock is the machine's."""

    def __init__(self, folder):
        self.file = folder / "clock"
        self.set_by(0)
        self.environment = {
            "LD_PRELOAD": f"{timers(folder)} {library()}",
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def set_by(self, seconds):
        """So far from the machine's clock."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        os.replace(fresh, self.file)


def create(server, topic, partitions):
    """One that takes records of any time: to a broker of a year ago all are of the future, and to
    one of a year later all are old enough to be deleted."""
    made = leat("topic", "create", topic, "-p", str(partitions), "-b", server.kafka, "-c",
                "message.timestamp.type=LogAppendTime", "-c", "retention.ms=-1")
    if made.returncode != 0:
        raise RuntimeError(made.stderr)


def produce(server, topic, partition, row):
    sent = leat("produce", topic, "-b", server.kafka, "-p", str(partition),
                stdin=json.dumps(row).encode() + b"\n")
    if sent.returncode != 0:
        raise RuntimeError(sent.stderr)


def rows(server, topic):
    got = run("kcat", "-b", server.kafka, "-C", "-t", topic, "-e", "-q", "-o", "beginning", "-X",
              "isolation.level=read_committed")
    return [json.loads(line) for line in got.stdout.splitlines()]


def newest_timestamp_ms(server, topic):
    got = run("kcat", "-b", server.kafka, "-C", "-t", topic, "-e", "-q", "-o", "beginning", "-f",
              "%T\\n")
    return int(got.stdout.split()[-1])


def deploy(folder, server, name, mode, nodes):
    """Two windows of a second, over a source that waits IDLE_S for a silent partition."""
    source = {"name": "in", "type": "source", "topic": name, "event_time": "time",
              "idle_ms": IDLE_S * 1000, "columns": [{"name": "time", "type": "timestamp"},
                                                    {"name": "n", "type": "bigint"}]}
    sink = {"name": "out", "type": "sink", "input": "w", "topic": f"{name}.out", "changes": "all"}
    plan = {"version": 1, "name": name, "mode": mode, "nodes": [source, *nodes, sink]}
    file = folder / f"{name}.plan.json"
    file.write_text(json.dumps(plan))
    create(server, name, 2)
    deployed = leat("pipeline", "deploy", file, env={"LEAT_HTTP": server.http})
    if deployed.returncode != 0:
        raise RuntimeError(deployed.stderr)


def window(emit, **more):
    return {"name": "w", "type": "window", "input": "in", "emit": emit,
            "window": {"kind": "tumbling", "size_ms": 1000},
            "aggregates": [{"name": "rows", "function": "count"}], **more}


def check_timestamps(server, clock):
    """The clock is set indeed: what the log stamps follows it."""
    create(server, "stamped", 1)
    for years in (1, -1, 0):
        clock.set_by(years * YEAR_S)
        produce(server, "stamped", 0, {"n": 1})
        away_s = newest_timestamp_ms(server, "stamped") / 1000 - time.time()
        check(abs(away_s - years * YEAR_S) < 3600,
              f"a record is stamped by the clock as it is set ({years:+d} years)", away_s)


def check_idle(server, clock, turn, years):
    """A silent partition holds event time back for IDLE_S, not less, and not for ever."""
    base = turn * 100_000
    window_start = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(base // 1000))
    produce(server, "idle", 0, {"time": base, "n": 1})
    since = time.monotonic()
    produce(server, "idle", 1, {"time": base, "n": 1})
    clock.set_by(years * YEAR_S)

    def is_told():
        # One that goes on while the other is silent.
        produce(server, "idle", 0, {"time": base + 5000, "n": 1})
        return any(row["window_start"].startswith(window_start) for row in rows(server, "idle.out"))

    told = wait_for(is_told, 60)
    waited_s = time.monotonic() - since
    check(told, f"a silent partition is idle in the end, the clock set by {years:+d} years",
          server.stderr())
    check(waited_s >= IDLE_S, f"and not before its time, the clock set by {years:+d} years",
          f"{waited_s} s")


def check_triggers(server, clock, turn, years):
    """Micro-batches, and results that are told each second, go on."""
    before = {name: len(rows(server, f"{name}.out")) for name in ("batches", "each_second")}
    clock.set_by(years * YEAR_S)
    for name, was in before.items():
        for partition in (0, 1):
            produce(server, name, partition, {"time": turn * 1_000_000, "n": 1})
        check(wait_for(lambda name=name, was=was: len(rows(server, f"{name}.out")) > was, 30),
              f"{name} goes on, the clock set by {years:+d} years", server.stderr())


def describe(server):
    told = leat("group", "describe", "readers", "-b", server.kafka)
    return told.stdout.decode()


@contextlib.contextmanager
def member(server):
    """A reader of the topic `read`, of which the group hears once in two seconds."""
    create(server, "read", 1)
    reader = subprocess.Popen(
        ["kcat", "-b", server.kafka, "-q", "-u", "-X", f"session.timeout.ms={SESSION_S * 1000}",
         "-X", "heartbeat.interval.ms=2000", "-X", "auto.offset.reset=earliest", "-G", "readers",
         "read"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        produce(server, "read", 0, {"n": 0})
        if not reader.stdout.readline():
            raise RuntimeError("the group gave its member nothing")
        yield reader
    finally:
        reader.kill()
        reader.communicate()


def check_sessions(server, clock):
    with member(server) as reader:
        before = describe(server)
        for number, years in ((1, 1), (2, -1), (3, 0)):
            clock.set_by(years * YEAR_S)
            time.sleep(SESSION_S / 2)
            produce(server, "read", 0, {"n": number})
            got = json.loads(reader.stdout.readline())
            check(got == {"n": number}, f"a member reads on, the clock set by {years:+d} years",
                  got)
        names = [line.split()[:3] for line in (before, describe(server))]
        check(names[0] == names[1] and reader.poll() is None, "and is the member that it was",
              before + describe(server))


def check_transactions(server, clock):
    """One that is open stays open, and one that is over its time is aborted."""
    create(server, "paid", 1)
    settings = {"bootstrap.servers": server.kafka, "linger.ms": 1, "log_level": 0}
    for years in (1, -1, 0):
        producer = Producer({**settings, "transactional.id": f"payer{years}"})
        producer.init()
        producer.begin()
        producer.produce("paid", 0, json.dumps({"years": years}).encode())
        producer.flush()
        clock.set_by(years * YEAR_S)
        time.sleep(1.5)
        try:
            producer.commit()
            committed = True
        except Failed as failed:
            committed = str(failed)
        producer.close()
        # Its end is in the log before its marker is.
        is_read = wait_for(lambda row={"years": years}: rows(server, "paid")[-1:] == [row])
        check(committed is True and is_read,
              f"an open transaction commits, the clock set by {years:+d} years", committed)
    hung = Producer({**settings, "transactional.id": "hung", "transaction.timeout.ms": 2000})
    hung.init()
    hung.begin()
    hung.produce("paid", 0, b'{"years": "hung"}')
    hung.flush()
    clock.set_by(-YEAR_S)
    after = Producer({**settings, "transactional.id": "after"})
    after.init()
    after.begin()
    after.produce("paid", 0, b'{"years": "after"}')
    after.commit()
    check(wait_for(lambda: rows(server, "paid")[-1:] == [{"years": "after"}], 60),
          "a transaction that is over its time holds readers back no longer", rows(server, "paid"))
    after.close()


def main():
    with scratch() as folder:
        clock = SetClock(folder)
        with Server(folder / "data", environment=clock.environment) as server:
            check_timestamps(server, clock)
            micro_batch = {"type": "micro_batch", "trigger_ms": 1000}
            deploy(folder, server, "idle", {"type": "stream"}, [window("close")])
            deploy(folder, server, "batches", micro_batch, [window("update")])
            deploy(folder, server, "each_second", {"type": "stream"},
                   [window("every", every_ms=1000)])
            for turn, years in enumerate((1, -1, 0), start=1):
                check_idle(server, clock, turn, years)
                check_triggers(server, clock, turn, years)
            check_sessions(server, clock)
            check_transactions(server, clock)
            check(server.stop() == 0, "and it stops when asked", server.stderr())


if __name__ == "__main__":
    if library() is None:
        print("skipped - libfaketime is not installed: apt install libfaketime")
    else:
        main()
    finish()
