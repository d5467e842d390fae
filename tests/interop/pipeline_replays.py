#!/usr/bin/python3
"""leat pipeline replay where it does not read all history: dead letters through kill -9, warm-ups,
comparisons of a part, ends, rates."""

import collections
import json
import random
import time

from harness import Server, check, edits, finish, run, scratch, wait_for
from pipelines import NAME, PLANS, Shell, plan, write_plan

ORDERS = 3000


def orders_plan(amount, by=None):
    """Orders with an amount of that type, in shares of it."""
    share = {"call": "/", "arguments": [{"bigint": 1000}, by or {"column": "parts"}]}
    return {
        "version": 1, "name": "paid",
        "bad_rows": {"policy": "dead_letter", "topic": "orders-dlq"},
        "nodes": [
            {"name": "orders", "type": "source", "topic": "orders",
             "bad_records": {"policy": "dead_letter", "topic": "orders-dlq"},
             "columns": [{"name": "id", "type": "bigint"}, {"name": "amount", "type": amount},
                         {"name": "parts", "type": "bigint"}]},
            {"name": "shares", "type": "project", "input": "orders",
             "columns": [{"name": "id", "expression": {"column": "id"}},
                         {"name": "amount", "expression": {"column": "amount"}},
                         {"name": "share", "expression": share}]},
            {"name": "paid", "type": "sink", "topic": "paid", "input": "shares"}]}


def order(number):
    """Of a hundred, four have an amount that is no whole number, and three no parts."""
    made = {"id": number, "amount": number, "parts": 1 + number % 7}
    if number % 25 == 0:
        made["amount"] = number + 0.5
    if number % 33 == 1:
        made["parts"] = 0
    return json.dumps(made).encode()


def is_rejected(number):
    return number % 25 == 0 or number % 33 == 1


def ids(shell):
    return collections.Counter(row["id"] for row in shell.rows("paid"))


def wrong(shell, numbers):
    """How often each of those is there that is not there once."""
    seen = ids(shell)
    return {number: seen[number] for number in set(numbers) | set(seen)
            if seen[number] != (1 if number in numbers else 0)}


def letters(server):
    """Values, and what is noted of attempts."""
    got = run("kcat", "-b", server.kafka, "-C", "-t", "orders-dlq", "-e", "-q", "-o", "beginning",
              "-X", "isolation.level=read_committed", "-f", "%s\t%h\n")
    return [line.split("\t") for line in got.stdout.decode().splitlines()]


def replay_state(shell):
    versions = shell.json("show", "paid").get("versions", [])
    replays = [version["replay"] for version in versions
               if version.get("replay", {}).get("dead_letters")]
    return replays[-1] if replays else {}


def check_dead_letters(folder):
    with Server(folder / "letters") as server:
        shell = Shell(server)
        shell("topic", "create", "orders", "-p", "2")
        deployed = shell.pipeline("deploy", write_plan(folder, orders_plan("bigint")))
        check(deployed.returncode == 0, "a plan with a topic for dead letters", deployed.stderr)
        for begin in range(0, ORDERS, 500):
            shell.produce("orders", [order(n) for n in range(begin, begin + 500)], "-k", "id")
        good = [n for n in range(ORDERS) if not is_rejected(n)]
        wait_for(lambda: len(shell.rows("paid")) >= len(good) and
                 shell.json("show", "paid").get("lag_records") == 0, 30)
        rejected = ORDERS - len(good)
        check(not wrong(shell, good) and len(letters(server)) == rejected,
              f"{rejected} of {ORDERS} orders are dead letters", len(letters(server)))
        check_fixed(folder, server, shell, rejected)
        check_again(server, shell)
        check_refused(folder, shell)


def check_fixed(folder, server, shell, rejected):
    """Another plan takes what was rejected, each once, through kill -9."""
    fixed = orders_plan("double", {"call": "+", "arguments": [{"column": "parts"}, {"bigint": 1}]})
    shell.pipeline("deploy", write_plan(folder, fixed))
    promoted = shell.pipeline("replay", "paid", "--from", "end", "--promote", timeout=60)
    check(promoted.returncode == 0 and b"version 2 is live" in promoted.stdout,
          "the plan that was mended takes over where the other one stands",
          promoted.stdout + promoted.stderr)
    begun = shell.pipeline("replay", "paid", "--dead-letters", "--rate", "60", "--no-wait")
    check(begun.returncode == 0 and b"gives what orders-dlq holds of paid" in begun.stdout,
          "replay --dead-letters", begun.stdout + begun.stderr)
    seed = random.randrange(1_000_000)
    chance = random.Random(seed)
    told = []
    for _ in range(3):
        time.sleep(chance.uniform(0.2, 0.8))
        told.append(replay_state(shell).get("percent", 0))
        server.kill()
        server.start()
    done = wait_for(lambda: replay_state(shell).get("done"), 60)
    check(done and not wrong(shell, range(ORDERS)),
          f"each of the {rejected} gives its result once, through kill -9 (seed {seed})",
          f"{wrong(shell, range(ORDERS))}\n{shell.pipeline('why', 'paid').stdout}")
    check(told == sorted(told) and 0 < told[-1] < 100, "its progress is told, and goes on", told)
    state = replay_state(shell)
    check(state["rows_in"] == rejected and state["bad"] == 0, "and what it took", state)


