"""As much of librdkafka's C interface as the scripts need, through ctypes."""

import ctypes
import ctypes.util

NO_ERROR = 0
PURGE = 3  # queue and in flight

_library = ctypes.CDLL(ctypes.util.find_library("rdkafka") or "librdkafka.so.1")


def declare(name, result, *arguments):
    function = getattr(_library, name)
    function.restype = result
    function.argtypes = arguments
    return function


_p, _s, _i, _z, _l = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t,
                      ctypes.c_int64)
conf_new = declare("rd_kafka_conf_new", _p)
conf_set = declare("rd_kafka_conf_set", _i, _p, _s, _s, _s, _z)
new = declare("rd_kafka_new", _p, _i, _p, _s, _z)
destroy = declare("rd_kafka_destroy", None, _p)
_topic_new = declare("rd_kafka_topic_new", _p, _p, _s, _p)
_topic_destroy = declare("rd_kafka_topic_destroy", None, _p)
_produce = declare("rd_kafka_produce", _i, _p, ctypes.c_int32, _i, _s, _z, _s, _z, _p)
_poll = declare("rd_kafka_poll", _i, _p, _i)
_flush = declare("rd_kafka_flush", _i, _p, _i)
_purge = declare("rd_kafka_purge", _i, _p, _i)
_last_error = declare("rd_kafka_last_error", _i)
_err2str = declare("rd_kafka_err2str", _s, _i)
_error_code = declare("rd_kafka_error_code", _i, _p)
_error_string = declare("rd_kafka_error_string", _s, _p)
_error_is_retriable = declare("rd_kafka_error_is_retriable", _i, _p)
_error_requires_abort = declare("rd_kafka_error_txn_requires_abort", _i, _p)
_error_destroy = declare("rd_kafka_error_destroy", None, _p)
_init = declare("rd_kafka_init_transactions", _p, _p, _i)
_begin = declare("rd_kafka_begin_transaction", _p, _p)
_commit = declare("rd_kafka_commit_transaction", _p, _p, _i)
_abort = declare("rd_kafka_abort_transaction", _p, _p, _i)

_poll_set_consumer = declare("rd_kafka_poll_set_consumer", _i, _p)
_subscribe = declare("rd_kafka_subscribe", _i, _p, _p)
_assign = declare("rd_kafka_assign", _i, _p, _p)
_seek = declare("rd_kafka_seek_partitions", _p, _p, _p, _i)
_consumer_poll = declare("rd_kafka_consumer_poll", _p, _p, _i)
_consumer_close = declare("rd_kafka_consumer_close", _i, _p)
_commit_offsets = declare("rd_kafka_commit", _i, _p, _p, _i)
_committed = declare("rd_kafka_committed", _i, _p, _p, _i)
_watermarks = declare("rd_kafka_query_watermark_offsets", _i, _p, _s, ctypes.c_int32,
                       ctypes.POINTER(_l), ctypes.POINTER(_l), _i)
_message_destroy = declare("rd_kafka_message_destroy", None, _p)
_message_status = declare("rd_kafka_message_status", _i, _p)
_topic_name = declare("rd_kafka_topic_name", _s, _p)

_group_of = declare("rd_kafka_consumer_group_metadata", _p, _p)
_group_new = declare("rd_kafka_consumer_group_metadata_new", _p, _s)
_group_destroy = declare("rd_kafka_consumer_group_metadata_destroy", None, _p)
list_new = declare("rd_kafka_topic_partition_list_new", _p, _i)
list_add = declare("rd_kafka_topic_partition_list_add", _p, _p, _s, ctypes.c_int32)
list_set = declare("rd_kafka_topic_partition_list_set_offset", _i, _p, _s, ctypes.c_int32, _l)
_list_destroy = declare("rd_kafka_topic_partition_list_destroy", None, _p)
_send_offsets = declare("rd_kafka_send_offsets_to_transaction", _p, _p, _p, _p, _i)

_Delivery = ctypes.CFUNCTYPE(None, _p, _p, _p)
_set_delivery = declare("rd_kafka_conf_set_dr_msg_cb", None, _p, _Delivery)
_Rebalance = ctypes.CFUNCTYPE(None, _p, _i, _p, _p)
_set_rebalance = declare("rd_kafka_conf_set_rebalance_cb", None, _p, _Rebalance)
_strdup = ctypes.CDLL(None).strdup
_strdup.restype = _p
_strdup.argtypes = (_s,)


