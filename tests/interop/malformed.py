#!/usr/bin/python3
"""Bytes that no client should send: each is answered or cut off as it must be, and nothing else
suffers."""

import pathlib
import random
import socket
import struct

from kafka import KafkaProducer
from kafka.record.default_records import DefaultRecordBatchBuilder

from harness import Server, check, finish, frame, read_frame, request, scratch

PRODUCE, FETCH, API_VERSIONS, CREATE_TOPICS = 0, 1, 18, 19
CORRUPT_MESSAGE, OUT_OF_RANGE, INVALID_TOPIC, INVALID_REQUIRED_ACKS = 2, 1, 17, 21
UNKNOWN_TOPIC, UNSUPPORTED_VERSION, UNSUPPORTED_CODEC, INVALID_RECORD = 3, 35, 76, 87


def string(text):
    data = text.encode()
    return struct.pack(">h", len(data)) + data


def ask(server, data):
    """What the server answers to these bytes; None if it closes the connection."""
    with server.connect() as connection:
        connection.sendall(data)
        return read_frame(connection)


def resident_bytes(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def check_frames(server):
    check(ask(server, struct.pack(">i", -1)) is None, "a negative frame size ends the connection")
    before = resident_bytes(server)
    check(ask(server, struct.pack(">i", 0x7FFFFFFF) + b"x" * 1000) is None,
          "a frame of 2 GiB ends the connection")
    check(resident_bytes(server) - before < 16 << 20, "and takes no memory")
    check(ask(server, frame(b"")) is None, "an empty frame ends the connection")
    check(ask(server, frame(b"\x00\x12")) is None, "half a header ends the connection")
    check(ask(server, b"GET / HTTP/1.1\r\n\r\n") is None,
          "HTTP on the Kafka port ends the connection")
    with server.connect() as connection:
        for byte in request(API_VERSIONS, 0, 77):
            connection.sendall(bytes([byte]))
        answer = read_frame(connection)
    check(answer is not None and answer[:4] == struct.pack(">i", 77),
          "a frame that comes byte by byte is answered")
    with server.connect() as connection:
        connection.sendall(b"".join(request(API_VERSIONS, 0, i) for i in range(50)))
        ids = [struct.unpack(">i", (read_frame(connection) or bytes(4))[:4])[0] for _ in range(50)]
    check(ids == list(range(50)), "pipelined requests are answered in their order")


def check_headers(server):
    check(ask(server, request(999, 0, 1)) is None, "an unknown API ends the connection")
    check(ask(server, request(FETCH, 99, 1)) is None, "an unknown version ends the connection")
    answer = ask(server, request(API_VERSIONS, 99, 5))
    check(answer is not None and struct.unpack(">ih", answer[:6]) == (5, UNSUPPORTED_VERSION),
          "except of ApiVersions, which is answered as version 0", answer)
    giant_array = struct.pack(">hhi", -1, 1, 1000) + struct.pack(">i", 0x7FFFFFF0)
    check(ask(server, request(PRODUCE, 3, 1, giant_array)) is None,
          "an array longer than its frame ends the connection")
    check(ask(server, request(CREATE_TOPICS, 0, 1, struct.pack(">i", -7))) is None,
          "a negative array length ends the connection")


def batch(codec=0, records=3):
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1 << 20)
    for i in range(records):
        builder.append(i, 1_600_000_000_000, b"key", b"value", [])
    return builder.build()


def produce(server, topic, records, acks=1):
    """The error code that a partition is answered with; None if the connection was closed."""
    body = struct.pack(">hhi", -1, acks, 5000)
    body += struct.pack(">i", 1) + string(topic)
    body += struct.pack(">iii", 1, 0, len(records)) + bytes(records)
    answer = ask(server, request(PRODUCE, 3, 1, body))
    if answer is None:
        return None
    at = 4 + 4 + 2 + len(topic) + 4 + 4
    return struct.unpack(">h", answer[at:at + 2])[0]


