#!/usr/bin/python3
"""leat gen: events that are made up, to stdout, through a pipe, and to topics."""

import collections
import json
import os
import pty
import signal
import subprocess
import time

from harness import LEAT, Server, check, finish, leat, run, scratch, wait_for

KINDS = ("orders", "transactions", "clicks", "nexmark", "customers", "products")
ALONE = ("--disorder", "0", "--duplicates", "0", "--idle", "0", "--drift", "0")


def kcat(server, topic, template):
    return run("kcat", "-b", server.kafka, "-C", "-t", topic, "-e", "-q", "-f",
               template).stdout.splitlines()


def rows(got):
    return [json.loads(line) for line in got.stdout.splitlines()]


def check_stdout():
    for kind in KINDS:
        one, same = leat("gen", kind), leat("gen", kind)
        other = leat("gen", kind, "--seed", "2")
        check(one.returncode == 0 and one.stdout == same.stdout and one.stdout != other.stdout,
              f"leat gen {kind}: the same bytes each time, others for another seed", one.stderr)
        count = len(rows(one))
        wanted = {"customers": 980, "products": 200}.get(kind, 10_000)
        check(count == wanted and f"{wanted} records in".encode() in one.stderr,
              f"and {wanted} JSON objects", f"{count} {one.stderr}")
        check(b"\r" not in one.stderr, "no progress where stderr is no terminal", one.stderr)
    first = leat("gen", "orders", "-n", "10", *ALONE).stdout
    rest = leat("gen", "orders", "-n", "90", "--first", "10", *ALONE).stdout
    check(first + rest == leat("gen", "orders", "-n", "100", *ALONE).stdout,
          "what begins later is the rest of what begins at 0")
    got = leat("gen", "orders", "-n", "3", "-f", "%p %o %T %k\n", "--start", "2026-01-01",
               *ALONE).stdout.decode().split()
    check(got[1::4] == ["0", "1", "2"] and
          got[2::4] == ["1767225600000", "1767225601000", "1767225602000"],
          "a template prints number, time and key", got)


def check_traits():
    got = rows(leat("gen", "orders", "-n", "20000", "--disorder", "0", "--duplicates", "0.1",
                    "--idle", "0"))
    times = collections.Counter(row["order_id"] for row in got)
    repeated = sum(1 for count in times.values() if count == 2)
    check(max(times.values()) == 2 and 0.08 < repeated / len(got) < 0.1, "a tenth comes twice",
          repeated)
    coupons = [number for number, row in enumerate(got) if "coupon" in row]
    check(coupons and coupons[0] > 5000, "by default a field is added in the middle", coupons[:3])
    got = rows(leat("gen", "orders", "-n", "20000", "--hot", "0.5", "--hot-keys", "1", *ALONE))
    hot = sum(1 for row in got if row["customer_id"] == "c0")
    check(9_700 < hot < 10_300, "half of the events of one key", hot)
    said = leat("gen", "transactions", "--disorder", "0.5").stderr.decode()
    late = int(said.split(" late")[0].split()[-1])
    check(4_500 < late < 5_500, "it says how many were late", said)


def check_pipe(server):
    """What `leat gen` prints, `leat produce` takes."""
    leat("topic", "create", "piped", "-p", "4", "-b", server.kafka)
    sent = run("bash", "-c", f"{LEAT} gen orders -n 5000 | {LEAT} produce piped -k customer_id "
               f"-t timestamp -b {server.kafka}")
    check(sent.returncode == 0, "leat gen | leat produce", sent.stderr)
    got = sorted(kcat(server, "piped", "%p|%T|%k|%s\n"))
    want = sorted(leat("gen", "orders", "-n", "5000", "-f", "%p|%T|%k|%s\n").stdout.splitlines())
    check(got == want and len(got) == 5000,
          "every key is in the partition that leat gen named, with its time",
          f"{got[:1]} {want[:1]}")
    leat("topic", "create", "records", "-p", "4", "-b", server.kafka)
    sent = run("bash", "-c", f"{LEAT} gen orders -n 5000 --format json | {LEAT} produce records "
               f"-F json -b {server.kafka}")
    check(sent.returncode == 0 and sorted(kcat(server, "records", "%p|%T|%k|%s\n")) == want,
          "and with --format json whole records", sent.stderr)


