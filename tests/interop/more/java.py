#!/usr/bin/env python3
"""Kafka's own client, in Java: what it needs is in build/java (java/pom.xml says how it gets there)."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import ROOT, Server, check, finish, run, scratch

JARS = ROOT / "build" / "java"
CLIENTS = pathlib.Path(__file__).resolve().parent / "java" / "Clients.java"


def main():
    with scratch() as folder, Server(folder / "data") as server:
        level = "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.clients.FetchSessionHandler=debug"
        done = run("java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", level, "-cp",
                   f"{JARS}/*", CLIENTS, server.kafka)
        lines = done.stdout.decode().splitlines()
        for line in lines:
            if line.startswith("ok - "):
                check(True, line[len("ok - "):])
        bad = "\n".join(line for line in lines if not line.startswith("ok - "))
        log = done.stderr.decode()
        check(done.returncode == 0 and not bad, "every check in Java passed", bad + log[-2000:])
        check(log.count("sent an incremental fetch response") > 50,
              "its fetches were incremental", log[-2000:])
    finish()


main()
