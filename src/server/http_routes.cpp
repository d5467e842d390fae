#include "server/http_routes.h"

#include <sys/resource.h>

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "server/config_file.h"

namespace leat::server {
namespace {

namespace json = boost::json;

net::HttpResponse json_answer(int status, const json::object& body) {
  return {status, "application/json", json::serialize(body) + "\n"};
}

double seconds_since(std::chrono::steady_clock::time_point then) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
}

net::HttpResponse answer_ready(const Progress& progress) {
  json::object body;
  double seconds = seconds_since(progress.since);
  switch (progress.phase) {
    case Progress::Phase::recovering:
      body["status"] = "recovering";
      body["seconds"] = seconds;
      body["percent"] = progress.percent.load();
      return json_answer(503, body);
    case Progress::Phase::stopping: body["status"] = "stopping"; return json_answer(503, body);
    case Progress::Phase::ready: break;
  }
  if (auto failure = progress.broker->store().failure()) {
    body["status"] = "failed";
    body["error"] = failure->what;
    return json_answer(503, body);
  }
  body["status"] = "ready";
  body["topics"] = progress.broker->topics()->topics().size();
  return json_answer(200, body);
}

/// A checkpoint of everything acknowledged so far. While the connection lives no file that it names
/// is removed, so that a process on this machine can copy them (log/backup.h).
net::HttpResponse answer_backup(const net::HttpRequest& request, const Progress& progress) {
  if (!request.is_local) return net::error_response(403, "only this machine may ask");
  if (progress.phase != Progress::Phase::ready) return answer_ready(progress);
  log::BackupPoint point = progress.broker->store().begin_backup();
  return {200, "application/octet-stream", std::string(as_text(point.checkpoint)),
          std::move(point.hold)};
}

/// Of the process and its machine.
void register_process_metrics(Metrics& metrics, broker::Broker& broker) {
  metrics.collect("leat_time_seconds", "gauge", "The server's clock, in seconds since 1970.",
                  [&broker](const Metrics::Write& write) {
                    constexpr double ms_per_s = 1000;
                    write({}, static_cast<double>(broker.clock().wall_ms()) / ms_per_s);
                  });
  metrics.collect("process_open_fds", "gauge", "Descriptors that are open.",
                  [&broker](const Metrics::Write& write) {
                    auto open = broker.files().list("/proc/self/fd");
                    if (open) write({}, static_cast<double>(open->size()));
                  });
  metrics.collect("process_max_fds", "gauge", "Descriptors that may be open.",
                  [](const Metrics::Write& write) {
                    rlimit limit{};
                    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                      write({}, static_cast<double>(limit.rlim_cur));
                    }
                  });
}

/// Calls `visit(name, partition, view)` for every partition that clients see.
template <class Visit>
void for_each_partition(broker::Broker& broker, Visit visit) {
  auto topics = broker.topics();
  for (const broker::TopicPtr& topic : topics->topics()) {
    for (const auto& partition : topic->partitions) {
      visit(topic->info.name, std::to_string(partition->id().value()), *partition->view());
    }
  }
}

/// By kafka_exporter's names. Home, where HTTP is.
void register_group_metrics(Metrics& metrics, broker::Broker& broker) {
  using Write = Metrics::Write;
  metrics.collect("kafka_consumergroup_members", "gauge", "Members of a group.",
                  [&broker](const Write& write) {
                    for (const auto& [id, entry] : broker.groups().table()) {
                      write({{"consumergroup", id}}, static_cast<double>(entry.member_count()));
                    }
                  });
  /// Calls `visit(labels, topic, partition, offset)` for all that is committed.
  auto for_each_offset = [&broker](auto visit) {
    for (const auto& [id, entry] : broker.groups().table()) {
      for (const auto& [topic, partitions] : entry.offsets.topics()) {
        for (const auto& [number, committed] : partitions) {
          if (!committed.value) continue;
          Labels labels{
              {"consumergroup", id}, {"topic", topic}, {"partition", std::to_string(number)}};
          visit(labels, topic, number, committed.value->offset);
        }
      }
    }
  };
  metrics.collect(
      "kafka_consumergroup_current_offset", "gauge", "What a group has committed of a partition.",
      [for_each_offset](const Write& write) {
        for_each_offset([&](const Labels& labels, const std::string&, std::int32_t,
                            std::int64_t offset) { write(labels, static_cast<double>(offset)); });
      });
  metrics.collect("kafka_consumergroup_lag", "gauge",
                  "Records of a partition behind what a group has committed.",
                  [&broker, for_each_offset](const Write& write) {
                    auto topics = broker.topics();
                    for_each_offset([&](const Labels& labels, const std::string& topic,
                                        std::int32_t number, std::int64_t offset) {
                      broker::TopicPtr found = topics->find(topic);
                      auto partition = found ? found->partition(PartitionId{number}) : nullptr;
                      if (!partition) return;
                      std::int64_t end = partition->view()->high_watermark.value();
                      write(labels, static_cast<double>(std::max<std::int64_t>(end - offset, 0)));
                    });
                  });
}

}  // namespace