def check_topic(server):
    for kind in KINDS:
        sent = leat("gen", kind, "--to", kind, "-n", "3000", "-z", "lz4", "-b", server.kafka)
        check(sent.returncode == 0 and f"created topic {kind} with 4 partitions" in
              sent.stderr.decode() and b"3000 records in" in sent.stderr,
              f"leat gen {kind} --to makes the topic", sent.stderr)
        want = leat("gen", kind, "-n", "3000", "-f", "%p|%T|%k|%s\n").stdout.splitlines()
        check(sorted(kcat(server, kind, "%p|%T|%k|%s\n")) == sorted(want),
              "which has what stdout has, where each key belongs")
    for number in range(4):
        got = run("kcat", "-b", server.kafka, "-C", "-t", "orders", "-p", str(number), "-e", "-q",
                  "-f", "%k %s\n").stdout.splitlines()
        want = leat("gen", "orders", "-n", "3000", "-f", "%p %k %s\n").stdout.splitlines()
        mine = [row[2:] for row in want if row.startswith(f"{number} ".encode())]
        check(got == mine and len(got) > 100, f"partition {number} has them in their order")
    described = json.loads(leat("topic", "describe", "customers", "--format", "json", "-b",
                                server.kafka).stdout)
    check(described["configs"]["cleanup.policy"]["value"] == "compact",
          "a table's topic is compacted", described["configs"])
    leat("topic", "create", "narrow", "-p", "2", "-b", server.kafka)
    leat("gen", "orders", "--to", "narrow", "-p", "9", "-n", "3000", "-b", server.kafka)
    got = {row.split(b"|")[0] for row in kcat(server, "narrow", "%p|%k\n")}
    described = json.loads(leat("topic", "describe", "narrow", "--format", "json", "-b",
                                server.kafka).stdout)
    check(got == {b"0", b"1"} and len(described["partitions"]) == 2,
          "a topic that is there keeps its partitions", got)


