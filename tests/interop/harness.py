"""What the scripts of this folder share: a server of their own, and a line for each check.

A script prints `ok - what` or `not ok - what` for every check and exits 1 if one failed. LEAT names
the binary; build/leat is taken otherwise. LEAT_SHARDS is how many shards its servers have, LEAT_SLOW
by how much the binary is slower than it should be: all that is waited for may take so many times as
long.
"""

import contextlib
import gzip
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEAT = os.environ.get("LEAT", str(ROOT / "build" / "leat"))
EDITS = ROOT / "tests" / "data" / "wikipedia-edits.jsonl.gz"
SLOW = float(os.environ.get("LEAT_SLOW", "1"))
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")

_failed = 0


def check(good, what, detail=""):
    """Prints the outcome of one check; `detail` only if it failed."""
    global _failed
    print(("ok - " if good else "not ok - ") + what, flush=True)
    if not good:
        _failed += 1
        if detail:
            print("    " + str(detail)[:4000].replace("\n", "\n    "), flush=True)
    return good


def failures():
    """How many checks have failed."""
    return _failed


def finish():
    """Ends the script with its verdict."""
    sys.exit(1 if _failed else 0)


def edits():
    """The lines of the day's edits, as bytes without the line end."""
    with gzip.open(EDITS) as lines:
        return lines.read().splitlines()


def run(*command, stdin=b"", timeout=120, env=None, cwd=None):
    """Runs a program to its end. Gives a CompletedProcess with bytes."""
    return subprocess.run(
        [str(part) for part in command], input=stdin, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=timeout * SLOW, env=dict(os.environ, **(env or {})), cwd=cwd,
        check=False)


def leat(*arguments, **options):
    return run(LEAT, *arguments, **options)


def wait_for(condition, seconds=20):
    """Polls until `condition()` holds. False if it never did."""
    deadline = time.monotonic() + seconds * SLOW
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


@contextlib.contextmanager
def scratch():
    """A folder that is gone afterwards."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="leat-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Server:
    """`leat serve` over a data directory, on free ports that stay the same across restarts."""

    def __init__(self, data, *arguments, environment=None):
        self.data = pathlib.Path(data)
        self.environment = dict(os.environ, **(environment or {}))
        shards = os.environ.get("LEAT_SHARDS")
        self.arguments = (*(["--shards", shards] if shards else []), *arguments)
        self.kafka = "127.0.0.1:0"
        self.http = "127.0.0.1:0"
        self.process = None
        self.log = self.data.parent / (self.data.name + ".log")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process:
            self.kill()

    def start(self):
        """Starts the server and waits until it says `ready`."""
        command = [LEAT, "serve", "--data", str(self.data), "--listen", self.kafka, "--http",
                   self.http, *self.arguments]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log,
                                            stdin=subprocess.DEVNULL, env=self.environment)
        for line in self.process.stdout:
            words = line.decode().split()
            if words[:1] == ["kafka"]:
                self.kafka = words[1]
            elif words[:1] == ["http"]:
                self.http = words[1]
            elif words[:1] == ["ready"]:
                return self
        raise RuntimeError("the server did not start:\n" + self.stderr())

    def stderr(self):
        return self.log.read_text(errors="replace")[-4000:]

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """kill -9, as a power button would, but for the page cache."""
        self._end(signal.SIGKILL)

    def stop(self, seconds=20):
        """Asks it to stop. Gives its exit code."""
        return self._end(signal.SIGTERM, seconds)

    def _end(self, how, seconds=20):
        self.process.send_signal(how)
        try:
            code = self.process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = None
        self.process.stdout.close()
        self.process = None
        return code

    def metrics(self):
        """What /metrics says."""
        with urllib.request.urlopen(f"http://{self.http}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def connect(self, timeout=10):
        """A raw connection to the Kafka listener."""
        host, port = self.kafka.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout)


def frame(body):
    return struct.pack(">i", len(body)) + body


def request(api_key, version, correlation_id, body=b"", client=b"raw"):
    """A framed request with the header of non-flexible versions."""
    header = struct.pack(">hhih", api_key, version, correlation_id, len(client)) + client
    return frame(header + body)


def read_frame(connection):
    """The next frame's body, or None where the peer has closed."""
    try:
        size = _read_exactly(connection, 4)
        return None if size is None else _read_exactly(connection, struct.unpack(">i", size)[0])
    except ConnectionResetError:
        return None


def _read_exactly(connection, size):
    got = b""
    while len(got) < size:
        part = connection.recv(size - len(got))
        if not part:
            return None
        got += part
    return got
