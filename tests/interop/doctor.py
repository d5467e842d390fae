#!/usr/bin/python3
"""leat doctor: a sound server, wrong ones, and directories."""

import json
import os

from harness import Server, check, finish, leat, scratch


def verdicts(*arguments, **options):
    """{check: [verdict, …]}, and how the command ended."""
    got = leat("doctor", "--format", "json", *arguments, **options)
    found = {}
    for row in got.stdout.splitlines():
        row = json.loads(row)
        found.setdefault(row["check"], []).append(row["verdict"])
    return found, got


def check_servers(folder):
    with Server(folder / "data") as server:
        found, got = verdicts("-b", server.kafka, "--http", server.http)
        expected = {"connect", "advertised", "ready", "version", "durability", "clock", "disk",
                    "descriptors"}
        bad = {name: what for name, what in found.items() if what != ["ok"]}
        check(got.returncode == 0 and set(found) == expected and set(bad) <= {"descriptors", "disk"},
              "a sound server passes every check", f"{found} {got.stderr}")
        text = leat("doctor", "-b", server.kafka, "--http", server.http)
        check(text.stdout.startswith(b"ok    connect"), "as text a line each", text.stdout)
        found, got = verdicts("-b", server.kafka, "--http", "127.0.0.1:1")
        check(got.returncode == 0 and found.get("http") == ["warn"],
              "without its HTTP side there is a warning", got.stdout)
    found, got = verdicts("-b", "127.0.0.1:1")
    check(got.returncode == 1 and found == {"connect": ["fail"]}, "no server: exit 1", got.stdout)
    with Server(folder / "lost", "--advertised", "127.0.0.1:1") as server:
        found, got = verdicts("-b", server.kafka, "--http", server.http)
        check(got.returncode == 1 and found["advertised"] == ["fail"] and
              b"--advertised" in got.stdout, "an advertised address that leads nowhere fails",
              got.stdout)
    with Server(folder / "fast", "--durability", "os") as server:
        found, got = verdicts("-b", server.kafka, "--http", server.http)
        check(got.returncode == 0 and found["durability"] == ["warn"],
              "durability os is warned of", got.stdout)


def check_directories(folder):
    data = folder / "data"
    found, got = verdicts("--data", data)
    check(got.returncode == 0 and found["format"] == found["lock"] == ["ok"] and
          found["fsync"][0] in ("ok", "warn"), "a data directory passes", got.stdout)
    check(not any("doctor" in name for name in os.listdir(data)), "and nothing is left in it")
    with Server(data) as server:
        found, got = verdicts("--data", data)
        check(got.returncode == 0 and str(server.process.pid).encode() in got.stdout,
              "so does one that a server holds, which is named", got.stdout)
    (data / "format").write_text("leat data directory, format 99\n")
    found, got = verdicts("--data", data)
    check(got.returncode == 1 and found["format"] == ["fail"], "one of another format fails",
          got.stdout)
    found, got = verdicts("--data", folder / "missing")
    check(got.returncode == 1 and found == {"directory": ["fail"]}, "a missing one fails",
          got.stdout)
    if os.path.isdir("/dev/shm"):
        found, got = verdicts("--data", "/dev/shm")
        check(found["filesystem"] == ["warn"], "memory is no disk", got.stdout)


def main():
    with scratch() as folder:
        check_servers(folder)
        check_directories(folder)
    finish()


main()
