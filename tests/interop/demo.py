#!/usr/bin/python3
"""leat demo: live and replay give the result that was computed by other means."""

import json
import pathlib
import subprocess
import time

from harness import LEAT, ROOT, check, finish, leat, scratch


def windows_seen(data):
    """Every value that the live sink has of each (window, channel), straight from the segments."""
    dumped = leat("dump", data, "--records", "--format", "json")
    seen = {}
    for line in dumped.stdout.splitlines():
        record = json.loads(line)
        if record.get("topic") != "edits-per-channel" or "value" not in record:
            continue
        row = json.loads(record["value"])
        key = (row["window_start"], row["channel"])
        seen.setdefault(key, []).append((record["key"], record["value"], record["timestamp"]))
    return seen


def killed_in_the_middle(folder, expected):
    """The process dies while the pipeline runs; another goes on over the same directory."""
    data = folder / "data"
    first = subprocess.Popen([LEAT, "demo", "--data", data, "--partitions", "4", "--rate", "8000"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    shown = 0
    for _ in first.stdout:  # a line a window, behind the heading
        shown += 1
        if shown == 100:
            break
    first.kill()
    first.wait()
    first.stdout.close()
    again = leat("demo", "--data", data, "--partitions", "4", "--rate", "0", "--save", folder,
                 timeout=180)
    check(again.returncode == 0 and b"from an earlier run" in again.stdout,
          "after kill -9 in the middle the demo goes on", again.stdout + again.stderr)
    for name in ("live.csv", "replay.csv"):
        check((folder / name).read_text() == expected, f"{name} is the expected result then, too")
    seen = windows_seen(data)
    check(any(len(values) > 1 for values in seen.values()), "windows were written twice")
    check(all(len(set(values)) == 1 for values in seen.values()),
          "a window that was written twice is the same to the byte")


def main():
    expected = (ROOT / "tests/data/wikipedia-tumble-5m.csv").read_text()
    with scratch() as folder:
        start = time.monotonic()
        shown = leat("demo", "--save", folder, timeout=180)
        check(shown.returncode == 0, "leat demo exits 0", shown.stdout + shown.stderr)
        check(time.monotonic() - start < 60, "within a minute", f"{time.monotonic() - start:.0f} s")
        for name in ("live.csv", "replay.csv"):
            path = pathlib.Path(folder) / name
            text = path.read_text() if path.exists() else ""
            check(text == expected, f"{name} is the expected result",
                  f"{len(text.splitlines())} lines, not {len(expected.splitlines())}")
        check(b"kcat" in shown.stdout, "it says what to try next", shown.stdout)
    with scratch() as folder:
        killed_in_the_middle(pathlib.Path(folder), expected)
    finish()


main()
