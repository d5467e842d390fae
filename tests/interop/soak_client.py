"""One client of the soak, in a process of its own: soak_client.py SETTINGS, which are JSON. It writes
what it does as history_reader.h says: a line before each operation and one behind it, so that a
SIGKILL leaves open what it interrupted. SIGTERM asks it to come to an end."""

import json
import os
import random
import signal
import sys
import time

from librdkafka import Consumer, Failed, Producer

# What each topic is for, and its partitions.
TOPICS = {"in": 4, "plain": 2, "pair": 3, "out": 3, "side": 1, "moved": 2}
GROUPS = {"loop": ["in"], "mover": ["in"], "watch": ["pair", "out", "side", "moved"],
          "all": ["in", "plain", "pair", "out"]}
TRANSACTIONAL = {"pair": 2, "loop": 2, "mover": 1}  # how many of each
UNFINISHED_MAX = 1000


def partitions(topics):
    return [(topic, number) for topic in topics for number in range(TOPICS[topic])]


def triples(offsets):
    return [[topic, number, offset] for (topic, number), offset in offsets.items()]


class Client:
    """What all roles share: the history, chance, and the settings for librdkafka."""

    def __init__(self, settings):
        self.name = settings["client"]
        self.number = settings["number"]
        self.random = random.Random(settings["seed"])
        self.bootstrap = settings["bootstrap"]
        self.file = os.open(settings["history"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.operations = 0
        self.uids = 0
        self.sessions = 0
        self.stopping = False
        self.unfinished = 0
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.write(client=self.name)

    def _stop(self, *_):
        self.stopping = True

    def write(self, **line):
        os.write(self.file, json.dumps(line, separators=(",", ":")).encode() + b"\n")

    def now(self):
        return time.monotonic_ns() // 1000

    def begin(self, call, **more):
        self.operations += 1
        self.write(t=self.now(), op=self.operations, call=call, **more)
        return self.operations

    def end(self, operation, outcome="ok", **more):
        self.write(t=self.now(), op=operation, outcome=outcome, **more)

    def uid(self):
        self.uids += 1
        return f"{self.name}:{self.uids}"

    def settings(self, **more):
        named = {name.replace("_", "."): value for name, value in more.items()}
        return {"bootstrap.servers": self.bootstrap, "client.id": self.name, "log_level": 0,
                "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 200,
                "retry.backoff.ms": 50, "topic.metadata.refresh.interval.ms": 10000, **named}

    # ---- Producers -------------------------------------------------------------------------------

    def producer(self, **more):
        return Producer(self.settings(linger_ms=1, **more), self._delivered)

    def _delivered(self, operation, error, offset, is_maybe_there):
        self.unfinished -= 1
        if error == 0:
            more = {"offset": offset} if offset >= 0 else {}
            self.end(operation, "ok", **more)
        else:
            self.end(operation, "unknown" if is_maybe_there else "fail", error=error)

    def send(self, producer, place, **more):
        uid = self.uid()
        operation = self.begin("send", topic=place[0], partition=place[1], uid=uid, **more)
        self.unfinished += 1
        value = uid.encode() + b" " + b"x" * self.random.randrange(200)
        producer.produce(*place, value, number=operation)

    # ---- Transactions ----------------------------------------------------------------------------

    def finish(self, producer, transaction, is_commit):
        """Ends it, so or otherwise. Gives whether it was committed; a client that cannot tell
        dies."""
        while True:
            call = "commit" if is_commit else "abort"
            operation = self.begin(call, txn=transaction)
            try:
                (producer.commit if is_commit else producer.abort)()
                self.end(operation)
                return is_commit
            except Failed as failed:
                self.end(operation, "unknown", error=failed.code, text=str(failed))
                if failed.requires_abort:
                    is_commit = False
                elif not failed.is_retriable:
                    raise

    def send_offsets(self, producer, transaction, name, group, offsets):
        uid = self.uid()
        operation = self.begin("offsets", group=name, uid=uid, txn=transaction,
                               offsets=triples(offsets))
        try:
            producer.send_offsets(group, offsets, uid)
            self.end(operation)
            return True
        except Failed as failed:
            self.end(operation, "unknown", error=failed.code, text=str(failed))
            if failed.requires_abort or failed.is_retriable:
                return False
            raise

    def decide(self):
        return self.random.random() < 0.75

    # ---- Consumers -------------------------------------------------------------------------------

    def assigned(self, offsets, is_committed, group=None, is_final=False, **more):
        """Begins a session. Of its partitions, later ones take over from earlier ones."""
        self.sessions += 1
        if group:
            more["group"] = group
        self.write(t=self.now(), call="assign", session=self.sessions, committed=is_committed,
                   final=is_final, **{"from": triples(offsets)}, **more)
        return {place: self.sessions for place in offsets}

    def polled(self, since, sessions, records, **more):
        """Writes what was read, a line for each partition."""
        of = {}
        for record in records:
            of.setdefault(record.place, []).append(record)
        for place, read in of.items():
            ends = [record.offset for record in read if record.value is None]
            self.write(t=since, until=self.now(), call="poll", session=sessions[place],
                       topic=place[0], partition=place[1],
                       records=[[record.offset, record.value.split(b" ", 1)[0].decode()]
                                for record in read if record.value is not None],
                       **({"end": ends[-1]} if ends else {}), **more)

    def committed(self, consumer, name, places):
        operation = self.begin("committed", group=name)
        try:
            offsets = consumer.committed(places)
            self.end(operation, offsets=triples(offsets))
            return offsets
        except Failed as failed:
            self.end(operation, "unknown", error=failed.code)
            return None


class Member:
    """A consumer that is a member of a group, what it read and has not given away yet, and how far
    its work of this session has come that it has not committed yet."""

    def __init__(self, client, group, is_committed, **settings):
        self.client = client
        self.group = group
        self.is_committed = is_committed
        self.sessions = {}
        self.records = []
        self.uncommitted = {}
        self.consumer = Consumer(
            client.settings(group_id=group, enable_auto_commit="false", session_timeout_ms=6000,
                            heartbeat_interval_ms=500, auto_offset_reset="earliest",
                            fetch_wait_max_ms=100,
                            isolation_level=f"read_{'' if is_committed else 'un'}committed",
                            **settings), self._on_assign, self._on_revoke)
        self.consumer.subscribe(GROUPS[group])

    def _on_assign(self, places):
        if places:
            self.sessions = self.client.assigned({place: -1 for place in places},
                                                 self.is_committed, self.group)

    def _on_revoke(self, _places):
        # Others go on where the group was. What this one did is not committed any more, not even when
        # the partition comes back: whoever had it meanwhile may be further.
        self._note()
        self.records = []
        self.uncommitted = {}

    def _note(self):
        if self.records:
            self.client.polled(self.since, self.sessions, self.records)

    def poll(self, count):
        """Up to so many records, all of the assignment that holds when it returns."""
        self.records = []
        self.since = self.client.now()
        until = time.monotonic() + 0.2
        while len(self.records) < count and time.monotonic() < until:
            record = self.consumer.poll(0.02)
            if record:
                self.records.append(record)
            elif self.records:
                break
        self._note()
        records, self.records = self.records, []
        return records


def next_offsets(records):
    return {record.place: record.offset + 1 for record in records}


# ---- Roles ----------------------------------------------------------------------------------------

def wait(producer, seconds):
    """Sleeps, while acknowledgements are taken."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        producer.poll(0.005)


def produce(client, topic, **settings):
    producer = client.producer(**settings)
    while not client.stopping:
        for _ in range(client.random.randrange(1, 16)):
            client.send(producer, client.random.choice(partitions([topic])))
        wait(producer, client.random.uniform(0, 0.1))
        while client.unfinished > UNFINISHED_MAX and not client.stopping:
            producer.poll(0.1)
    producer.flush(100)


def once(client):
    produce(client, "in", enable_idempotence="true", message_timeout_ms=100000)


def plain(client):
    produce(client, "plain", enable_idempotence="false", acks="all", message_timeout_ms=20000,
            message_send_max_retries=0, max_in_flight_requests_per_connection=5)


def transactional(client, role):
    # What librdkafka 2.0.2 has to send again while it aborts, it keeps until its time is over.
    producer = client.producer(transactional_id=f"{role}-{client.number}",
                               transaction_timeout_ms=20000, message_timeout_ms=5000)
    producer.init()
    return producer


def pair(client):
    """Transactions over several topics, without reading."""
    producer = transactional(client, "pair")
    transaction = 0
    while not client.stopping:
        transaction += 1
        producer.begin()
        for place in partitions(["pair", "side"]):
            for _ in range(client.random.randrange(1, 4)):
                client.send(producer, place, txn=transaction)
        if client.random.random() < 0.2:
            producer.poll(0.05)
        client.finish(producer, transaction, client.decide())
        time.sleep(client.random.uniform(0, 0.05))


def process(client, producer, transaction, records, topics, name, group):
    """One transaction of a loop: of each record, one in each of the topics, and the offsets."""
    producer.begin()
    for record in records:
        for topic in topics:
            place = (topic, client.random.randrange(TOPICS[topic]))
            client.send(producer, place, txn=transaction, source=[*record.place, record.offset])
    is_sent = client.send_offsets(producer, transaction, name, group, next_offsets(records))
    return client.finish(producer, transaction, is_sent and client.decide())


def first_offsets(records):
    offsets = {}
    for record in records:
        offsets.setdefault(record.place, record.offset)
    return offsets


def loop(client):
    """Consumes as a member of a group, produces, and commits with the transaction."""
    producer = transactional(client, "loop")
    member = Member(client, "loop", True, group_instance_id=f"loop-{client.number}")
    transaction = 0
    idle_since = time.monotonic()
    while not client.stopping or time.monotonic() - idle_since < 3:
        records = member.poll(client.random.randrange(1, 200))
        if not records:
            continue
        idle_since = time.monotonic()
        transaction += 1
        if process(client, producer, transaction, records, ["out", "side"], "loop",
                   member.consumer):
            continue
        offsets = first_offsets(records)
        member.sessions.update(client.assigned(offsets, True))
        member.consumer.seek(offsets)
    member.consumer.close()


def mover(client):
    """The same with partitions of its own choice: it goes on where the group is."""
    producer = transactional(client, "mover")
    consumer = Consumer(client.settings(group_id="mover", enable_auto_commit="false",
                                        isolation_level="read_committed", fetch_wait_max_ms=100,
                                        auto_offset_reset="error"))
    places = partitions(GROUPS["mover"])
    transaction = 0
    sessions = None
    idle_since = time.monotonic()
    while not client.stopping or time.monotonic() - idle_since < 3:
        if sessions is None:
            offsets = client.committed(consumer, "mover", places)
            if offsets is None:
                continue
            offsets = {place: max(offset, 0) for place, offset in offsets.items()}
            sessions = client.assigned(offsets, True)
            consumer.assign(offsets)
        since = client.now()
        records = []
        for _ in range(client.random.randrange(1, 200)):
            record = consumer.poll(0.05)
            if not record:
                break
            records.append(record)
        if not records:
            continue
        client.polled(since, sessions, records)
        idle_since = time.monotonic()
        transaction += 1
        if not process(client, producer, transaction, records, ["moved"], "mover", "mover"):
            sessions = None
    consumer.close()


def watch(client, group="watch", is_committed=True, **settings):
    """Consumes as a member of a group, and commits itself."""
    member = Member(client, group, is_committed, **settings)
    idle_since = time.monotonic()
    while not client.stopping or time.monotonic() - idle_since < 3:
        records = member.poll(client.random.randrange(1, 400))
        if records:
            idle_since = time.monotonic()
        member.uncommitted.update(next_offsets(records))
        if member.uncommitted and client.random.random() < 0.5:
            commit(client, member)
    member.consumer.close()


def commit(client, member):
    uid = client.uid()
    offsets, member.uncommitted = member.uncommitted, {}
    operation = client.begin("offsets", group=member.group, uid=uid, offsets=triples(offsets))
    try:
        member.consumer.commit(offsets, uid)
        client.end(operation)
    except Failed as failed:
        # It may have been there before an answer was lost, and refused when it was sent again.
        client.end(operation, "unknown", error=failed.code)


def watch_all(client):
    watch(client, "all", False)


def observers(client):
    """Asks for watermarks and for what groups have committed."""
    of = [Consumer(client.settings(isolation_level=level, group_id="observer"))
          for level in ("read_uncommitted", "read_committed")]
    groups = {group: Consumer(client.settings(isolation_level="read_committed", group_id=group))
              for group in GROUPS}
    return of, groups


def ask_end(client, consumers, place):
    is_stable = client.random.random() < 0.5
    operation = client.begin("end", topic=place[0], partition=place[1], stable=is_stable)
    try:
        client.end(operation, offset=consumers[is_stable].end(*place, 10))
    except Failed as failed:
        client.end(operation, "unknown", error=failed.code)


def observe(client):
    consumers, groups = observers(client)
    while not client.stopping:
        for _ in range(4):
            ask_end(client, consumers, client.random.choice(partitions(TOPICS)))
        group = client.random.choice(list(GROUPS))
        client.committed(groups[group], group, partitions(GROUPS[group]))
        time.sleep(client.random.uniform(0, 0.2))
    for consumer in [*consumers, *groups.values()]:
        consumer.close()


def last(client):
    """Ends what transactions are open, and reads all that there is."""
    for role, count in TRANSACTIONAL.items():
        for client.number in range(count):
            transactional(client, role).close()
    for is_committed in (True, False):
        read_all(client, is_committed)
    consumers, groups = observers(client)
    for place in partitions(TOPICS):
        ask_end(client, consumers, place)
    for group, consumer in groups.items():
        client.committed(consumer, group, partitions(GROUPS[group]))
    for consumer in [*consumers, *groups.values()]:
        consumer.close()


def read_all(client, is_committed):
    consumer = Consumer(client.settings(
        isolation_level=f"read_{'' if is_committed else 'un'}committed", group_id="last",
        enable_partition_eof="true", enable_auto_commit="false"))
    places = {place: 0 for place in partitions(TOPICS)}
    sessions = client.assigned(places, is_committed, is_final=True)
    consumer.assign(places)
    reading = set(places)
    until = time.monotonic() + 120
    while reading and time.monotonic() < until:
        since = client.now()
        records = []
        while len(records) < 500:
            record = consumer.poll(0.1)
            if not record:
                break
            records.append(record)
            if record.value is None:
                reading.discard(record.place)
        client.polled(since, sessions, records)
    consumer.close()


ROLES = {"once": once, "plain": plain, "pair": pair, "loop": loop, "mover": mover,
         "all": watch_all, "observe": observe, "last": last,
         "watch": lambda client: watch(client, group_instance_id=f"watch-{client.number}")}


def main():
    settings = json.loads(sys.argv[1])
    client = Client(settings)
    try:
        ROLES[settings["role"]](client)
    except Failed as failed:
        client.write(t=client.now(), mark="gave up", of=f"{client.name}: {failed}")
        os._exit(3)
    # What librdkafka still has in its queues is of no interest.
    os._exit(0)


if __name__ == "__main__":
    main()