def check_again(server, shell):
    """Only what is new is taken, and what is rejected again waits for the next time."""
    again = shell.pipeline("replay", "paid", "--dead-letters")
    check(again.returncode == 0 and b"there is nothing new in orders-dlq" in again.stdout,
          "the second time there is nothing new", again.stdout + again.stderr)
    shell.produce("orders", [b"this is no JSON"])
    wait_for(lambda: any(value == "this is no JSON" for value, _ in letters(server)))
    taken = shell.pipeline("replay", "paid", "--dead-letters", timeout=60)
    check(taken.returncode == 0 and b"1 rejected again" in taken.stdout,
          "what is rejected again is said", taken.stdout + taken.stderr)
    bad = [headers for value, headers in letters(server) if value == "this is no JSON"]
    check(len(bad) == 2 and "leat.attempts=2" in bad[1] and "leat.topic=orders," in bad[1],
          "it is a dead letter once more, with its attempts and where it came from", bad)
    check(not wrong(shell, range(ORDERS)), "and nothing else has come of it")


def check_refused(folder, shell):
    def counted(made):
        made["name"] = "counted"
        made["nodes"][0]["bad_records"] = {"policy": "dead_letter", "topic": "edits-dlq"}
    shell("topic", "create", "edits", "-p", "2")
    shell.pipeline("deploy", write_plan(folder, plan(counted)))
    refused = shell.pipeline("replay", "counted", "--dead-letters")
    check(refused.returncode == 1 and b"judges a row by others" in refused.stderr and
          b"leat pipeline replay counted" in refused.stderr,
          "a plan with windows says that history is to be replayed", refused.stderr)
    refused = shell.pipeline("replay", "paid", "--dead-letters", "--diff")
    check(refused.returncode == 1, "what cannot be said with it is refused", refused.stderr)


def bounded(made):
    """Record timestamps are event times: how far one has to look back is known."""
    made["nodes"][0]["ahead_max_ms"] = 0
    made["nodes"][0]["disorder_ms"] = 60_000


def check_parts(folder):
    """Replays of a part of the day say what they read before it, and compare that part."""
    with Server(folder / "parts") as server:
        shell = Shell(server)
        shell("topic", "create", "edits", "-p", "3")
        shell.pipeline("deploy", write_plan(folder, plan(bounded)))
        shell.produce("edits", edits(), "-k", "channel", "-t", "time")
        wait_for(lambda: shell.json("show", NAME).get("lag_records") == 0, 60)
        total = shell.json("show", NAME)["rows_in"]
        since = shell.pipeline("replay", NAME, "--from", "@2015-09-12T18:00", "--diff", timeout=120)
        replay = shell.json("show", NAME)["versions"][-1]["replay"]
        check(since.returncode == 0 and b"diff 0" in since.stdout and
              b"its warm-up reads from 2015-09-12T17:5" in since.stderr and
              b"has windows of 5 min" in since.stderr,
              "--from @TIME --diff: a short warm-up, and the rest is the same",
              since.stdout + since.stderr)
        check(replay["diff"]["same_groups"] > 100 and replay["rows_in"] < total / 2,
              f"{replay['rows_in']} of {total} rows are read", replay)
        bounded_one = shell.pipeline("replay", NAME, "--from", "@2015-09-12T06:00", "--to",
                                     "@2015-09-12T08:00", "--final", "--diff", timeout=120)
        check(bounded_one.returncode == 0 and b"diff 0" in bounded_one.stdout,
              "--from --to --final --diff: what both gave for those hours",
              bounded_one.stdout + bounded_one.stderr)
        check_rate(shell, total)


def check_rate(shell, total):
    rate = 20_000
    begun = time.monotonic()
    # Not from the start: recorded epochs are repeated whole, and there may be one only.
    shell.pipeline("replay", NAME, "--from", "+1", "--rate", str(rate), "--no-wait")
    told = []
    while not told or not told[-1]["done"]:
        told.append(shell.json("show", NAME)["versions"][-1]["replay"])
        time.sleep(0.1)
        if time.monotonic() - begun > 60:
            break
    took = time.monotonic() - begun
    check(told[-1]["done"] and took > 0.8 * total / rate,
          f"--rate {rate}: {total} rows take {took:.1f} s", told[-1])
    under_way = [replay for replay in told if 5 < replay["percent"] < 95]
    check(any(replay["seconds_left"] is not None and replay["rows_per_s"] > 0
              for replay in under_way), "rows/s and the time left are told meanwhile", told)


def check_late(folder):
    """What rows that were late would have changed, by a version that waits for them."""
    with Server(folder / "late") as server:
        shell = Shell(server)
        shell("topic", "create", "edits", "-p", "1")
        shell.pipeline("deploy", write_plan(folder, plan(bounded)))
        lines = edits()
        late = json.dumps({"time": "2015-09-12T00:47:30Z", "channel": "#en.wikipedia", "added": 7})
        shell.produce("edits", lines[:12_000] + [late.encode()] + lines[12_000:], "-t", "time")
        wait_for(lambda: shell.json("show", NAME).get("lag_records") == 0, 60)
        check(shell.json("show", NAME)["late"] == 1, "a row is late")
        shown = shell.pipeline("replay", NAME, "--late", "12h", "--diff", timeout=120)
        check(shown.returncode == 0 and b"1 something else, 0 live alone, 0 the replay alone" in
              shown.stdout and b"#en.wikipedia" in shown.stdout and
              b"rows that were up to 12h late count in it" in shown.stderr,
              "replay --late 12h --diff: the one result that it changes", shown.stdout + shown.stderr)
        closed = shell.pipeline("replay", NAME, "--late", "12h", "--to", "end", "--final", "--diff",
                                timeout=120)
        check(closed.returncode == 0 and b"1 something else, 0 live alone, 0 the replay alone" in
              closed.stdout, "and with --to end --final all of the day",
              closed.stdout + closed.stderr)


def main():
    with scratch() as folder:
        check_dead_letters(folder)
        check_parts(folder)
        check_late(folder)
    finish()


if __name__ == "__main__":
    main()
