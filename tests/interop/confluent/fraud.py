#!/usr/bin/env python3
"""The example of an ordinary Kafka program, examples/fraud: its alerts are those of an independent
computation, also when server and program are killed in the middle."""

import csv
import datetime
import gzip
import json
import pathlib
import re
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import ROOT, Server, check, edits, finish, leat, run, scratch, wait_for

EXAMPLE = ROOT / "examples" / "fraud"
VELOCITY = ROOT / "tests" / "data" / "wikipedia-velocity-5m.csv.gz"
WINDOW = datetime.timedelta(minutes=5)


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def expected(transactions):
    """Transaction ids to how many there were in 5 minutes, and whether the amount was large, of
    those that deserve an alert: each compared with all that came before it."""
    alerts = {}
    of_customer = {}
    for transaction in transactions:
        now = moment(transaction["timestamp"])
        before = of_customer.setdefault(transaction["customer_id"], [])
        before.append(now)
        count = sum(1 for then in before if now - WINDOW <= then <= now)
        large = transaction["amount"] > 10000
        if count > 5 or large:
            alerts[transaction["transaction_id"]] = (count if count > 5 else None, large)
    return alerts


def judgement(alert):
    """What an alert says, as `expected` has it."""
    text = " ".join(alert["reasons"])
    count = re.search(r"(\d+) transactions", text)
    return (int(count.group(1)) if count else None, "amount" in text)


class Detector:
    """The example as a process."""

    def __init__(self, server):
        self.errors = server.data.parent / "detectors"
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, EXAMPLE / "detector.py", "-b", server.kafka],
                stdout=subprocess.DEVNULL, stderr=errors)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(60)


def produce(server, transactions):
    lines = "".join(json.dumps(transaction) + "\n" for transaction in transactions)
    done = leat("produce", "transactions", "-k", "customer_id", "-t", "timestamp", "-b",
                server.kafka, stdin=lines.encode())
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode())


def alerts(server):
    done = leat("consume", "fraud-alerts", "-e", "-b", server.kafka)
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_made_up(folder):
    """Produced in pieces; after each of them something is killed."""
    lines = run(sys.executable, EXAMPLE / "transactions.py", "-n", "8000", "--seed", "7").stdout
    again = run(sys.executable, EXAMPLE / "transactions.py", "-n", "8000", "--seed", "7").stdout
    check(lines == again and lines, "the same seed gives the same transactions")
    transactions = [json.loads(line) for line in lines.splitlines()]
    wanted = expected(transactions)
    check(sum(count is not None for count, _ in wanted.values()) > 100 and
          sum(large for _, large in wanted.values()) > 5, "they have frauds of both kinds",
          len(wanted))
    at_cutoff = [{"transaction_id": f"x{i}", "customer_id": "edge", "amount": 1 if i else 10000,
                  "timestamp": text} for i, text in enumerate(
                      ["2026-03-02T08:00:00.000Z"] + ["2026-03-02T08:04:59.000Z"] * 4 +
                      ["2026-03-02T08:05:00.000Z", "2026-03-02T08:05:00.001Z"])]
    transactions = at_cutoff + transactions
    wanted = expected(transactions)
    check(wanted.get("x5") == (6, False) and wanted["x6"] == (6, False) and
          "x0" not in wanted, "both ends of a window are in it")
    with Server(folder / "made-up") as server:
        for topic in ("transactions", "fraud-alerts"):
            leat("topic", "create", topic, "-p", "4", "-b", server.kafka)
        detectors = [Detector(server)]
        size = len(transactions) // 4
        for piece in range(5):
            part = transactions[piece * size:(piece + 1) * size]
            produce(server, part)
            some = {t["transaction_id"] for t in part[:len(part) // 2]} & set(wanted)
            wait_for(lambda: some <= {a["transaction_id"] for a in alerts(server)}, 30)
            if piece == 0:
                server.kill()
                server.start()
            elif piece == 1:
                detectors.pop().end(signal.SIGKILL)
                detectors.append(Detector(server))
            elif piece == 2:
                detectors.append(Detector(server))
        # Whichever is left of the two takes over from the other one.
        found = wait_for(lambda: set(wanted) <= {a["transaction_id"] for a in alerts(server)}, 60)
        codes = [detector.end() for detector in detectors]
        got = alerts(server)
        first = {a["transaction_id"]: judgement(a) for a in reversed(got)}
        check(found and first == wanted,
              f"all {len(wanted)} alerts are raised, and no other, though server and detector were "
              "killed and a second detector came",
              [(i, first.get(i), wanted.get(i)) for i in sorted(set(first) | set(wanted))
               if first.get(i) != wanted.get(i)][:20])
        check(all(judgement(a) == wanted.get(a["transaction_id"]) for a in got),
              "an alert that is raised again says the same")
        check(codes == [0, 0], "the detectors end well",
              (codes, detectors[0].errors.read_text()[-2000:]))
        order = {}
        for transaction in transactions:
            if transaction["transaction_id"] in wanted:
                order.setdefault(transaction["customer_id"], []).append(
                    transaction["transaction_id"])
        seen = {}
        for alert in got:
            of_customer = seen.setdefault(alert["customer_id"], [])
            if alert["transaction_id"] not in of_customer:
                of_customer.append(alert["transaction_id"])
        check(seen == order, "each customer's alerts come in the order of the transactions")
        check({a["amount"] for a in got} <= {t["amount"] for t in transactions} and
              all(set(a) == {"customer_id", "transaction_id", "amount", "reasons", "timestamp"}
                  for a in got), "an alert has the five fields")
        detector = Detector(server)
        wait_for(lambda: json.loads(leat("group", "describe", "fraud", "--format", "json", "-b",
                                         server.kafka).stdout)["state"] == "Stable")
        one = dict(transactions[-1], transaction_id="last", amount=20000)
        produce(server, [one])
        wait_for(lambda: alerts(server)[-1]["transaction_id"] == "last")
        detector.end()
        check([a["transaction_id"] for a in alerts(server)[len(got):]] == ["last"],
              "after an orderly stop no alert is raised again")


def check_edits(folder):
    """A user's edits, as if they were payments of 1."""
    rows = [json.loads(line) for line in edits()]
    with gzip.open(VELOCITY, "rt", newline="") as file:
        wanted = sorted((row["time"], row["user"], int(row["edits_in_window"]))
                        for row in csv.DictReader(file))
    with Server(folder / "edits") as server:
        for topic in ("transactions", "fraud-alerts"):
            leat("topic", "create", topic, "-p", "2", "-b", server.kafka)
        detector = Detector(server)
        produce(server, [{"transaction_id": i, "customer_id": row["user"], "amount": 1,
                          "timestamp": row["time"]} for i, row in enumerate(rows)])
        wait_for(lambda: len(alerts(server)) >= len(wanted), 120)
        detector.end()
        got = sorted((a["timestamp"], a["customer_id"], judgement(a)[0]) for a in alerts(server))
        check(got == wanted, f"{len(wanted)} alerts over a day of edits, as computed elsewhere",
              (len(got), [pair for pair in zip(got, wanted) if pair[0] != pair[1]][:3]))


def main():
    with scratch() as folder:
        check_made_up(folder)
        check_edits(folder)
    finish()


main()
