#!/usr/bin/python3
"""The five jobs of examples/jobs: each demo ends well, and their plans over real events give what was
computed by other means."""

import collections
import json
import signal
import subprocess
import threading
import time

from answers import csv_rows, field, text_of
from harness import LEAT, ROOT, Server, check, edits, finish, leat, scratch, wait_for

DATA = ROOT / "tests" / "data"
JOBS = ROOT / "examples" / "jobs"
DEMOS = ("batch", "fraud", "micro-batch", "kappa")


def row_of(record):
    return tuple("" if value is None else field(str(value)) for value in record.values())


def check_demos():
    for name in DEMOS:
        start = time.monotonic()
        shown = leat("demo", name, timeout=180)
        took = time.monotonic() - start
        check(shown.returncode == 0 and b"in plain C++" in shown.stdout,
              f"leat demo {name} gives what a plain loop gives", shown.stdout + shown.stderr)
        check(took < 60, f"leat demo {name} is over within a minute", f"{took:.0f} s")


def check_demo_again(folder):
    """A demo over a directory that it has been played in: nothing is sent or raised twice."""
    for turn in ("first", "second"):
        shown = leat("demo", "fraud", "--data", folder / "fraud", timeout=180)
        check(shown.returncode == 0 and b"in plain C++" in shown.stdout,
              f"leat demo fraud over one directory, the {turn} time", shown.stdout + shown.stderr)


def load(folder):
    """A data directory with the real events, and no server."""
    data = folder / "real"
    with Server(data) as server:
        for topic, events, key in (("edits", "wikipedia-edits", "user"),
                                   ("retail-orders", "retail-orders", "invoice"),
                                   ("retail-customers", "retail-customers", "customer_id")):
            leat("topic", "create", topic, "-p", "3", "-b", server.kafka)
            sent = leat("produce", topic, "-b", server.kafka, "-k", key,
                        stdin=text_of(DATA / f"{events}.jsonl.gz"))
            check(sent.returncode == 0, f"{events} are there", sent.stderr)
        server.stop()
    return data


def records(data, topic):
    with Server(data) as server:
        got = leat("consume", topic, "-b", server.kafka, "-e", "-o", "start:")
        server.stop()
    return [json.loads(line) for line in got.stdout.splitlines()]


def check_daily(folder, data):
    plan = JOBS / "batch" / "retail-daily.plan.json"
    refused = leat("run", plan, "-d", data)
    check(refused.returncode == 1 and b"${date} without a value" in refused.stderr,
          "a plan says which value it lacks", refused.stderr)
    for date in ("2011-11-06", "2011-11-17", "2011-11-20", "2011-11-17"):
        ran = leat("run", plan, "-d", data, "--set", f"date={date}", "--set",
                   f"out={folder / 'daily'}")
        check(ran.returncode == 0 and b"rows in" in ran.stderr, f"the batch of {date}", ran.stderr)
    folders = sorted(path.name for path in (folder / "daily").glob("order_date=*"))
    check(folders == ["order_date=2011-11-06", "order_date=2011-11-17", "order_date=2011-11-20"],
          "the dates that were asked for are there, and no others", folders)
    for date in ("2011-11-06", "2011-11-17", "2011-11-20"):
        rows = csv_rows((folder / "daily" / f"order_date={date}" / "rows.csv").read_bytes())
        wanted = csv_rows(text_of(DATA / f"retail-daily-{date}.csv"))
        check(sorted((date, *row) for row in rows) == sorted(wanted),
              f"the daily summary of {date} is that which was computed elsewhere", rows)


