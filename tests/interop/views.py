#!/usr/bin/python3
"""leat view: results of pipelines as tables, and a union of a batch and a stream, as a user sees them,
through kill -9.

What the views show is held against a plain loop over the orders that leat gen makes.
"""

import collections
import csv
import datetime
import decimal
import json
import threading
import time
import urllib.error
import urllib.request

from harness import ROOT, Server, check, finish, leat, scratch, wait_for

PLAN = ROOT / "examples" / "jobs" / "lambda" / "revenue.plan.json"
UNION = ROOT / "examples" / "jobs" / "lambda" / "revenue.view.json"
DAY = 86_400
ORDERS = 150_000  # an order a second, from 2026-03-02 on


class Shell:
    """leat, told once where the server is."""

    def __init__(self, server):
        self.server = server

    def __call__(self, *arguments, **options):
        env = {"LEAT_BROKERS": self.server.kafka, "LEAT_HTTP": self.server.http}
        return leat(*arguments, env=env, **options)

    def view(self, *arguments):
        return self("view", *arguments)

    def answer(self, *arguments):
        """What `leat view NAME --format json` says; nothing after an error."""
        told = self.view(*arguments, "--format", "json")
        return json.loads(told.stdout, parse_float=decimal.Decimal) if not told.returncode else {}

    def rows(self, *arguments):
        return {row["window_start"]: row for row in self.answer(*arguments).get("rows", [])}


