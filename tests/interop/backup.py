#!/usr/bin/python3
"""leat backup: of a server under load, of a directory that nobody holds, and killed in between."""

import pathlib
import signal
import subprocess
import threading
import time

from harness import LEAT, Server, check, edits, finish, leat, run, scratch, wait_for


class Load:
    """Numbers, sent one after the other until it is stopped; knows the last that was acknowledged."""

    def __init__(self, server, topic):
        self.process = subprocess.Popen(
            ["kcat", "-b", server.kafka, "-P", "-t", topic, "-X", "linger.ms=5"],
            stdin=subprocess.PIPE)
        self.server = server
        self.topic = topic
        self.running = True
        self.thread = threading.Thread(target=self._send)
        self.thread.start()

    def _send(self):
        number = 0
        padding = b"x" * 500
        while self.running:
            self.process.stdin.write(b"".join(b"%d %s\n" % (number + i, padding)
                                              for i in range(50)))
            self.process.stdin.flush()
            number += 50
            time.sleep(0.01)

    def acknowledged(self):
        """How many are readable now."""
        return end_of(self.server, self.topic)

    def stop(self):
        self.running = False
        self.thread.join()
        self.process.stdin.close()
        self.process.wait(30)


def end_of(server, topic):
    listed = run("kcat", "-b", server.kafka, "-Q", "-t", f"{topic}:0:-1").stdout.decode()
    return int(listed.rsplit(" ", 1)[1]) if "offset" in listed else 0


def numbers(server, topic):
    rows = run("kcat", "-b", server.kafka, "-C", "-t", topic, "-e", "-q", "-f", "%s\n").stdout
    return [int(row.split(b" ", 1)[0]) for row in rows.splitlines()]


def check_copy(folder, copy, at_least, what):
    checked = leat("fsck", "--data", copy)
    check(checked.returncode == 0 and checked.stdout == b"", f"{what}: fsck finds nothing",
          checked.stdout + checked.stderr)
    with Server(copy) as server:
        got = numbers(server, "load")
        check(got == list(range(len(got))) and len(got) >= at_least,
              f"{what}: has every record acknowledged before, and whole ones only",
              f"{len(got)} of {at_least}")
        rest = run("kcat", "-b", server.kafka, "-C", "-t", "edits", "-e", "-q").stdout
        check(len(rest.splitlines()) == 5000, f"{what}: has the other topic")
        run("kcat", "-b", server.kafka, "-P", "-t", "load", stdin=b"-1\n")
        check(numbers(server, "load")[-1] == -1, f"{what}: takes appends")
        check(server.stop() == 0, f"{what}: stops in order", server.stderr())


def check_under_load(folder, server):
    leat("topic", "create", "load", "-c", "segment.bytes=1048576", "-b", server.kafka)
    run("kcat", "-b", server.kafka, "-P", "-t", "edits", stdin=b"\n".join(edits()[:5000]) + b"\n")
    load = Load(server, "load")
    try:
        wait_for(lambda: load.acknowledged() > 5000)
        for attempt in range(2):
            before = load.acknowledged()
            copy = folder / f"copy-{attempt}"
            made = leat("backup", copy, "--data", server.data)
            check(made.returncode == 0 and str(copy).encode() in made.stdout,
                  "leat backup of a running server", made.stdout + made.stderr)
            check(load.acknowledged() > before, "which goes on meanwhile")
            check_copy(folder, copy, before, f"copy {attempt}")
        killed(folder, server, load)
    finally:
        load.stop()
    check(server.alive(), "the server goes on")


def killed(folder, server, load):
    """kill -9 at several times: there is a whole copy, or none under that name."""
    target = folder / "killed"
    outcomes = set()
    for delay in (0.0, 0.005, 0.01, 0.02, 0.04, 0.08):
        before = load.acknowledged()
        process = subprocess.Popen([LEAT, "backup", target, "--data", server.data],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.kill()
        process.wait()
        outcomes.add(target.exists())
        if target.exists():
            checked = leat("fsck", "--data", target)
            check(checked.returncode == 0, "what has the name is whole", checked.stdout)
            break
    check(False in outcomes, "a backup that is killed leaves nothing under its name")
    if not target.exists():
        before = load.acknowledged()
        made = leat("backup", target, "--data", server.data)
        check(made.returncode == 0, "the next one takes the place of what was left", made.stderr)
        check(not pathlib.Path(str(target) + ".unfinished").exists(), "and leaves nothing beside")
        check_copy(folder, target, before, "copy after kills")


def check_server_killed(folder, server):
    """The server dies under the backup: no copy, unless it was whole by then."""
    target = folder / "orphan"
    process = subprocess.Popen([LEAT, "backup", target, "--data", server.data],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    server.kill()
    said = process.communicate(timeout=60)[1]
    check((process.returncode == 0) == target.exists(),
          "a backup whose server dies fails, or was done", f"{process.returncode} {said}")


def check_stopped(folder, server):
    after_kill = folder / "after-kill"
    made = leat("backup", after_kill, "--data", server.data)
    check(made.returncode == 0, "leat backup of a directory after kill -9", made.stderr)
    server.start()
    count = len(numbers(server, "load"))
    server.stop()
    check_copy(folder, after_kill, count, "copy after kill -9")
    after_stop = folder / "after-stop"
    made = leat("backup", after_stop, "--data", server.data)
    check(made.returncode == 0 and not (after_stop / "journal" / "0").exists(),
          "after a clean stop the journal is not needed", made.stderr)
    check_copy(folder, after_stop, count, "copy after a clean stop")


def check_refusals(folder, server):
    full = folder / "full"
    full.mkdir()
    (full / "precious").write_text("mine")
    made = leat("backup", full, "--data", server.data)
    check(made.returncode == 1 and (full / "precious").read_text() == "mine",
          "a directory that is not empty is refused", made.stderr)
    empty = folder / "empty"
    empty.mkdir()
    made = leat("backup", f"{empty}/", "--data", server.data)
    check(made.returncode == 0 and (empty / "format").exists(), "an empty one is taken",
          made.stderr)
    made = leat("backup", folder / "none", "--data", folder / "nothing")
    check(made.returncode == 1 and not (folder / "none").exists(), "no data directory: exit 1",
          made.stderr)
    with Server(folder / "other") as other:
        made = leat("backup", folder / "wrong", "--data", server.data, "--http", other.http)
        check(made.returncode == 2 and b"does not serve" in made.stderr,
              "the server of another directory is not believed", made.stderr)


def main():
    with scratch() as folder, Server(folder / "data") as server:
        check_under_load(folder, server)
        check_refusals(folder, server)
        check_server_killed(folder, server)
        check_stopped(folder, server)
    finish()


main()
