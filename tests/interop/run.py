#!/usr/bin/python3
"""leat run: the plans of tests/plans over real events give what was computed by other means."""

import gzip
import json
import pathlib
import shutil
import signal
import subprocess

from answers import csv_rows, field, text_of
from harness import LEAT, Server, check, finish, leat, scratch

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
PLANS = ROOT / "tests" / "plans"
DAYS = ("2011-11-06", "2011-11-17", "2011-11-20")

# Plan, source topic, its events, the field that is their key, sink topic, answer.
QUESTIONS = (
    ("wikipedia-tumble-5m", "edits", "wikipedia-edits.jsonl.gz", "channel", "edits-per-channel",
     "wikipedia-tumble-5m.csv"),
    ("wikipedia-session-1m", "edits", "wikipedia-edits.jsonl.gz", "channel",
     "sessions-per-channel", "wikipedia-session-1m.csv.gz"),
    ("wikipedia-velocity-5m", "edits", "wikipedia-edits.jsonl.gz", "user", "busy-users",
     "wikipedia-velocity-5m.csv.gz"),
    ("retail-revenue-5m", "orders", "retail-orders.jsonl.gz", "invoice", "revenue",
     "retail-revenue-5m.csv.gz"),
)


def load(folder, topic, events, key, partitions):
    """A data directory that has the events, and no server."""
    data = folder / f"{topic}-{key}-{partitions}"
    if data.exists():
        return data
    with Server(data) as server:
        leat("topic", "create", topic, "-p", str(partitions), "-b", server.kafka)
        sent = leat("produce", topic, "-b", server.kafka, "-k", key, stdin=text_of(DATA / events))
        check(sent.returncode == 0, f"{events} in {partitions} partitions", sent.stderr)
        server.stop()
    return data


def records(data, topic):
    with Server(data) as server:
        got = leat("consume", topic, "-b", server.kafka, "-e", "-o", "start:")
        server.stop()
    return [json.loads(line) for line in got.stdout.splitlines()]


def check_answers(folder, partitions, workers):
    for plan, topic, events, key, sink, answer in QUESTIONS:
        data = folder / "run"
        shutil.copytree(load(folder, topic, events, key, partitions), data)
        ran = leat("run", str(PLANS / f"{plan}.plan.json"), "-d", str(data), "--batch",
                   "--workers", str(workers))
        rows = sorted(tuple("" if value is None else field(str(value)) for value in row.values())
                      for row in records(data, sink))
        wanted = sorted(csv_rows(text_of(DATA / answer)))
        check(ran.returncode == 0 and rows == wanted,
              f"{plan}, {partitions} partitions, {workers} workers: {len(wanted)} rows",
              f"{len(rows)} {ran.stderr}")
        shutil.rmtree(data)


def check_daily(folder, partitions):
    """Files by day, written again by a second run, which replaces them."""
    data = folder / "run"
    shutil.copytree(load(folder, "orders", "retail-orders.jsonl.gz", "invoice", partitions), data)
    (folder / "retail-customers.jsonl").write_bytes(text_of(DATA / "retail-customers.jsonl.gz"))
    for turn in ("once", "again"):
        ran = leat("run", str(PLANS / "retail-daily.plan.json"), "-d", str(data), "--batch",
                   cwd=folder)
        for day in DAYS:
            file = folder / "daily" / f"order_date={day}" / "rows.csv"
            rows = [(day, *row) for row in csv_rows(file.read_bytes())] if file.exists() else []
            wanted = csv_rows(text_of(DATA / f"retail-daily-{day}.csv"))
            check(ran.returncode == 0 and sorted(rows) == sorted(wanted),
                  f"retail-daily of {day}, {turn}", f"{rows} {ran.stderr}")
    shutil.rmtree(data)