class _Message(ctypes.Structure):
    """rd_kafka_message_t."""
    _fields_ = [("err", _i), ("topic", _p), ("partition", ctypes.c_int32), ("payload", _p),
                ("len", _z), ("key", _p), ("key_len", _z), ("offset", _l), ("opaque", _p)]


class TopicPartition(ctypes.Structure):
    """rd_kafka_topic_partition_t."""
    _fields_ = [("topic", _s), ("partition", ctypes.c_int32), ("offset", _l), ("metadata", _p),
                ("metadata_size", _z), ("opaque", _p), ("err", _i), ("private", _p)]


class PartitionList(ctypes.Structure):
    """rd_kafka_topic_partition_list_t."""
    _fields_ = [("count", _i), ("size", _i), ("elements", ctypes.POINTER(TopicPartition))]

COPY = 2  # RD_KAFKA_MSG_F_COPY
END_OF_PARTITION = -191
ASSIGN_PARTITIONS = -175
NOT_PERSISTED = 0


class Failed(Exception):
    """An error that librdkafka gave, with its code."""

    def __init__(self, code, text, requires_abort=False, is_retriable=False):
        super().__init__(text)
        self.code = code
        self.requires_abort = requires_abort
        self.is_retriable = is_retriable


def _check(error):
    if not error:
        return
    failed = Failed(_error_code(error), _error_string(error).decode(),
                    bool(_error_requires_abort(error)), bool(_error_is_retriable(error)))
    _error_destroy(error)
    raise failed


def _make_conf(settings):
    conf = conf_new()
    text = ctypes.create_string_buffer(512)
    for name, value in settings.items():
        if conf_set(conf, name.encode(), str(value).encode(), text, len(text)) != 0:
            raise Failed(-1, text.value.decode())
    return conf


def _make_handle(kind, conf):
    text = ctypes.create_string_buffer(512)
    handle = new(kind, conf, text, len(text))
    if not handle:
        raise Failed(-1, text.value.decode())
    return handle


def _make_list(offsets, metadata=None):
    """Of {(topic, partition): offset}, each with the same metadata."""
    made = list_new(len(offsets))
    for (topic, partition), offset in offsets.items():
        element = ctypes.cast(list_add(made, topic.encode(), partition),
                              ctypes.POINTER(TopicPartition)).contents
        element.offset = offset
        if metadata is not None:
            element.metadata = _strdup(metadata.encode())
            element.metadata_size = len(metadata)
    return made


def _elements(made):
    of = ctypes.cast(made, ctypes.POINTER(PartitionList)).contents
    return of.elements[:of.count]


def _check_code(error):
    if error != NO_ERROR:
        raise Failed(error, _err2str(error).decode())


class Producer:
    """A producer; `settings` are librdkafka's own. `on_delivery` is called with a record's number,
    the error, its offset or -1, and whether it may be in the log all the same."""

    def __init__(self, settings, on_delivery=None):
        conf = _make_conf(settings)
        self.failed = 0
        self.delivered = 0
        self.on_delivery = on_delivery
        # Kept, since librdkafka calls it for as long as it lives.
        self._delivery = _Delivery(self._on_delivery)
        _set_delivery(conf, self._delivery)
        self._handle = _make_handle(0, conf)
        self._topics = {}

    def _on_delivery(self, _handle, message, _opaque):
        of = ctypes.cast(message, ctypes.POINTER(_Message)).contents
        if of.err == NO_ERROR:
            self.delivered += 1
        else:
            self.failed += 1
        if self.on_delivery:
            self.on_delivery(of.opaque or 0, of.err, of.offset,
                             _message_status(message) != NOT_PERSISTED)

    def produce(self, topic, partition, value, key=None, number=0):
        if topic not in self._topics:
            self._topics[topic] = _topic_new(self._handle, topic.encode(), None)
        while _produce(self._topics[topic], partition, COPY, value, len(value), key,
                       len(key or b""), number) != 0:
            error = _last_error()
            if error != -184:  # queue full
                raise Failed(error, _err2str(error).decode())
            _poll(self._handle, 100)
        _poll(self._handle, 0)

    def poll(self, seconds):
        _poll(self._handle, int(seconds * 1000))

    def flush(self, seconds=60):
        if _flush(self._handle, int(seconds * 1000)) != NO_ERROR:
            raise Failed(-1, "not all was delivered")

    def init(self, seconds=60):
        _check(_init(self._handle, int(seconds * 1000)))

    def begin(self):
        _check(_begin(self._handle))

    def send_offset(self, group, topic, partition, offset, seconds=60):
        """Commits it for the group, in the transaction that is open."""
        self.send_offsets(group, {(topic, partition): offset}, seconds=seconds)

    def send_offsets(self, group, offsets, metadata=None, seconds=60):
        """The same of several. The group is named, or is that of a Consumer, as its member."""
        made = _make_list(offsets, metadata)
        of = group.group() if isinstance(group, Consumer) else _group_new(group.encode())
        error = _send_offsets(self._handle, made, of, int(seconds * 1000))
        _group_destroy(of)
        _list_destroy(made)
        _check(error)

    def commit(self, seconds=60):
        _check(_commit(self._handle, int(seconds * 1000)))

    def abort(self, seconds=60):
        _check(_abort(self._handle, int(seconds * 1000)))

    def close(self):
        """As a process that dies, but for its memory: nothing that is queued is sent."""
        _purge(self._handle, PURGE)
        for topic in self._topics.values():
            _topic_destroy(topic)
        destroy(self._handle)