net::HttpResponse answer_http(const net::HttpRequest& request, const Progress& progress,
                              const Metrics& metrics) {
  bool is_read = request.method == "GET" || request.method == "HEAD";
  if (!is_read) return net::error_response(405, "only GET and HEAD are allowed here");
  if (request.path == "/healthz") return json_answer(200, {{"status", "alive"}});
  if (request.path == "/readyz") return answer_ready(progress);
  if (request.path == "/metrics") {
    return {200, "text/plain; version=0.0.4; charset=utf-8", metrics.expose()};
  }
  if (request.path == "/backup") return answer_backup(request, progress);
  return net::error_response(404, "there is nothing at " + request.path);
}

void register_broker_metrics(Metrics& metrics, broker::Broker& broker) {
  register_process_metrics(metrics, broker);
  register_group_metrics(metrics, broker);
  auto start = std::chrono::steady_clock::now();
  metrics.collect("kafka_brokers", "gauge", "Brokers in the cluster.",
                  [](const Metrics::Write& write) { write({}, 1); });
  metrics.collect("kafka_topic_partitions", "gauge", "Partitions of a topic.",
                  [&broker](const Metrics::Write& write) {
                    auto topics = broker.topics();
                    for (const broker::TopicPtr& topic : topics->topics()) {
                      write({{"topic", topic->info.name}}, topic->info.partitions);
                    }
                  });
  metrics.collect("kafka_topic_partition_current_offset", "gauge",
                  "The offset after the last record that can be read.",
                  [&broker](const Metrics::Write& write) {
                    for_each_partition(broker, [&](const auto& topic, auto partition, auto& view) {
                      write({{"topic", topic}, {"partition", partition}},
                            static_cast<double>(view.high_watermark.value()));
                    });
                  });
  metrics.collect("kafka_topic_partition_oldest_offset", "gauge",
                  "The offset of the first record that can be read.",
                  [&broker](const Metrics::Write& write) {
                    for_each_partition(broker, [&](const auto& topic, auto partition, auto& view) {
                      write({{"topic", topic}, {"partition", partition}},
                            static_cast<double>(view.start_offset.value()));
                    });
                  });
  metrics.collect("redpanda_kafka_max_offset", "gauge",
                  "The offset after the last record that can be read.",
                  [&broker](const Metrics::Write& write) {
                    for_each_partition(broker, [&](const auto& topic, auto partition, auto& view) {
                      write({{"redpanda_namespace", "kafka"},
                             {"redpanda_topic", topic},
                             {"redpanda_partition", partition}},
                            static_cast<double>(view.high_watermark.value()));
                    });
                  });
  metrics.collect("redpanda_uptime_seconds_total", "gauge", "Seconds since the server was ready.",
                  [start](const Metrics::Write& write) { write({}, seconds_since(start)); });
  metrics.collect("redpanda_storage_disk_free_bytes", "gauge",
                  "Bytes that may still be written where the data directory is.",
                  [&broker](const Metrics::Write& write) {
                    auto free = broker.files().free_bytes(broker.options().store.directory);
                    if (free) write({}, static_cast<double>(*free));
                  });
  metrics.collect("leat_durability_mode", "gauge",
                  "1 for the mode that says when an append counts as durable.",
                  [&broker](const Metrics::Write& write) {
                    write({{"mode", std::string(name(broker.options().store.durability))}}, 1);
                  });
}

}  // namespace leat::server