def check_usage(folder):
    plan = PLANS / "wikipedia-tumble-5m.plan.json"
    told = leat("run", str(plan), "--explain")
    check(told.returncode == 0 and b"tumbling 5 min by channel" in told.stdout and
          b"follows from the log alone" in told.stdout, "--explain says what a plan does",
          told.stdout)
    told = leat("run", str(PLANS / "wikipedia-velocity-5m.plan.json"), "--explain")
    check(told.returncode == 0 and b"keeps rows where " in told.stdout,
          "--explain says which rows a filter keeps", told.stdout)
    broken = folder / "broken.plan.json"
    broken.write_text(plan.read_text().replace('"keys": ["channel"]', '"keys": ["chanel"]'))
    refused = leat("run", str(broken), "-d", str(folder / "none"))
    check(refused.returncode == 1 and b"column 'chanel' is not there" in refused.stderr and
          not (folder / "none").exists(), "a plan that does not fit is refused, with the place",
          refused.stderr)
    missing = leat("run", str(plan), "-d", str(folder / "none"))
    check(missing.returncode == 1 and b"no data directory" in missing.stderr and
          not (folder / "none").exists(), "no directory is made to look for topics in it",
          missing.stderr)
    with Server(folder / "held") as server:
        held = leat("run", str(plan), "-d", str(server.data))
        check(held.returncode == 1 and f"-b {server.kafka}".encode() in held.stderr,
              "a directory that a server holds is left alone", held.stderr)


def per_user(folder):
    """A plan that counts by user, and prints what it reads."""
    plan = folder / "per-user.plan.json"
    plan.write_text(json.dumps({
        "version": 1, "name": "per-user", "nodes": [
            {"name": "users", "type": "source", "topic": "users", "event_time": "time",
             "columns": [{"name": "time", "type": "timestamp"}, {"name": "user", "type": "text"}]},
            {"name": "counts", "type": "window", "input": "users", "keys": ["user"],
             "window": {"kind": "tumbling", "size_ms": 86_400_000},
             "aggregates": [{"name": "n", "function": "count"}]},
            {"name": "out", "type": "sink", "input": "counts", "topic": "per-user"},
            {"name": "seen", "type": "sink", "input": "users", "console": True}]}))
    return plan