def check_idle(server):
    """In the log a partition is silent for the minute that was asked for."""
    sent = leat("gen", "transactions", "--to", "idle", "-p", "3", "-n", "20000", "--idle", "1",
                "--idle-for", "1m", "--idle-every", "5m", "-b", server.kafka)
    check(sent.returncode == 0, "leat gen --idle", sent.stderr)
    start = 1_772_409_600_000
    heard = collections.defaultdict(set)
    for row in kcat(server, "idle", "%p|%T\n"):
        partition, time_ms = row.split(b"|")
        since = int(time_ms) - start
        if since % 300_000 >= 240_000:
            heard[since // 300_000].add(int(partition))
    check(len(heard) >= 5 and all(len(partitions) == 2 for partitions in heard.values()) and
          len({tuple(partitions) for partitions in heard.values()}) > 1,
          "one of three partitions has nothing of that minute, another one each time", dict(heard))


def check_end(server):
    got = run("bash", "-c", f"{LEAT} gen nexmark -n 0 | head -n 2; echo ${{PIPESTATUS[0]}}")
    check(got.stdout.splitlines()[2:] == [b"0"] and got.stderr == b"",
          "it ends quietly when nobody reads on", got.stdout[-100:] + got.stderr)
    process = subprocess.Popen([LEAT, "gen", "orders", "-n", "0", "--rate", "1000", "--speed", "1"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    first = [process.stdout.readline() for _ in range(100)]
    process.send_signal(signal.SIGINT)
    rest, said = process.communicate(timeout=20)
    lines = (b"".join(first) + rest).splitlines()
    check(process.returncode == 130 and b"interrupted" in said and
          f"{len(lines)} records in".encode() in said, "Ctrl-C ends it, and it says how many", said)
    check(all(json.loads(line) for line in lines), "all of them whole")
    process = subprocess.Popen([LEAT, "gen", "clicks", "-n", "0", "--rate", "5000", "--speed", "1",
                                "--to", "stopped", "-b", server.kafka], stderr=subprocess.PIPE)
    # kcat -e never ends where records keep coming.
    wait_for(lambda: len(leat("consume", "stopped", "-e", "-b",
                              server.kafka).stdout.splitlines()) > 100)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=20)[1].decode()
    delivered = len(kcat(server, "stopped", "%o\n"))
    check(process.returncode == 143 and f"{delivered} records in" in said and delivered > 100,
          "what was made before is delivered, and counted", f"{delivered}; {said}")


def check_pace():
    start = time.monotonic()
    got = leat("gen", "orders", "-n", "6", "--rate", "1", "--speed", "10", *ALONE)
    took = time.monotonic() - start
    check(len(got.stdout.splitlines()) == 6 and took >= 0.49,
          "at ten times their pace 5 seconds take half a second", f"{took:.3f} s")
    before = time.time() * 1000
    got = leat("gen", "orders", "-n", "1", "--start", "now", "-f", "%T")
    check(before - 1 <= int(got.stdout) <= time.time() * 1000, "events may begin now", got.stdout)


def check_usage(server):
    for arguments in (("orders", "--disorder", "2"), ("orders", "--idle-for", "soon"),
                      ("orders", "--start", "tomorrow"), ("orders", "-n", "-1"),
                      ("orders", "-z", "lz4"), ("orders", "--to", "x", "-f", "%s"),
                      ("orders", "--speed", "0"), ("orders", "-p", "0"), ("orders", "--rate", "0"),
                      ("orders", "--drift-as", "odd"), ("nexmark", "--group", "953"),
                      ("nexmark", "--hot", "1"), ("products", "--disorder", "1"), ("weather",),
                      ("orders", "--keys", "3", "--hot-keys", "4"), ()):
        got = leat("gen", *arguments, "-b", server.kafka) if arguments else leat("gen")
        check(got.returncode == 2 and got.stdout == b"" and got.stderr,
              "a wrong usage: leat gen " + " ".join(arguments), got.stderr)
    got = leat("gen", "orders", "--to", "../evil", "-b", server.kafka)
    check(got.returncode == 1 and b"evil" in got.stderr, "a topic that cannot be: exit 1",
          got.stderr)
    got = leat("gen", "orders", "--to", "x", "-b", "127.0.0.1:1", timeout=60)
    check(got.returncode == 1 and b"127.0.0.1:1" in got.stderr, "no server: exit 1", got.stderr)
    for kind in KINDS:
        got = leat("gen", kind, "--help")
        check(got.returncode == 0 and f"leat gen {kind}".encode() in got.stdout.split(
            b"Examples:")[1], f"leat gen {kind} --help has examples")


def check_progress():
    main, terminal = pty.openpty()
    process = subprocess.Popen([LEAT, "gen", "orders", "-n", "20", "--speed", "20"],
                               stdout=subprocess.DEVNULL, stderr=terminal)
    process.wait(20)
    os.close(terminal)
    said = b""
    try:
        while part := os.read(main, 65536):
            said += part
    except OSError:
        pass
    os.close(main)
    check(b"of 20 records" in said and b"records/s" in said, "on a terminal it shows how far it is",
          said)


def main():
    check_stdout()
    check_traits()
    check_pace()
    check_progress()
    with scratch() as folder, Server(folder / "data") as server:
        check_pipe(server)
        check_topic(server)
        check_idle(server)
        check_end(server)
        check_usage(server)
    finish()


main()