class Record:
    """What a consumer gets: a record, or, without a value, the end of a partition."""

    def __init__(self, topic, partition, offset, value):
        self.place = (topic, partition)
        self.offset = offset
        self.value = value


class Consumer:
    """A consumer. When it is a member of a group, `on_assign` and `on_revoke` are called with the
    partitions, in poll()."""

    def __init__(self, settings, on_assign=None, on_revoke=None):
        conf = _make_conf(settings)
        self.on_assign = on_assign
        self.on_revoke = on_revoke
        self._rebalance = _Rebalance(self._on_rebalance)
        _set_rebalance(conf, self._rebalance)
        self._handle = _make_handle(1, conf)
        _poll_set_consumer(self._handle)
        self._names = {}

    def _on_rebalance(self, handle, code, partitions, _opaque):
        places = [(of.topic.decode(), of.partition) for of in _elements(partitions)]
        if code == ASSIGN_PARTITIONS:
            if self.on_assign:
                self.on_assign(places)
            _assign(handle, partitions)
        else:
            if self.on_revoke:
                self.on_revoke(places)
            _assign(handle, None)

    def subscribe(self, topics):
        made = _make_list({(topic, -1): 0 for topic in topics})
        error = _subscribe(self._handle, made)
        _list_destroy(made)
        _check_code(error)

    def assign(self, offsets):
        """Reads from these offsets of {(topic, partition): offset} on, as no member of a group."""
        made = _make_list(offsets)
        error = _assign(self._handle, made)
        _list_destroy(made)
        _check_code(error)

    def seek(self, offsets, seconds=30):
        made = _make_list(offsets)
        try:
            _check(_seek(self._handle, made, int(seconds * 1000)))
            for of in _elements(made):
                _check_code(of.err)
        finally:
            _list_destroy(made)

    def poll(self, seconds):
        """A Record, or None. Errors that librdkafka gets over are passed over."""
        message = _consumer_poll(self._handle, int(seconds * 1000))
        if not message:
            return None
        of = ctypes.cast(message, ctypes.POINTER(_Message)).contents
        try:
            if of.err not in (NO_ERROR, END_OF_PARTITION):
                return None
            if of.topic not in self._names:
                self._names[of.topic] = _topic_name(of.topic).decode()
            value = ctypes.string_at(of.payload, of.len) if of.err == NO_ERROR else None
            return Record(self._names[of.topic], of.partition, of.offset, value)
        finally:
            _message_destroy(message)

    def commit(self, offsets, metadata=None):
        made = _make_list(offsets, metadata)
        error = _commit_offsets(self._handle, made, 0)
        codes = [of.err for of in _elements(made)]
        _list_destroy(made)
        _check_code(error)
        for code in codes:
            _check_code(code)

    def committed(self, places, seconds=30):
        """What the group has committed, {(topic, partition): offset}, -1 for nothing."""
        made = _make_list({place: -1 for place in places})
        try:
            _check_code(_committed(self._handle, made, int(seconds * 1000)))
            for of in _elements(made):
                _check_code(of.err)
            return {(of.topic.decode(), of.partition): max(of.offset, -1)
                    for of in _elements(made)}
        finally:
            _list_destroy(made)

    def end(self, topic, partition, seconds=30):
        """The high watermark, or the last stable offset for a reader of what is committed."""
        low, high = _l(), _l()
        _check_code(_watermarks(self._handle, topic.encode(), partition, ctypes.byref(low),
                                ctypes.byref(high), int(seconds * 1000)))
        return high.value

    def group(self):
        """Its membership, for send_offsets()."""
        return _group_of(self._handle)

    def close(self):
        _consumer_close(self._handle)
        destroy(self._handle)