def check_memory(folder):
    """Fault 38: keys without end end the run before the kernel does."""
    data = folder / "keys"
    with Server(data) as server:
        leat("topic", "create", "users", "-p", "2", "-b", server.kafka)
        events = "".join('{"time":%d,"user":"user-%d"}\n' % (n // 1000, n) for n in range(300_000))
        leat("produce", "users", "-b", server.kafka, "-k", "user", stdin=events.encode())
        server.stop()
    plan = per_user(folder)
    ran = leat("run", str(plan), "-d", str(data), "--batch", "--memory", "4")
    check(ran.returncode == 1 and b"more than the 4 MiB it may" in ran.stderr and
          b"in nodes[1] 'counts'" in ran.stderr, "more keys than may be kept end the run, by name",
          ran.stderr)
    enough = leat("run", str(plan), "-d", str(data), "--batch", "--memory", "400")
    check(enough.returncode == 0 and b"300000 rows in, 600000 out" in enough.stderr,
          "and with more room it ends", enough.stderr)
    batch = folder / "batch.plan.json"
    batch.write_text(json.dumps(json.loads(plan.read_text()) | {"mode": {"type": "batch"}}))
    itself = leat("run", str(batch), "-d", str(data), "--memory", "400")
    check(itself.returncode == 0 and b"300000 rows in, 600000 out" in itself.stderr,
          "a plan in mode batch ends by itself", itself.stderr)


def check_stalled(folder):
    """Fault 35: a partition that gives nothing is named."""
    data = folder / "stalled"
    with Server(data) as server:
        leat("topic", "create", "users", "-p", "3", "-b", server.kafka)
        for partition in ("0", "2"):
            leat("produce", "users", "-b", server.kafka, "-p", partition,
                 stdin=b'{"time":5000,"user":"ann"}\n')
        server.stop()
    live = subprocess.Popen([LEAT, "run", str(per_user(folder)), "-d", str(data)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    seen = [live.stdout.readline(), live.stdout.readline()]
    live.send_signal(signal.SIGINT)
    _, told = live.communicate(timeout=60)
    check(live.returncode == 0 and
          b"held back by partition 1 of users, which has given no row" in told,
          "a run says which partition holds event time back", f"{seen} {told}")
    # One that is never idle holds it back for ever: it is named while the run goes on.
    plan = json.loads(per_user(folder).read_text())
    plan["nodes"][0]["idle_ms"] = 0
    patient = folder / "patient.plan.json"
    patient.write_text(json.dumps(plan))
    live = subprocess.Popen([LEAT, "run", str(patient), "-d", str(data), "--fresh"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in live.stderr:
        if b"held back by partition 1 of users, which has given no row" in line:
            break
    check(live.poll() is None, "and says so while it waits for it", line)
    live.send_signal(signal.SIGINT)
    live.communicate(timeout=60)
    plan["nodes"][1]["window"]["size_ms"] = 1000
    patient.write_text(json.dumps(plan))
    refused = leat("run", patient, "-d", data)
    check(refused.returncode == 1 and b"--fresh" in refused.stderr and
          b"event time" not in refused.stderr,
          "a run that is refused says why, and nothing of its windows", refused.stderr)


def check_files(folder):
    """Files need no topics: as they are, packed, with blank lines, and as lines of text."""
    rows = b'{"v":1}\n\n{"v":2}\n \n'
    (folder / "rows.jsonl").write_bytes(rows)
    (folder / "rows.jsonl.gz").write_bytes(gzip.compress(rows))
    (folder / "rows.csv").write_bytes(b"v,w\n1,a\n\n2,b\n\n")
    (folder / "rows.log").write_bytes(b"first\n\nlast")

    def write_plan(source, expression=None):
        plan = folder / "files.plan.json"
        nodes = [{"name": "in", "type": "source"} | source]
        if expression:
            nodes.append({"name": "out", "type": "project", "input": "in",
                          "columns": [{"name": "r", "expression": expression}]})
        nodes.append({"name": "seen", "type": "sink", "input": nodes[-1]["name"], "console": True})
        plan.write_text(json.dumps({"version": 1, "name": "files", "nodes": nodes}))
        return str(plan)

    number = [{"name": "v", "type": "bigint"}]
    for source, wanted in (
            ({"file": "rows.jsonl", "columns": number}, [{"v": 1}, {"v": 2}]),
            ({"file": "rows.jsonl.gz", "columns": number}, [{"v": 1}, {"v": 2}]),
            ({"file": "rows.csv", "format": "csv", "header_line": True,
              "columns": number + [{"name": "w", "type": "text"}]},
             [{"v": 1, "w": "a"}, {"v": 2, "w": "b"}]),
            ({"file": "rows.log", "format": "raw", "columns": [{"name": "line", "type": "text"}]},
             [{"line": "first"}, {"line": ""}, {"line": "last"}])):
        ran = leat("run", write_plan(source), "-d", str(folder / "none"), "--batch", cwd=folder)
        got = [json.loads(line) for line in ran.stdout.splitlines()]
        check(ran.returncode == 0 and got == wanted, f"{source['file']} is read",
              f"{got} {ran.stderr}")
    (folder / "bad.jsonl").write_text('{"v":1}\n{"v":0}\n{"v":2}\nwhat?\n')
    quotient = {"call": "/", "arguments": [{"bigint": 4}, {"column": "v"}]}
    ran = leat("run", write_plan({"file": "bad.jsonl", "columns": number}, quotient), "-d",
               str(folder / "none"), "--batch", cwd=folder)
    check(ran.returncode == 1 and ran.stdout == b'{"r":4}\n' and
          b"division by zero" in ran.stderr and b"what?" not in ran.stderr,
          "a bad row ends a run, and what is behind it stays away", f"{ran.stdout} {ran.stderr}")
    live = subprocess.Popen([LEAT, "run", write_plan({"file": "rows.jsonl", "columns": number}),
                             "-d", str(folder / "none")],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder)
    live.stdout.readline()
    live.send_signal(signal.SIGINT)
    _, told = live.communicate(timeout=60)
    check(told.count(b"--batch") == 1, "a live run says that files have an end", told)


def main():
    with scratch() as folder:
        check_usage(folder)
        check_memory(folder)
        check_stalled(folder)
        check_files(folder)
        for partitions, workers in ((1, 1), (1, 3), (2, 2), (4, 1), (4, 4)):
            check_answers(folder, partitions, workers)
        for partitions in (1, 4):
            check_daily(folder, partitions)
    finish()


if __name__ == "__main__":
    main()
