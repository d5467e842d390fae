#!/usr/bin/python3
"""librdkafka's admin client: topics, settings, records, groups and what they have committed."""

import ctypes

from harness import Server, check, finish, run, scratch
from librdkafka import (NO_ERROR, PartitionList, conf_new, conf_set, declare, destroy, list_add,
                        list_new, list_set, new)

_p, _s, _i, _z = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t

TOPIC_EXISTS = 36
INVALID_CONFIG = 40
GROUP_ID_NOT_FOUND = 69
TOPIC = 2  # RD_KAFKA_RESOURCE_TOPIC
PRODUCER = 0


_queue_new = declare("rd_kafka_queue_new", _p, _p)
_queue_poll = declare("rd_kafka_queue_poll", _p, _p, _i)
_queue_destroy = declare("rd_kafka_queue_destroy", None, _p)
_event_error = declare("rd_kafka_event_error", _i, _p)
_event_destroy = declare("rd_kafka_event_destroy", None, _p)
_new_topic = declare("rd_kafka_NewTopic_new", _p, _s, _i, _i, _s, _z)
_set_config = declare("rd_kafka_NewTopic_set_config", _i, _p, _s, _s)
_delete_topic = declare("rd_kafka_DeleteTopic_new", _p, _s)
_new_partitions = declare("rd_kafka_NewPartitions_new", _p, _s, _z, _s, _z)
_resource = declare("rd_kafka_ConfigResource_new", _p, _i, _s)
_resource_set = declare("rd_kafka_ConfigResource_set_config", _i, _p, _s, _s)
_resource_error = declare("rd_kafka_ConfigResource_error", _i, _p)
_resource_configs = declare("rd_kafka_ConfigResource_configs", _p, _p, _p)
_entry_name = declare("rd_kafka_ConfigEntry_name", _s, _p)
_entry_value = declare("rd_kafka_ConfigEntry_value", _s, _p)
_delete_records = declare("rd_kafka_DeleteRecords_new", _p, _p)
_delete_group = declare("rd_kafka_DeleteGroup_new", _p, _s)
_delete_offsets = declare("rd_kafka_DeleteConsumerGroupOffsets_new", _p, _s, _p)
_alter_offsets = declare("rd_kafka_AlterConsumerGroupOffsets_new", _p, _s, _p)
_list_offsets = declare("rd_kafka_ListConsumerGroupOffsets_new", _p, _s, _p)
_topic_error = declare("rd_kafka_topic_result_error", _i, _p)
_group_partitions = declare("rd_kafka_group_result_partitions", _p, _p)
_group_error = declare("rd_kafka_group_result_error", _p, _p)
_error_code = declare("rd_kafka_error_code", _i, _p)
_listing_id = declare("rd_kafka_ConsumerGroupListing_group_id", _s, _p)
_group_state = declare("rd_kafka_ConsumerGroupDescription_state", _i, _p)
_state_name = declare("rd_kafka_consumer_group_state_name", _s, _i)
_group_members = declare("rd_kafka_ConsumerGroupDescription_member_count", _z, _p)


def partitions(*triples):
    """A list of (topic, partition, offset)."""
    made = list_new(len(triples))
    for topic, partition, offset in triples:
        list_add(made, topic.encode(), partition)
        list_set(made, topic.encode(), partition, offset)
    return made


def read_partitions(pointer):
    """What such a list says, as {partition: (offset, error)}."""
    there = ctypes.cast(pointer, ctypes.POINTER(PartitionList)).contents
    return {there.elements[i].partition: (there.elements[i].offset, there.elements[i].err)
            for i in range(there.count)}


class Admin:
    def __init__(self, server):
        conf = conf_new()
        text = ctypes.create_string_buffer(512)
        conf_set(conf, b"bootstrap.servers", server.kafka.encode(), text, len(text))
        self._handle = new(PRODUCER, conf, text, len(text))
        self._queue = _queue_new(self._handle)

    def close(self):
        _queue_destroy(self._queue)
        destroy(self._handle)

    def ask(self, name, items, part, take):
        """Runs rd_kafka_<name> over `items`, and gives what `take` makes of each element of the
        result's `part`. An error of the request as a whole is given as its code."""
        array = (_p * len(items))(*items)
        arguments = [_p, _p, _z, _p, _p] if items else [_p, _p, _p]
        call = declare("rd_kafka_" + name, None, *arguments)
        call(self._handle, *([array, len(items)] if items else []), None, self._queue)
        event = _queue_poll(self._queue, 20000)
        if not event:
            return "no answer"
        error = _event_error(event)
        given = error if error != NO_ERROR else self._elements(name, event, part, take)
        _event_destroy(event)
        return given

    def _elements(self, name, event, part, take):
        result = declare(f"rd_kafka_event_{name}_result", _p, _p)(event)
        if part == "offsets":  # a list, and no array
            return take(declare(f"rd_kafka_{name}_result_offsets", _p, _p)(result))
        count = _z()
        elements = declare(f"rd_kafka_{name}_result_{part}", ctypes.POINTER(_p), _p, _p)(
            result, ctypes.byref(count))
        return [take(elements[i]) for i in range(count.value)]

    def configs(self, topic):
        def take(resource):
            count = _z()
            entries = ctypes.cast(_resource_configs(resource, ctypes.byref(count)),
                                  ctypes.POINTER(_p))
            return {_entry_name(entries[i]): _entry_value(entries[i]) for i in range(count.value)}
        return self.ask("DescribeConfigs", [_resource(TOPIC, topic.encode())], "resources", take)[0]


