#!/usr/bin/env python3
"""Kafka's own clients in Java: the newest, and the last ones of before 4.0."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from toolchain import jars, take_checks

from harness import Server, check, finish, scratch

HERE = pathlib.Path(__file__).resolve().parent


def main():
    level = "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.clients.FetchSessionHandler=debug"
    for version in ("4.3.1", "3.9.1", "3.4.1"):
        path = jars(f"java-{version}", HERE / "pom.xml", kafka=version)
        with scratch() as folder, Server(folder / "data") as server:
            log = take_checks(["java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", level,
                               "-cp", path, HERE / "Clients.java", server.kafka],
                              f"every check of {version} passed")
            check(log.count("sent an incremental fetch response") > 50,
                  "its fetches were incremental", log[-2000:])
            take_checks(["java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", path,
                         HERE / "Work.java", server.kafka],
                        f"every check of groups and transactions of {version} passed")
    finish()


main()
