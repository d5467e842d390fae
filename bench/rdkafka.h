// librdkafka as it is found at run time: two versions cannot be linked into one program.
#pragma once

#include <dlfcn.h>

#include <string>

#include <fmt/core.h>
#include <librdkafka/rdkafka.h>

#include "processes.h"

namespace leat::bench {

/// The functions of one librdkafka, named as in its header, without the prefix.
struct Rdkafka {
  explicit Rdkafka(const std::string& path) {
    library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) give_up(::dlerror());
    load(version_str, "rd_kafka_version_str");
    load(conf_new, "rd_kafka_conf_new");
    load(conf_set, "rd_kafka_conf_set");
    load(conf_set_dr_msg_cb, "rd_kafka_conf_set_dr_msg_cb");
    load(create, "rd_kafka_new");
    load(destroy, "rd_kafka_destroy");
    load(topic_new, "rd_kafka_topic_new");
    load(topic_destroy, "rd_kafka_topic_destroy");
    load(produce, "rd_kafka_produce");
    load(produce_batch, "rd_kafka_produce_batch");
    load(poll, "rd_kafka_poll");
    load(flush, "rd_kafka_flush");
    load(err2str, "rd_kafka_err2str");
    load(queue_new, "rd_kafka_queue_new");
    load(queue_destroy, "rd_kafka_queue_destroy");
    load(consume_start_queue, "rd_kafka_consume_start_queue");
    load(consume_stop, "rd_kafka_consume_stop");
    load(consume_batch_queue, "rd_kafka_consume_batch_queue");
    load(message_destroy, "rd_kafka_message_destroy");
  }

  decltype(&rd_kafka_version_str) version_str = nullptr;
  decltype(&rd_kafka_conf_new) conf_new = nullptr;
  decltype(&rd_kafka_conf_set) conf_set = nullptr;
  decltype(&rd_kafka_conf_set_dr_msg_cb) conf_set_dr_msg_cb = nullptr;
  decltype(&rd_kafka_new) create = nullptr;
  decltype(&rd_kafka_destroy) destroy = nullptr;
  decltype(&rd_kafka_topic_new) topic_new = nullptr;
  decltype(&rd_kafka_topic_destroy) topic_destroy = nullptr;
  decltype(&rd_kafka_produce) produce = nullptr;
  decltype(&rd_kafka_produce_batch) produce_batch = nullptr;
  decltype(&rd_kafka_poll) poll = nullptr;
  decltype(&rd_kafka_flush) flush = nullptr;
  decltype(&rd_kafka_err2str) err2str = nullptr;
  decltype(&rd_kafka_queue_new) queue_new = nullptr;
  decltype(&rd_kafka_queue_destroy) queue_destroy = nullptr;
  decltype(&rd_kafka_consume_start_queue) consume_start_queue = nullptr;
  decltype(&rd_kafka_consume_stop) consume_stop = nullptr;
  decltype(&rd_kafka_consume_batch_queue) consume_batch_queue = nullptr;
  decltype(&rd_kafka_message_destroy) message_destroy = nullptr;

 private:
  template <class Function>
  void load(Function& function, const char* name) {
    function = reinterpret_cast<Function>(::dlsym(library, name));
    if (function == nullptr) give_up(fmt::format("librdkafka has no {}", name));
  }

  void* library = nullptr;
};

}  // namespace leat::bench
