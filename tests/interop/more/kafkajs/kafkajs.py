#!/usr/bin/python3
"""KafkaJS, which is of 2023, and does not ask what a broker's oldest versions are."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from toolchain import node_modules, take_checks

from harness import Server, finish, scratch

PROGRAM = pathlib.Path(__file__).resolve().parent / "main.js"


def main():
    modules = node_modules("kafkajs", "kafkajs@2.2.4")
    with scratch() as folder, Server(folder / "data") as server:
        environment = {"NODE_PATH": str(modules / "node_modules"), "KAFKAJS_NO_PARTITIONER_WARNING":
                       "1"}
        take_checks(["node", PROGRAM, server.kafka], "every check of KafkaJS passed", environment)
    finish()


main()
