#!/usr/bin/python3
"""leat demo: live and replay give the result that was computed by other means."""

import pathlib
import time

from harness import ROOT, check, finish, leat, scratch


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
    finish()


main()
