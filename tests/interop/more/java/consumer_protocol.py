#!/usr/bin/env python3
"""Kafka's own consumers in Java with group.protocol=consumer (KIP-848)."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from toolchain import jars, take_checks

from harness import Server, finish, scratch

HERE = pathlib.Path(__file__).resolve().parent


def main():
    path = jars("java-4.3.1", HERE / "pom.xml", kafka="4.3.1")
    with scratch() as folder, Server(folder / "data") as server:
        take_checks(["java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", path,
                     HERE / "ConsumerProtocol.java", server.kafka],
                    "every check of group.protocol=consumer passed", timeout=400)
    finish()


main()
