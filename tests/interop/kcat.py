#!/usr/bin/python3
"""kcat against the server: metadata, every codec byte for byte, offsets, keys, headers, times."""

import json

from harness import CODECS, Server, check, edits, finish, run, scratch


def kcat(server, *arguments, **options):
    return run("kcat", "-b", server.kafka, *arguments, **options)


def check_metadata(server):
    run_list = kcat(server, "-L", "-J")
    brokers = json.loads(run_list.stdout)["brokers"] if run_list.returncode == 0 else []
    check(len(brokers) == 1 and brokers[0]["name"] == server.kafka,
          "kcat -L names one broker, at the address it was asked at", run_list.stderr)
    made = kcat(server, "-L", "-J", "-t", "made-by-asking")
    topics = json.loads(made.stdout)["topics"] if made.returncode == 0 else []
    check([t["topic"] for t in topics] == ["made-by-asking"] and len(topics[0]["partitions"]) > 0,
          "a topic that is asked for is made", made.stdout + made.stderr)


def check_codec(server, codec, lines):
    topic = "edits-" + codec
    text = b"\n".join(lines) + b"\n"
    produced = kcat(server, "-P", "-t", topic, "-z", codec, stdin=text)
    check(produced.returncode == 0, f"kcat produces {len(lines)} edits with {codec}",
          produced.stderr)
    consumed = kcat(server, "-C", "-t", topic, "-e", "-q", "-o", "beginning")
    check(consumed.stdout == text, f"kcat consumes them byte for byte after {codec}",
          f"{len(consumed.stdout)} bytes, not {len(text)}; {consumed.stderr}")


def check_positions(server, lines):
    topic = "edits-none"
    last = kcat(server, "-C", "-t", topic, "-e", "-q", "-o", "-3", "-f", "%o %s\n")
    want = b"".join(b"%d %s\n" % (i, lines[i]) for i in range(len(lines) - 3, len(lines)))
    check(last.stdout == want, "the last three are found from the end", last.stderr)
    middle = kcat(server, "-C", "-t", topic, "-q", "-o", "20000", "-c", "2", "-f", "%o %s\n")
    want = b"".join(b"%d %s\n" % (i, lines[i]) for i in (20000, 20001))
    check(middle.stdout == want, "an offset in the middle of a batch is found", middle.stderr)


def check_record_parts(server):
    topic = "parts"
    for value, key, header in ((b"one", b"k1", "a=1"), (b"two", b"k2", "b=\u00fc")):
        kcat(server, "-P", "-t", topic, "-K", ":", "-H", header, stdin=key + b":" + value)
    empty = kcat(server, "-P", "-t", topic, "-K", ":", "-Z", stdin=b"k3:\n")
    got = kcat(server, "-C", "-t", topic, "-e", "-q", "-f", "%o|%k|%s|%S|%h\n")
    want = "0|k1|one|3|a=1\n1|k2|two|3|b=\u00fc\n2|k3||-1|\n".encode()
    check(got.stdout == want, "keys, headers and null values come back",
          got.stdout + got.stderr + empty.stderr)


def check_times(server):
    topic = "times"
    kcat(server, "-P", "-t", topic, stdin=b"early\n")
    time_ms = int(kcat(server, "-C", "-t", topic, "-e", "-q", "-f", "%T").stdout)
    found = kcat(server, "-Q", "-t", f"{topic}:0:{time_ms}")
    check(b"offset 0" in found.stdout, "a timestamp finds its offset", found.stdout + found.stderr)
    later = kcat(server, "-Q", "-t", f"{topic}:0:{time_ms + 3600000}")
    check(b"offset -1" in later.stdout or b"offset 1" in later.stdout,
          "a timestamp after the last record finds none", later.stdout + later.stderr)


def main():
    lines = edits()
    with scratch() as folder, Server(folder / "data") as server:
        check_metadata(server)
        for codec in CODECS:
            check_codec(server, codec, lines)
        check_positions(server, lines)
        check_record_parts(server)
        check_times(server)
        server.stop()
        server.start()
        for codec in CODECS:
            got = kcat(server, "-C", "-t", "edits-" + codec, "-e", "-q").stdout.splitlines()
            check(got == lines, f"a restart changes nothing of what came with {codec}")
        check(server.stop() == 0, "SIGTERM ends the server with exit code 0", server.stderr())
    finish()


main()
