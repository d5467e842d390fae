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

_group_new = declare("rd_kafka_consumer_group_metadata_new", _p, _s)
_group_destroy = declare("rd_kafka_consumer_group_metadata_destroy", None, _p)
list_new = declare("rd_kafka_topic_partition_list_new", _p, _i)
list_add = declare("rd_kafka_topic_partition_list_add", _p, _p, _s, ctypes.c_int32)
list_set = declare("rd_kafka_topic_partition_list_set_offset", _i, _p, _s, ctypes.c_int32, _l)
_list_destroy = declare("rd_kafka_topic_partition_list_destroy", None, _p)
_send_offsets = declare("rd_kafka_send_offsets_to_transaction", _p, _p, _p, _p, _i)

_Delivery = ctypes.CFUNCTYPE(None, _p, _p, _p)
_set_delivery = declare("rd_kafka_conf_set_dr_msg_cb", None, _p, _Delivery)

COPY = 2  # RD_KAFKA_MSG_F_COPY


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


class Producer:
    """A producer; `settings` are librdkafka's own."""

    def __init__(self, settings):
        conf = conf_new()
        text = ctypes.create_string_buffer(512)
        for name, value in settings.items():
            if conf_set(conf, name.encode(), str(value).encode(), text, len(text)) != 0:
                raise Failed(-1, text.value.decode())
        self.failed = 0
        self.delivered = 0
        # Kept, since librdkafka calls it for as long as it lives.
        self._delivery = _Delivery(self._on_delivery)
        _set_delivery(conf, self._delivery)
        self._handle = new(0, conf, text, len(text))
        if not self._handle:
            raise Failed(-1, text.value.decode())
        self._topics = {}

    def _on_delivery(self, _handle, message, _opaque):
        # rd_kafka_message_t begins with the error.
        error = ctypes.cast(message, ctypes.POINTER(ctypes.c_int)).contents.value
        if error == NO_ERROR:
            self.delivered += 1
        else:
            self.failed += 1

    def produce(self, topic, partition, value, key=None):
        if topic not in self._topics:
            self._topics[topic] = _topic_new(self._handle, topic.encode(), None)
        while _produce(self._topics[topic], partition, COPY, value, len(value), key,
                       len(key or b""), None) != 0:
            error = _last_error()
            if error != -184:  # queue full
                raise Failed(error, _err2str(error).decode())
            _poll(self._handle, 100)
        _poll(self._handle, 0)

    def flush(self, seconds=60):
        if _flush(self._handle, int(seconds * 1000)) != NO_ERROR:
            raise Failed(-1, "not all was delivered")

    def init(self, seconds=60):
        _check(_init(self._handle, int(seconds * 1000)))

    def begin(self):
        _check(_begin(self._handle))

    def send_offset(self, group, topic, partition, offset, seconds=60):
        """Commits it for the group, in the transaction that is open."""
        offsets = list_new(1)
        list_add(offsets, topic.encode(), partition)
        list_set(offsets, topic.encode(), partition, offset)
        metadata = _group_new(group.encode())
        error = _send_offsets(self._handle, offsets, metadata, int(seconds * 1000))
        _group_destroy(metadata)
        _list_destroy(offsets)
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