def seconds(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def make_orders():
    made = leat("gen", "orders", "-n", ORDERS, timeout=300)
    return made.stdout.splitlines()


def reckon(lines):
    """Number and revenue by minute: each order once, no cancelled ones, none of nothing."""
    minutes = collections.defaultdict(lambda: [0, decimal.Decimal(0)])
    seen = set()
    for line in lines:
        order = json.loads(line, parse_float=decimal.Decimal, parse_int=decimal.Decimal)
        if order["order_id"] in seen:
            continue
        seen.add(order["order_id"])
        if order["status"] == "cancelled" or order["amount"] <= 0:
            continue
        minute = minutes[seconds(order["timestamp"].split(".")[0].rstrip("Z") + "Z") // 60 * 60]
        minute[0] += 1
        minute[1] += order["amount"]
    return minutes


def totals(windows):
    return sum(count for count, _ in windows), sum(amount for _, amount in windows)


def windows_of(rows):
    return [(row["orders"], decimal.Decimal(row["revenue"])) for row in rows]


def deploy(shell):
    live = shell("pipeline", "deploy", PLAN, "--set", "per=minute", "--set", "keep_ms=172800000")
    check(live.returncode == 0, "the stream is deployed", live.stderr)
    batch = shell("pipeline", "deploy", PLAN, "--set", "per=day", "--set", f"size_ms={DAY * 1000}",
                  "--set", "mode=batch", "--set", "schedule=0 2 * * *")
    check(batch.returncode == 0, "the batch is deployed, of the same plan", batch.stderr)
    union = shell.view("--union", UNION)
    check(union.returncode == 0, "a union view of both is made", union.stderr)
    listed = {line.split()[0]: line.split() for line in shell.view().stdout.decode().splitlines()}
    check({"revenue", "revenue-per-day", "revenue-per-minute"} <= set(listed), "leat view lists them",
          listed)
    completed = shell("complete", "--", "view", "reve").stdout.decode()
    check("revenue-per-day" in completed, "a shell completes the names of views", completed)


def run_batch(shell):
    before = shell.answer("revenue-per-day").get("epoch")
    ran = shell("pipeline", "run", "revenue-per-day")
    check(ran.returncode == 0, "the batch runs", ran.stderr)
    return wait_for(lambda: shell.answer("revenue-per-day").get("epoch") not in (None, before), 60)


def is_all(shell, expected):
    """The view has just these orders: days before the boundary, minutes behind it."""
    answer = shell.answer("revenue")
    if not answer:
        return False
    boundary = seconds(answer["boundary"]) if answer["boundary"] else 0
    wanted = collections.defaultdict(lambda: [0, decimal.Decimal(0)])
    for start, (count, amount) in expected.items():
        window = wanted[start // DAY * DAY if start < boundary else start]
        window[0] += count
        window[1] += amount
    shown = {seconds(row["window_start"]): [row["orders"], decimal.Decimal(row["revenue"])]
             for row in answer["rows"]}
    return shown == wanted


class Watcher(threading.Thread):
    """Reads the union all the time: nobody may see less than before, nor the boundary go back."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.readings = 0
        self.wrong = []
        self.over = False

    def run(self):
        most, boundary = (0, 0), ""
        while not self.over:
            try:
                with urllib.request.urlopen(
                        f"http://{self.server.http}/v1/views/revenue?limit=100000",
                        timeout=10) as got:
                    answer = json.load(got, parse_float=decimal.Decimal)
            except urllib.error.HTTPError as error:
                if error.code != 503:  # it is being made again after a kill
                    self.wrong.append(error.read())
                time.sleep(0.02)
                continue
            except (OSError, ValueError):
                time.sleep(0.05)
                continue
            now = totals(windows_of(answer["rows"]))
            if now[0] < most[0] or now[1] < most[1]:
                self.wrong.append((now, most))
            if (answer["boundary"] or "") < boundary:
                self.wrong.append((answer["boundary"], boundary))
            most, boundary = now, answer["boundary"] or ""
            self.readings += 1

    def end(self):
        self.over = True
        self.join(30)


def check_reading(shell, expected):
    day = shell.answer("revenue-per-day")
    check(day["pipeline"] == "revenue-per-day" and
          {place["topic"] for place in day["inputs"]} == {"orders"},
          "a view says whose it is and how far its inputs were read", day)
    first = min(shell.rows("revenue-per-minute"))
    one = shell.answer("revenue-per-minute", "--key", first)["rows"]
    check(len(one) == 1 and one[0]["orders"] == expected[seconds(first)][0],
          "one row is read by its key", one)
    table = list(csv.DictReader(shell.view("revenue-per-minute", "--format", "csv").stdout.decode()
                                .splitlines()))
    check(totals((int(row["orders"]), decimal.Decimal(row["revenue"])) for row in table) ==
          totals(tuple(window) for window in expected.values()), "all rows come as CSV", len(table))
    box = shell.view("revenue-per-day")
    check("│ window_start" in box.stdout.decode() and b"event time" in box.stderr,
          "people get a table, and which moment it is of", box.stdout + box.stderr)
    wrong = shell.view("revnue")
    check(wrong.returncode == 1 and b"there are: revenue, revenue-per-day" in wrong.stderr,
          "an unknown view is answered with those that there are", wrong.stderr)
    usage = shell.view("revenue", "--format", "xml")
    check(usage.returncode == 2, "wrong usage ends with 2", usage.stderr)
    helped = shell.view("--help").stdout
    check(b"leat view revenue --as-of @-2h" in helped, "--help has examples", helped)


def check_past(shell, moments):
    """Each moment that was read is read again as it was."""
    for (name, moment), rows in moments.items():
        again = shell.answer(name, "--as-of", moment)
        check(again.get("rows") == rows, f"{name} is again what it was at {moment}",
              f"{len(again.get('rows', []))} rows, were {len(rows)}")
    ahead = shell.view("revenue-per-minute", "--as-of", "999999")
    check(ahead.returncode == 2 and b"before epoch 999999" in ahead.stderr,
          "an epoch that is not there is an error", ahead.stderr)
    before = shell.view("revenue-per-minute", "--as-of", "@-3650d")
    check(before.returncode == 2 and b"it begins with epoch 1" in before.stderr,
          "so is a time of before all of it", before.stderr)


def remember(shell, moments):
    for name in ("revenue-per-minute", "revenue-per-day", "revenue"):
        answer = shell.answer(name)
        if answer:
            moments[name, answer["moment"]] = answer["rows"]


def send(shell, lines):
    sent = shell("produce", "orders", "-k", "order_id", stdin=b"\n".join(lines) + b"\n")
    check(sent.returncode == 0, f"{len(lines)} orders are sent", sent.stderr)


def check_demo():
    shown = leat("demo", "lambda", timeout=180)
    check(shown.returncode == 0 and b"in plain C++" in shown.stdout,
          "leat demo lambda gives what a plain loop gives", shown.stdout + shown.stderr)


def main():
    check_demo()
    lines = make_orders()
    with scratch() as folder, Server(folder / "data") as server:
        shell = Shell(server)
        shell("topic", "create", "orders", "-p", "3")
        deploy(shell)
        empty = shell.view("revenue-per-day")
        check(empty.returncode == 1 and b"leat pipeline run revenue-per-day" in empty.stderr,
              "a batch's view says that it has to run first", empty.stderr)
        moments = {}
        parts = [lines[:100_000], lines[100_000:120_000], lines[120_000:]]
        sent = []
        watcher = None
        for number, part in enumerate(parts):
            send(shell, part)
            sent += part
            expected = reckon(sent)
            check(wait_for(lambda: is_all(shell, expected), 60),
                  f"part {number}: each order counts once", shell.view("revenue", "-n", "3").stdout)
            if watcher is None:
                watcher = Watcher(server)
                watcher.start()
            check(run_batch(shell), "the batch gives another result")
            check(is_all(shell, expected), "and each order counts once behind that, too")
            remember(shell, moments)
            server.kill()
            server.start()
            check(wait_for(lambda: is_all(shell, expected), 60), "and after kill -9")
        watcher.end()
        check(not watcher.wrong and watcher.readings > 10,
              f"{watcher.readings} readings beside it saw nothing twice and nothing lost",
              watcher.wrong[:3])
        check(seconds(shell.answer("revenue")["boundary"]) % DAY == 0, "the boundary is a day's")
        check_reading(shell, expected)
        check_past(shell, moments)
        dropped = shell.view("revenue", "--drop")
        check(dropped.returncode == 0 and shell.view("revenue").returncode == 1,
              "a union view can be dropped", dropped.stderr)
        refused = shell.view("revenue-per-day", "--drop")
        check(refused.returncode == 1 and b"leat pipeline drop revenue-per-day" in refused.stderr,
              "a pipeline's view goes with the pipeline", refused.stderr)
        check(server.stop() == 0, "the server stops in order")
    finish()


if __name__ == "__main__":
    main()
