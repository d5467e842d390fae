#!/usr/bin/env python3
"""Kafka's own producer with transaction.version 2 (KIP-890): that it speaks it, what it does with it,
also while the server is killed, and how it takes turns with one that does not."""

import pathlib
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from toolchain import jars, take_checks

from harness import Server, check, finish, run, scratch
from librdkafka import Producer

HERE = pathlib.Path(__file__).resolve().parent
LOGGER = "-Dorg.slf4j.simpleLogger."


def program(path, server, *arguments, debug=False):
    level = "debug" if debug else "off"
    return ["java", f"{LOGGER}defaultLogLevel=off",
            f"{LOGGER}log.org.apache.kafka.clients.NetworkClient={level}", "-cp", path,
            HERE / "Epochs.java", server.kafka, *arguments]


def versions(log):
    """The highest version of each request that was sent."""
    sent = {}
    for key, version in re.findall(r"Sending (\w+) request with header "
                                   r"RequestHeader\(apiKey=\w+, apiVersion=(\d+)", log):
        sent[key] = max(sent.get(key, 0), int(version))
    return sent


def speaks_it(path, folder):
    with Server(folder / "data") as server:
        log = take_checks(program(path, server, debug=True), "every check was passed")
        sent = versions(log)
        check(sent.get("END_TXN", 0) >= 5 and sent.get("PRODUCE", 0) >= 12,
              "it ends transactions with EndTxn 5, and writes with Produce 12", sent)
        check("ADD_PARTITIONS_TO_TXN" not in sent, "it names no partitions before", sent)


def takes_turns(path, folder):
    """A server that is told to offer the first protocol only, and then both, under one id."""
    settings = folder / "leat.toml"
    settings.write_text("[transactions]\nversion = 1\n")
    with Server(folder / "turns", "--config", settings) as server:
        log = run(*program(path, server, debug=True), timeout=300).stderr.decode(errors="replace")
        sent = versions(log)
        check(sent.get("END_TXN") == 4 and "ADD_PARTITIONS_TO_TXN" in sent,
              "where the server is set to transaction.version 1 it speaks the first protocol", sent)


def survives(path, folder):
    """Kills the server again and again while records are moved, by Java, and by librdkafka under
    the same id before and behind it."""
    with Server(folder / "moving") as server:
        librdkafka(server)
        process = subprocess.Popen(program(path, server, "move"), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        is_moving = threading.Event()
        errors = []

        def listen():
            for line in process.stderr:
                errors.append(line.decode(errors="replace"))
                if line.startswith(b"moving"):
                    is_moving.set()
                if line.startswith(b"moved"):
                    is_moving.clear()

        listener = threading.Thread(target=listen)
        listener.start()
        kills = 0
        if is_moving.wait(60):
            while is_moving.is_set() and kills < 8:
                time.sleep(0.4)
                server.kill()
                server.start()
                kills += 1
        out = process.stdout.read().decode(errors="replace")
        process.wait(200)
        listener.join()
        check(kills > 2, f"the server was killed {kills} times meanwhile")
        lines = out.splitlines()
        for line in lines:
            check(line.startswith("ok - "), line.split("ok - ", 1)[-1], out)
        check(process.returncode == 0 and len(lines) == 3, "all was moved", "".join(errors)[-3000:])
        librdkafka(server)


def librdkafka(server):
    producer = Producer({"bootstrap.servers": server.kafka, "transactional.id": "mover",
                         "log_level": 0})
    producer.init()
    for commits in (True, False):
        producer.begin()
        producer.produce("other", 0, b"x")
        producer.flush()
        (producer.commit if commits else producer.abort)()
    producer.close()
    check(True, "librdkafka takes a turn under the same id")


def main():
    path = jars("java-4.3.1", HERE / "pom.xml", kafka="4.3.1")
    with scratch() as folder:
        speaks_it(path, folder)
        takes_turns(path, folder)
        survives(path, folder)
    finish()


main()
