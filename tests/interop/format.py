#!/usr/bin/python3
"""A data directory of format 1, as it was made then: this version opens it and finds everything."""

import json
import subprocess

from harness import ROOT, Server, check, finish, leat, run, scratch

ARCHIVE = ROOT / "tests" / "data" / "format-1.tar.gz"
EXPECTED = json.loads((ROOT / "tests" / "data" / "format-1.json").read_text())


def unpack(folder):
    subprocess.run(["tar", "-xzf", str(ARCHIVE), "-C", str(folder)], check=True)
    return folder / "data"


def contents(data):
    return {str(path.relative_to(data)): path.read_bytes() for path in data.rglob("*")
            if path.is_file() and path.name != "lock"}


def findings(data):
    checked = leat("fsck", "--data", data, "--format", "json")
    rows = [json.loads(row) for row in checked.stdout.splitlines()]
    return checked, sorted((row["kind"], row["partition"], row["base_offset"], row["next_offset"])
                           for row in rows)


def lost(kind):
    """(partition, base, next) of what is damaged, or a gap."""
    return [(f"{name}/{number}", *partition[kind]) for name, topic in EXPECTED["topics"].items()
            for number, partition in enumerate(topic["partitions"]) if kind in partition]


def check_findings(data):
    before = contents(data)
    checked, found = findings(data)
    want = sorted([("damage", *place) for place in lost("damaged")] +
                  [("accepted", *place) for place in lost("gap")])
    check(checked.returncode == 1 and found == want,
          "fsck finds the damage and the accepted gap, and nothing else",
          f"{found}\n{checked.stderr}")
    check(contents(data) == before, "and changes nothing")


def consume(server, topic, partition, begin, end):
    got = leat("consume", topic, "-p", partition, "-o", f"{begin}:{end}", "-e", "--format", "json",
               "-b", server.kafka)
    rows = [json.loads(row) for row in got.stdout.splitlines()]
    for row in rows:
        del row["topic"], row["partition"]
    return got.returncode, rows


def check_partition(server, topic, number, partition):
    where = f"{topic}/{number}"
    if "damaged" in partition:
        base, end = partition["damaged"]
        before = consume(server, topic, number, partition["start"], base)
        behind = consume(server, topic, number, end, partition["end"])
        check(before[0] == behind[0] == 0 and before[1] + behind[1] == partition["records"],
              f"{where}: what stands around the damage is read")
        check(consume(server, topic, number, base, end) == (1, []),
              f"{where}: the damage is not served")
        return
    status, rows = consume(server, topic, number, partition["start"], partition["end"])
    check(status == 0 and rows == partition["records"],
          f"{where}: {len(partition['records'])} records are as they were", rows)


def check_served(data):
    with Server(data) as server:
        for name, topic in EXPECTED["topics"].items():
            told = leat("topic", "describe", name, "--format", "json", "-b", server.kafka)
            told = json.loads(told.stdout)
            configs = {key: told["configs"][key]["value"] for key in topic["config"]}
            check(configs == topic["config"], f"{name} has its settings", configs)
            offsets = [(p["start_offset"], p["end_offset"]) for p in told["partitions"]]
            want = [(p["start"], p["end"]) for p in topic["partitions"]]
            check(offsets == want, f"{name} has its offsets", offsets)
            for number, partition in enumerate(topic["partitions"]):
                check_partition(server, name, number, partition)
                sent = leat("produce", name, "-p", number, "-b", server.kafka, stdin=b"new\n")
                got = consume(server, name, number, partition["end"], "")[1]
                check(sent.returncode == 0 and [row["value"] for row in got] == ["new"],
                      f"{name}/{number}: appends go on", sent.stderr)
        names = {path.name for path in (data / "quarantine").iterdir()}
        check(names >= set(EXPECTED["quarantine"]), "what was put aside is still there", names)
        check(server.stop() == 0, "the server stops in order", server.stderr())


def main():
    check(ARCHIVE.stat().st_size < 200 << 10, "the archive is small")
    with scratch() as folder:
        data = unpack(folder)
        check_findings(data)
        check_served(data)
        found = findings(data)[1]
        want = sorted([("damage", *place) for place in lost("damaged")] +
                      [("accepted", *place) for place in lost("gap")])
        check(found == want, "afterwards fsck finds the same", found)
    finish()


main()
