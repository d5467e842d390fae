#!/usr/bin/python3
"""Makes format-1.tar.gz and format-1.json: a data directory that every later version must open, and
what must be found in it. To be run again only while format 1 has not been released; afterwards a
new format gets a directory of its own, and this one stays."""

import base64
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))

from harness import CODECS, Server, leat, run, scratch, wait_for  # noqa: E402

START_MS = 1_700_000_000_000




class Maker:
    def __init__(self, folder):
        self.server = Server(folder / "data")
        self.topics = {}
        self.count = 0

    def create(self, topic, partitions=1, **config):
        config = {"retention.ms": "-1", **{key.replace("_", "."): str(value)
                                           for key, value in config.items()}}
        flags = [word for key, value in config.items() for word in ("-c", f"{key}={value}")]
        made = leat("topic", "create", topic, "-p", partitions, *flags, "-b", self.server.kafka)
        assert made.returncode == 0, made.stderr
        self.topics[topic] = {"config": config, "partitions": [
            {"start": 0, "records": []} for _ in range(partitions)]}

    def batch(self, topic, partition=0, size=3, codec="none", padding=0):
        """One record batch, of records that hold everything a record may hold."""
        known = self.topics[topic]["partitions"][partition]["records"]
        rows = []
        for i in range(size):
            self.count += 1
            row = {"timestamp": START_MS + self.count * 1000, "key": f"key-{self.count % 7}",
                   "value": f"{topic} {self.count} " + "padding " * padding, "headers": []}
            if i % 3 == 1:
                row["key"] = None
                row["headers"] = [{"key": "origin", "value": topic}, {"key": "none", "value": None}]
            if i % 3 == 2:
                del row["value"]
                row["value_base64"] = base64.b64encode(bytes([255, 0, self.count % 256])).decode()
            rows.append(row)
        if size > 3:
            rows[3]["value"] = None
        lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
        sent = leat("produce", topic, "-F", "json", "-p", partition, "-z", codec, "-b",
                    self.server.kafka, stdin=lines)
        assert sent.returncode == 0, sent.stderr
        base = len(known)
        known.extend({"offset": base + i, **row} for i, row in enumerate(rows))

    def segment(self, topic):
        """The last segment of partition 0, and its batches as `leat dump` names them."""
        described = json.loads(leat("topic", "describe", topic, "--format", "json", "-b",
                                    self.server.kafka).stdout)
        directory = self.server.data / "partitions" / described["id"].replace("-", "") / "0"
        return max(directory.glob("*.log"))

    def flip(self, path, batch_number):
        """Spoils a batch in the middle. Gives its offsets."""
        dumped = leat("dump", path, "--format", "json").stdout.splitlines()
        batch = [json.loads(row) for row in dumped if b"base_offset" in row][batch_number]
        with open(path, "r+b") as file:
            file.seek(batch["position"] + batch["bytes"] - 3)
            byte = file.read(1)[0]
            file.seek(-1, 1)
            file.write(bytes([byte ^ 0x20]))
        return batch["base_offset"], batch["next_offset"]


def fill(maker):
    maker.create("plain", 2)
    maker.create("codecs", len(CODECS))
    maker.create("segments", segment_bytes=2048, index_interval_bytes=1024)
    maker.create("trimmed", segment_bytes=2048, retention_bytes=4096)
    for topic in ("damaged", "accepted", "cut"):
        maker.create(topic)
    for number, codec in enumerate(CODECS):
        for _ in range(3):
            maker.batch("codecs", number, 5, codec, padding=4)
    for _ in range(20):
        maker.batch("segments", size=2, padding=20)
        maker.batch("trimmed", size=2, padding=20)
    for topic in ("plain", "damaged", "accepted", "cut"):
        for _ in range(5):
            maker.batch(topic)
    maker.batch("plain", 1, 6)


def spoil(maker):
    """Two flipped bytes, found by readers; the loss of one is accepted."""
    paths = {topic: maker.segment(topic) for topic in ("damaged", "accepted", "cut")}
    maker.server.stop()
    lost = {topic: maker.flip(paths[topic], 2) for topic in ("damaged", "accepted")}
    maker.server.start()
    for topic in lost:
        assert leat("consume", topic, "-e", "-b", maker.server.kafka).returncode == 1
    maker.server.stop()
    base, end = lost["accepted"]
    given_up = leat("fsck", "--data", maker.server.data, "--accept-loss", "accepted/0",
                    f"{base}:{end}")
    assert given_up.returncode == 0, given_up.stderr
    for topic, (base, end) in lost.items():
        partition = maker.topics[topic]["partitions"][0]
        partition["damaged" if topic == "damaged" else "gap"] = [base, end]
        partition["records"] = [row if not base <= row["offset"] < end else None
                                for row in partition["records"]]
    maker.server.start()
    maker.server.kill()
    with open(paths["cut"], "ab") as file:
        file.write(b"bytes of a batch that was never acknowledged " * 10)
    maker.server.start()


def trim(maker):
    """Waits until retention has removed what it will remove."""
    def start():
        listed = run("kcat", "-b", maker.server.kafka, "-Q", "-t", "trimmed:0:-2").stdout
        return int(listed.decode().rsplit(" ", 1)[1])
    assert wait_for(lambda: start() > 0, 60)
    partition = maker.topics["trimmed"]["partitions"][0]
    partition["start"] = start()
    partition["records"] = [row if row["offset"] >= partition["start"] else None
                            for row in partition["records"]]


def main():
    with scratch() as folder:
        maker = Maker(folder)
        with maker.server:
            fill(maker)
            trim(maker)
            spoil(maker)
            # What only the journal knows of when the end comes.
            maker.batch("cut")
            maker.batch("plain", 0)
            maker.batch("codecs", 4, 5, "zstd", padding=4)
            maker.server.kill()
        for topic in maker.topics.values():
            for partition in topic["partitions"]:
                partition["end"] = len(partition["records"])
                partition["records"] = [row for row in partition["records"] if row]
        data = maker.server.data
        (data / "lock").unlink()
        expected = {
            "topics": maker.topics,
            "quarantine": [path.name for path in (data / "quarantine").iterdir()],
        }
        (HERE / "format-1.json").write_text(json.dumps(expected) + "\n")
        subprocess.run(["tar", "--sparse", "--hole-detection=raw", "--sort=name", "--owner=0",
                        "--group=0", "--numeric-owner", "-C", str(data.parent), "-czf",
                        str(HERE / "format-1.tar.gz"), "data"], check=True)
        print((HERE / "format-1.tar.gz").stat().st_size, "bytes")


main()