class Run:
    """A `leat run` that goes on until it is ended. `beginning` is the first that it says."""

    def __init__(self, data, plan, *arguments):
        self.process = subprocess.Popen(
            [LEAT, "run", plan, "-d", data, *arguments], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        self.beginning = self.process.stderr.readline().decode()

    def end(self, how=signal.SIGINT):
        """What it has said in all."""
        self.process.send_signal(how)
        _, told = self.process.communicate(timeout=120)
        return self.beginning + told.decode()


def run_to_the_end(data, plan, *arguments, first=()):
    """Runs until nothing is left for another run; what the first of these runs has said."""
    told = []
    for seconds in range(2, 12):
        run = Run(data, plan, *arguments, *(first if not told else ()))
        time.sleep(seconds)
        told.append(run.end())
        if " 0 rows in, 0 out" in told[-1]:
            break
    check(" 0 rows in, 0 out" in told[-1], "at last nothing is left for another run", told)
    return told[0]


def check_going_on(data):
    """Killed again and again, a run gives each alert once."""
    plan = JOBS / "fraud" / "busy-editors.plan.json"
    first = Run(data, plan)
    first.end(signal.SIGKILL)
    check(first.beginning.startswith("busy-editors: begins at edits/0 0"),
          "a first run says that it begins", first.beginning)
    for seconds in (0.1, 0.2, 0.3):
        run = Run(data, plan)
        time.sleep(seconds)
        run.end(signal.SIGKILL)
    run_to_the_end(data, plan)
    rows = sorted(row_of(row) for row in records(data, "busy-editors"))
    wanted = sorted(csv_rows(text_of(DATA / "wikipedia-velocity-5m.csv.gz")))
    check(rows == wanted, f"{len(wanted)} edits by busy editors, each once, over kills", len(rows))
    last = Run(data, plan)
    last.end()
    check(last.beginning.startswith("busy-editors: goes on behind 39244 rows, at edits/0 "),
          "a later run says from where it goes on", last.beginning)


def check_files(folder, data):
    """The same into files: what is shown there is there once, over kills."""
    plan = json.loads((JOBS / "fraud" / "busy-editors.plan.json").read_text())
    plan["name"] = "busy-editors-in-files"
    plan["nodes"][-1] = {"name": "out", "type": "sink", "input": "many", "format": "csv",
                         "files": str(folder / "busy")}
    path = folder / "files.plan.json"
    path.write_text(json.dumps(plan))
    for seconds in (0, 0.05, 0.1, 0.2):
        run = Run(data, path)
        time.sleep(seconds)
        run.end(signal.SIGKILL)
    run_to_the_end(data, path)
    seen = sorted(row for file in (folder / "busy").rglob("rows*.csv")
                  for row in csv_rows(file.read_bytes()))
    wanted = sorted(csv_rows(text_of(DATA / "wikipedia-velocity-5m.csv.gz")))
    check(seen == wanted, f"{len(wanted)} edits in files, each once, over kills", len(seen))


def check_one_word(folder, data):
    """A batch goes live by another word in its plan, and comes to the same."""
    plan = folder / "live.plan.json"
    batch = (JOBS / "batch" / "retail-daily.plan.json").read_text()
    plan.write_text(batch.replace('"mode": {"type": "batch"}', '"mode": {"type": "stream"}'))
    run_to_the_end(data, plan, "--set", "date=2011-11-17", "--set", f"out={folder / 'live'}")
    files = list((folder / "live" / "order_date=2011-11-17").glob("rows*.csv"))
    rows = [("2011-11-17", *row) for file in files for row in csv_rows(file.read_bytes())]
    wanted = csv_rows(text_of(DATA / "retail-daily-2011-11-17.csv"))
    check(sorted(rows) == sorted(wanted), "the batch's plan as a stream gives the same", rows)


def check_other_plan(folder, data):
    plan = folder / "other.plan.json"
    plan.write_text((JOBS / "fraud" / "busy-editors.plan.json").read_text().replace(
        '{"bigint": 5}', '{"bigint": 7}'))
    refused = leat("run", plan, "-d", data)
    check(refused.returncode == 1 and b"does not fit" in refused.stderr and
          b"--fresh" in refused.stderr, "a plan that has changed is refused, with the way out",
          refused.stderr)
    check(b"run.busy" not in refused.stderr and b'"level"' not in refused.stderr,
          "and it is said once, by the plan's name", refused.stderr)
    told = run_to_the_end(data, plan, first=("--fresh",))
    check("begins anew, at edits/0 0" in told, "--fresh begins at the start", told)


def check_revenue(data):
    plan = JOBS / "micro-batch" / "retail-revenue-5m.plan.json"
    quick = ("--set", "trigger_ms=400")
    run = Run(data, plan, *quick)
    time.sleep(0.6)
    run.end(signal.SIGKILL)
    run_to_the_end(data, plan, *quick)
    last = {row["window_start"]: row_of(row) for row in records(data, "retail-revenue")}
    wanted = sorted(csv_rows(text_of(DATA / "retail-revenue-5m.csv.gz")))
    check(sorted(last.values()) == wanted,
          f"the last word on {len(wanted)} windows, by micro-batches", len(last))


def windows_of(lines, with_robots):
    """What each window of a channel comes to."""
    windows = collections.defaultdict(lambda: [0, 0])
    for line in lines:
        edit = json.loads(line)
        if edit["isRobot"] and not with_robots:
            continue
        minute = int(edit["time"][14:16]) // 5 * 5
        sums = windows[f"{edit['time'][:14]}{minute:02}:00Z", edit["channel"]]
        sums[0] += 1
        sums[1] += edit["added"]
    return {key: tuple(sums) for key, sums in windows.items()}


def check_kappa(folder):
    """A version takes over, and gives way again, while edits come and somebody reads."""
    lines, name, path = edits(), "edits-per-channel", folder / "read"
    with Server(folder / "kappa") as server, open(path, "wb") as out:
        def feed(begin, end):
            text = b"".join(line + b"\n" for line in lines[begin:end])
            leat("produce", "edits", "-k", "channel", "-b", server.kafka, stdin=text)

        def feeding(begin, end, *command):
            thread = threading.Thread(target=feed, args=(begin, end))
            thread.start()
            told = leat("pipeline", *command, "--http", server.http)
            thread.join()
            check(told.returncode == 0, " ".join(str(part) for part in command[:3]), told.stderr)

        leat("topic", "create", "edits", "-p", "4", "-b", server.kafka)
        for number, end in ((1, 16000), (2, 0)):
            leat("pipeline", "deploy", JOBS / "kappa" / f"{name}-v{number}.plan.json", "--http",
                 server.http)
            feed(0, end)
        reader = subprocess.Popen([LEAT, "consume", name, "-b", server.kafka, "-o", "start:"],
                                  stdout=out)
        feeding(16000, 22000, "replay", name, "--from", "start", "--diff")
        feeding(22000, 31000, "promote", name, "2")
        feeding(31000, len(lines), "promote", name, "1")
        first, second = windows_of(lines, True), windows_of(lines, False)
        # The last windows of a day stay open.
        wait_for(lambda: path.read_bytes().count(b"\n") > 5500)
        time.sleep(1)
        reader.terminate()
        reader.wait()
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    seen = {(row["window_start"], row["channel"]): (row["edits"], row["added"]) for row in rows}
    check(len(seen) == len(rows) > 5500, "the reader saw no window twice", (len(seen), len(rows)))
    check(all(sums in (first.get(key), second.get(key)) for key, sums in seen.items()),
          "each window is by the rule of a version")
    check(any(sums != first.get(key) for key, sums in seen.items()), "some are by the second one's")


def main():
    check_demos()
    with scratch() as folder:
        check_demo_again(folder)
        data = load(folder)
        check_daily(folder, data)
        check_one_word(folder, data)
        check_going_on(data)
        check_files(folder, data)
        check_other_plan(folder, data)
        check_revenue(data)
        check_kappa(folder)
    finish()


if __name__ == "__main__":
    main()
