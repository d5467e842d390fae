"""What the tests of the fraud detectors of examples/fraud share: input, an independent computation of
the alerts, and a course of events in which servers and detectors are killed."""

import csv
import datetime
import gzip
import json
import random
import re
import signal
import subprocess
import sys
import time

from harness import ROOT, Server, check, edits, leat, run, wait_for

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
    """An example as a process."""

    def __init__(self, server, *command):
        self.errors = server.data.parent / "detectors"
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)

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


def made_up():
    """Transactions, and the alerts that they deserve."""
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
    return transactions, wanted


def create_topics(server, partitions):
    for topic in ("transactions", "fraud-alerts"):
        leat("topic", "create", topic, "-p", partitions, "-b", server.kafka)


def differences(got, wanted):
    """What the alerts say, by transaction, and where they differ from what they should say."""
    first = {a["transaction_id"]: judgement(a) for a in reversed(got)}
    return [(i, first.get(i), wanted.get(i)) for i in sorted(set(first) | set(wanted))
            if first.get(i) != wanted.get(i)][:20]


def ids_of(got):
    return [a["transaction_id"] for a in got]


def check_once(got):
    ids = ids_of(got)
    check(len(set(ids)) == len(ids), "each alert is raised exactly once",
          sorted(i for i in set(ids) if ids.count(i) > 1)[:20])


def check_made_up(folder, start, is_once):
    """Produced in pieces; after each of them something is killed. `start(server, name)` starts a
    detector; `is_once`: none of them raises an alert twice."""
    transactions, wanted = made_up()
    with Server(folder / "made-up") as server:
        create_topics(server, 4)
        detectors = [start(server, "one")]
        size = len(transactions) // 4
        for piece in range(5):
            part = transactions[piece * size:(piece + 1) * size]
            produce(server, part)
            some = {t["transaction_id"] for t in part[:len(part) // 2]} & set(wanted)
            wait_for(lambda: some <= set(ids_of(alerts(server))), 30)
            if piece == 0:
                server.kill()
                server.start()
            elif piece == 1:
                detectors.pop().end(signal.SIGKILL)
                detectors.append(start(server, "one"))
            elif piece == 2:
                detectors.append(start(server, "two"))
        # Whichever is left of the two takes over from the other one.
        found = wait_for(lambda: set(wanted) <= set(ids_of(alerts(server))), 60)
        codes = [detector.end() for detector in detectors]
        got = alerts(server)
        check(found and not differences(got, wanted),
              f"all {len(wanted)} alerts are raised, and no other, though server and detector were "
              "killed and a second detector came", differences(got, wanted))
        if is_once:
            check_once(got)
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
        detector = start(server, "one")
        wait_for(lambda: json.loads(leat("group", "describe", "fraud", "--format", "json", "-b",
                                         server.kafka).stdout)["state"] == "Stable")
        one = dict(transactions[-1], transaction_id="last", amount=20000)
        produce(server, [one])
        wait_for(lambda: "last" in ids_of(alerts(server)))
        detector.end()
        check(sorted(ids_of(alerts(server))) == sorted(ids_of(got) + ["last"]),
              "after an orderly stop no alert is raised again")


def check_killed(folder, start, seed):
    """For detectors that raise each alert once: they and the server are killed in the middle of it,
    again and again."""
    chance = random.Random(seed)
    transactions, wanted = made_up()
    with Server(folder / f"killed-{seed}") as server:
        create_topics(server, 4)
        detectors = {name: start(server, name) for name in ("one", "two")}
        pieces = 12
        for piece in range(pieces):
            begin, end = (len(transactions) * n // pieces for n in (piece, piece + 1))
            produce(server, transactions[begin:end])
            time.sleep(chance.uniform(0, 0.4))
            victim = chance.choice(("one", "two", "server"))
            if victim == "server":
                server.kill()
                server.start()
            else:
                detectors[victim].end(signal.SIGKILL)
                detectors[victim] = start(server, victim)
        found = wait_for(lambda: set(wanted) <= set(ids_of(alerts(server))), 120)
        for detector in detectors.values():
            detector.end()
        got = alerts(server)
        check(found and not differences(got, wanted),
              f"all {len(wanted)} alerts are raised, and no other, though {pieces} times a server "
              "or a detector was killed", differences(got, wanted))
        check_once(got)


def check_edits(folder, start):
    """A user's edits, as if they were payments of 1."""
    rows = [json.loads(line) for line in edits()]
    with gzip.open(VELOCITY, "rt", newline="") as file:
        wanted = sorted((row["time"], row["user"], int(row["edits_in_window"]))
                        for row in csv.DictReader(file))
    with Server(folder / "edits") as server:
        create_topics(server, 2)
        detector = start(server, "one")
        produce(server, [{"transaction_id": i, "customer_id": row["user"], "amount": 1,
                          "timestamp": row["time"]} for i, row in enumerate(rows)])
        wait_for(lambda: len(alerts(server)) >= len(wanted), 120)
        detector.end()
        got = sorted((a["timestamp"], a["customer_id"], judgement(a)[0]) for a in alerts(server))
        check(got == wanted, f"{len(wanted)} alerts over a day of edits, as computed elsewhere",
              (len(got), [pair for pair in zip(got, wanted) if pair[0] != pair[1]][:3]))
