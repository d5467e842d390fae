#!/usr/bin/python3
"""A flipped byte on disk: named by fsck, fenced by the server, and nothing else is lost."""

import pathlib

from harness import Server, check, edits, finish, leat, run, scratch


def largest_segment(data):
    return max((path for path in pathlib.Path(data).rglob("*.log")), key=lambda p: p.stat().st_size)


def contents(data):
    return {str(path.relative_to(data)): path.stat().st_size
            for path in pathlib.Path(data).rglob("*") if path.is_file()}


def consume(server, topic, offset):
    return run("kcat", "-b", server.kafka, "-C", "-t", topic, "-e", "-q", "-o", offset, "-X",
               "fetch.error.backoff.ms=50", timeout=60)


def main():
    lines = edits()
    with scratch() as folder, Server(folder / "data") as server:
        run("kcat", "-b", server.kafka, "-P", "-t", "edits", "-X", "batch.num.messages=500",
            stdin=b"\n".join(lines) + b"\n")
        run("kcat", "-b", server.kafka, "-P", "-t", "other", stdin=b"intact\n")
        held = leat("fsck", "--data", server.data)
        check(held.returncode == 1 and str(server.process.pid).encode() in held.stderr,
              "fsck of a directory that a server holds exits 1 and names its pid", held.stderr)
        server.stop()

        clean = leat("fsck", "--data", server.data)
        check(clean.returncode == 0, "fsck of a sound directory exits 0",
              clean.stdout + clean.stderr)
        named = leat("fsck", server.data)
        check(named.returncode == 2 and f"--data {server.data}".encode() in named.stderr,
              "a directory without --data is a wrong usage that says so", named.stderr)
        segment = largest_segment(server.data)
        with open(segment, "r+b") as file:
            middle = segment.stat().st_size // 2
            file.seek(middle)
            byte = file.read(1)[0]
            file.seek(middle)
            file.write(bytes([byte ^ 0x10]))
        before = contents(server.data)
        found = leat("fsck", "--data", server.data)
        said = (found.stdout + found.stderr).decode()
        check(found.returncode == 1, "fsck exits 1 after a byte was flipped", said)
        check(segment.name in said, "it names the file", said)
        check("edits" in said and "crc" in said.lower(), "it names the topic and the cause", said)
        check(contents(server.data) == before, "it deletes nothing")

        server.start()
        check(consume(server, "other", "beginning").stdout == b"intact\n",
              "another topic is served")
        last = consume(server, "edits", str(len(lines) - 1000))
        check(last.stdout.splitlines() == lines[-1000:], "what follows the damage is served",
              last.stderr)
        first = run("kcat", "-b", server.kafka, "-C", "-t", "edits", "-q", "-o", "0", "-c", "1000")
        check(first.stdout.splitlines() == lines[:1000], "what precedes it is served", first.stderr)
        run("kcat", "-b", server.kafka, "-P", "-t", "edits", stdin=b"appended\n")
        check(consume(server, "edits", "-1").stdout == b"appended\n", "appends go on")
        check(server.stop() == 0, "the server ends with exit code 0", server.stderr())
        kept = contents(server.data)
        segments = {name: size for name, size in before.items() if name.endswith(".log")}
        check(all(kept.get(name, -1) >= size for name, size in segments.items()),
              "no segment was cut", (segments, kept))
    finish()


main()