def with_crc(records):
    """Puts the right checksum over a batch that was tampered with."""
    from kafka.record.util import calc_crc32c
    records = bytearray(records)
    records[17:21] = struct.pack(">I", calc_crc32c(bytes(records[21:])))
    return records


def patched(at, data, checksum=True):
    records = bytearray(batch())
    records[at:at + len(data)] = data
    return with_crc(records) if checksum else records


def check_batches(server):
    producer = KafkaProducer(bootstrap_servers=server.kafka)
    producer.send("target", b"first").get(10)
    producer.close()
    flipped = bytearray(batch())
    flipped[-2] ^= 1
    cases = [
        ("a bad checksum", flipped, CORRUPT_MESSAGE),
        ("an unknown codec", patched(21, b"\x00\x07"), UNSUPPORTED_CODEC),
        ("a control batch", patched(21, b"\x00\x20"), INVALID_RECORD),
        ("a count that is not the records'", patched(57, struct.pack(">i", 9)), INVALID_RECORD),
        ("an old format", patched(16, b"\x01", checksum=False), INVALID_RECORD),
        ("no batch", b"", INVALID_RECORD),
        ("two batches", batch() + batch(), INVALID_RECORD),
    ]
    for what, records, code in cases:
        got = produce(server, "target", records)
        check(got == code, f"{what} is answered with {code}", f"got {got}")
    check(produce(server, "target", batch(), acks=7) == INVALID_REQUIRED_ACKS,
          "acks that do not exist are refused")
    check(produce(server, "target", batch()) == 0, "a good batch is still taken")


def fetch_error(server, topic, offset):
    body = struct.pack(">iiiib", -1, 100, 1, 1 << 20, 0)
    body += struct.pack(">i", 1) + string(topic)
    body += struct.pack(">iiqi", 1, 0, offset, 1 << 20)
    answer = ask(server, request(FETCH, 4, 1, body))
    at = 4 + 4 + 4 + 2 + len(topic) + 4 + 4
    return None if answer is None else struct.unpack(">h", answer[at:at + 2])[0]


def check_fetches(server):
    check(fetch_error(server, "target", 1_000_000) == OUT_OF_RANGE,
          "an offset beyond the end is out of range")
    check(fetch_error(server, "target", -5) == OUT_OF_RANGE, "and so is a negative one")
    check(fetch_error(server, "no-such-topic", 0) == UNKNOWN_TOPIC,
          "a topic that is not there is unknown to Fetch")
    check(fetch_error(server, "target", 0) == 0, "what is there is served")


def create_error(server, name):
    body = struct.pack(">i", 1) + string(name) + struct.pack(">ihiii", 1, 1, 0, 0, 5000)
    answer = ask(server, request(CREATE_TOPICS, 0, 1, body))
    if answer is None:
        return None
    at = 4 + 4 + 2 + len(name.encode())
    return struct.unpack(">h", answer[at:at + 2])[0]


def check_topic_names(server):
    for name in ("", ".", "..", "a/b", "nul\0", "x" * 250, "\u00fcber", "a b"):
        check(create_error(server, name) == INVALID_TOPIC, f"no topic is named {name[:12]!r}")
    check(create_error(server, "x" * 249) == 0, "249 characters are a name")


def check_noise(server):
    chance = random.Random(12)
    for _ in range(300):
        with server.connect() as connection:
            body = chance.randbytes(chance.randrange(200))
            kind = chance.randrange(3)
            if kind == 0:
                data = body
            elif kind == 1:
                data = frame(body)
            else:
                data = request(chance.randrange(70), chance.randrange(14), 1, body)
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while read_frame(connection) is not None:
                    pass
            except OSError:
                pass
    check(server.alive() and ask(server, request(API_VERSIONS, 0, 1)) is not None,
          "after 300 connections full of noise the server answers", server.stderr())


def main():
    with scratch() as folder, Server(folder / "data") as server:
        for group in (check_frames, check_headers, check_batches, check_fetches, check_topic_names,
                      check_noise):
            group(server)
        check(server.stop() == 0, "and ends with exit code 0", server.stderr())
    finish()


main()