def group_result(result):
    """A group's partitions, or its error."""
    error = _group_error(result)
    if error:
        return _error_code(error)
    there = _group_partitions(result)
    return read_partitions(there) if there else NO_ERROR


def check_topics(admin):
    def create(**settings):
        topic = _new_topic(b"orders", 2, 1, None, 0)
        for name, value in settings.items():
            _set_config(topic, name.replace("_", ".").encode(), value)
        return admin.ask("CreateTopics", [topic], "topics", _topic_error)

    check(create(retention_ms=b"soon") == [INVALID_CONFIG], "a wrong setting is refused")
    check(create(retention_ms=b"60000") == [NO_ERROR] and create() == [TOPIC_EXISTS],
          "a topic is created, once")
    grown = admin.ask("CreatePartitions", [_new_partitions(b"orders", 4, None, 0)], "topics",
                      _topic_error)
    check(grown == [NO_ERROR], "it grows", grown)
    check(admin.configs("orders")[b"retention.ms"] == b"60000", "it is described")
    resource = _resource(TOPIC, b"orders")
    _resource_set(resource, b"cleanup.policy", b"compact,delete")
    altered = admin.ask("AlterConfigs", [resource], "resources", _resource_error)
    configs = admin.configs("orders")
    check(altered == [NO_ERROR] and configs[b"cleanup.policy"] == b"compact,delete" and
          configs[b"retention.ms"] == b"604800000", "its settings are replaced as a whole", configs)


def check_groups(server, admin):
    lines = b"".join(b"key\tvalue %d\n" % i for i in range(40))
    for partition in range(4):
        run("kcat", "-b", server.kafka, "-P", "-t", "orders", "-p", str(partition), "-K", "\t",
            stdin=lines)
    deleted = admin.ask("DeleteRecords", [_delete_records(partitions(("orders", 1, 30)))],
                        "offsets", read_partitions)
    check(deleted == {1: (30, NO_ERROR)}, "records are deleted up to an offset", deleted)
    read = run("kcat", "-b", server.kafka, "-G", "readers", "-c", "130", "-X",
               "auto.offset.reset=earliest", "orders")
    check(len(read.stdout.splitlines()) == 130, "a group reads what is left", read.stderr)
    listed = admin.ask("ListConsumerGroups", [], "valid", _listing_id)
    check(listed == [b"readers"], "it is listed", listed)

    def describe(name):
        array = (_s * 1)(name)
        item = ctypes.cast(array, ctypes.POINTER(_p))[0]
        return admin.ask("DescribeConsumerGroups", [item], "groups",
                         lambda group: (_state_name(_group_state(group)), _group_members(group)))

    described = describe(b"readers")
    check(described == [(b"Empty", 0)], "and described", described)

    def offsets(name, make, *triples):
        return admin.ask(name, [make(b"readers", partitions(*triples))], "groups", group_result)[0]

    asked = [("orders", partition, -1001) for partition in range(4)]
    committed = offsets("ListConsumerGroupOffsets", _list_offsets, *asked)
    check({p: offset for p, (offset, _) in committed.items()} == {p: 40 for p in range(4)},
          "what it has committed is listed", committed)
    moved = offsets("AlterConsumerGroupOffsets", _alter_offsets, ("orders", 0, 5))
    check(moved[0][1] == NO_ERROR, "its offsets are altered", moved)
    gone = offsets("DeleteConsumerGroupOffsets", _delete_offsets, ("orders", 2, -1001))
    check(gone[2][1] == NO_ERROR, "and deleted", gone)
    committed = offsets("ListConsumerGroupOffsets", _list_offsets, *asked)
    check({p: offset for p, (offset, _) in committed.items()} == {0: 5, 1: 40, 2: -1001, 3: 40},
          "which is what is listed then", committed)
    read = run("kcat", "-b", server.kafka, "-G", "readers", "-c", "75", "-X",
               "auto.offset.reset=earliest", "orders")
    check(len(read.stdout.splitlines()) == 75, "and the group goes on from there", read.stderr)
    deleted = [admin.ask("DeleteGroups", [_delete_group(b"readers")], "groups", group_result)
               for _ in range(2)]
    check(deleted == [[NO_ERROR], [GROUP_ID_NOT_FOUND]], "the group is deleted", deleted)


def main():
    with scratch() as folder, Server(folder / "data") as server:
        admin = Admin(server)
        check_topics(admin)
        check_groups(server, admin)
        removed = admin.ask("DeleteTopics", [_delete_topic(b"orders")], "topics", _topic_error)
        check(removed == [NO_ERROR], "the topic is deleted", removed)
        admin.close()
    finish()


main()
