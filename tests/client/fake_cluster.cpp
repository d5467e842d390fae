#include "fake_cluster.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

#include <fmt/core.h>

#include "base/assert.h"
#include "record/batch.h"
#include "record/record.h"
#include "wire/api_versions.h"
#include "wire/init_producer_id.h"

namespace leat::client {

using wire::ApiKey;
using wire::ErrorCode;

struct FakeCluster::Broker {
  int id = 0;
  int listener = -1;
  std::uint16_t port = 0;
  std::thread thread;
};

namespace {

bool read_all(int socket, std::byte* into, std::size_t size) {
  while (size > 0) {
    ssize_t got = recv(socket, into, size, 0);
    if (got <= 0) return false;
    into += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool send_all(int socket, BytesView bytes) {
  return send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

/// Sends the answer as the fault says; false when the connection is to end.
bool send_with_fault(int socket, BytesView bytes, Fault::Kind kind) {
  if (kind == Fault::Kind::cut_answer) send_all(socket, bytes.first(bytes.size() / 2));
  if (kind == Fault::Kind::cut_answer || kind == Fault::Kind::drop_answer) return false;
  if (kind == Fault::Kind::never) return true;
  if (kind != Fault::Kind::trickle) return send_all(socket, bytes);
  constexpr std::size_t bytewise = 4096;
  while (!bytes.empty()) {
    std::size_t part = std::min<std::size_t>(bytes.size(), bytes.size() > bytewise ? 997 : 1);
    if (!send_all(socket, bytes.first(part))) return false;
    bytes = bytes.subspan(part);
  }
  return true;
}

}  // namespace

FakeCluster::FakeCluster(int brokers) {
  for (int id = 1; id <= brokers; ++id) {
    auto broker = std::make_unique<Broker>();
    broker->id = id;
    broker->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    ASSERT(bind(broker->listener, raw, size) == 0);
    ASSERT(listen(broker->listener, 16) == 0);
    ASSERT(getsockname(broker->listener, raw, &size) == 0);
    broker->port = ntohs(address.sin_port);
    brokers_.push_back(std::move(broker));
  }
  for (auto& broker : brokers_) {
    broker->thread = std::thread([this, &broker = *broker] {
      int accepted = -1;
      while ((accepted = accept(broker.listener, nullptr, nullptr)) >= 0) {
        std::lock_guard lock(mutex_);
        if (stopping_) break;
        ++connections_;
        sockets_.push_back(accepted);
        threads_.emplace_back([this, &broker, accepted] { serve(broker, accepted); });
      }
    });
  }
}

FakeCluster::~FakeCluster() {
  stopping_ = true;
  for (auto& broker : brokers_) {
    shutdown(broker->listener, SHUT_RDWR);
    broker->thread.join();
    close(broker->listener);
  }
  for (int socket : sockets_) shutdown(socket, SHUT_RDWR);
  for (auto& thread : threads_) thread.join();
  for (int socket : sockets_) close(socket);
}

void FakeCluster::add_topic(const std::string& name, int partitions) {
  std::lock_guard lock(mutex_);
  topics_[name].resize(static_cast<std::size_t>(partitions));
}

void FakeCluster::set_leader(const std::string& topic, std::int32_t partition, int broker) {
  std::lock_guard lock(mutex_);
  topics_[topic][static_cast<std::size_t>(partition)].leader = broker;
}

void FakeCluster::set_faults(FaultOf faults) {
  std::lock_guard lock(mutex_);
  faults_ = std::move(faults);
}

void FakeCluster::limit(ApiKey key, wire::Versions versions) {
  std::lock_guard lock(mutex_);
  limits_[key] = versions;
}

std::uint16_t FakeCluster::port(int broker) const {
  return brokers_[static_cast<std::size_t>(broker - 1)]->port;
}

int FakeCluster::requests(ApiKey key) const {
  std::lock_guard lock(mutex_);
  auto found = requests_.find(key);
  return found == requests_.end() ? 0 : found->second;
}

std::vector<std::string> FakeCluster::values(const std::string& topic, std::int32_t partition) {
  std::lock_guard lock(mutex_);
  std::vector<std::string> values;
  for (const Bytes& bytes : topics_[topic][static_cast<std::size_t>(partition)].batches) {
    auto batch = record::BatchView::parse(bytes);
    ASSERT(batch && batch->crc_matches());
    record::RecordIterator records(*batch);
    while (const record::Record* record = records.next())
      values.emplace_back(as_text(*record->value));
  }
  return values;
}

void FakeCluster::append(const std::string& topic, std::int32_t partition, Bytes batch) {
  std::lock_guard lock(mutex_);
  append_locked(topics_[topic][static_cast<std::size_t>(partition)], std::move(batch));
}

void FakeCluster::set_start_offset(const std::string& topic, std::int32_t partition,
                                   std::int64_t offset) {
  std::lock_guard lock(mutex_);
  topics_[topic][static_cast<std::size_t>(partition)].start_offset = offset;
}

void FakeCluster::cut(const std::string& topic, std::int32_t partition, std::int64_t offset,
                      int broker) {
  std::lock_guard lock(mutex_);
  Partition& kept = topics_[topic][static_cast<std::size_t>(partition)];
  std::erase_if(kept.batches, [&](const Bytes& batch) {
    return record::BatchView::parse(batch)->next_offset().value() > offset;
  });
  std::erase_if(kept.epochs, [&](const auto& epoch) { return epoch.second >= offset; });
  kept.epochs[kept.epochs.rbegin()->first + 1] = kept.end_offset = offset;
  kept.leader = broker;
}

void FakeCluster::append_locked(Partition& partition, Bytes batch) {
  auto view = record::BatchView::parse(batch);
  ASSERT(view && view->size_bytes() == batch.size());
  std::int64_t next = partition.end_offset + view->last_offset_delta() + 1;
  record::set_base_offset(batch, Offset{partition.end_offset});
  record::set_leader_epoch(batch, LeaderEpoch{partition.epochs.rbegin()->first});
  partition.batches.push_back(std::move(batch));
  partition.end_offset = next;
}

ErrorCode FakeCluster::append_once(Partition& partition, Bytes batch, std::int64_t& base_offset) {
  base_offset = partition.end_offset;
  auto head = log::parse_head(batch, batch.size());
  ASSERT(head);
  if (head->has_producer()) {
    head->next_offset = Offset{base_offset} + (head->next_offset - head->base_offset);
    head->base_offset = Offset{base_offset};
    auto known = partition.producers.check(*head, std::nullopt);
    if (!known) return ErrorCode::out_of_order_sequence_number;
    if (*known) {
      base_offset = (*known)->base_offset.value();
      return ErrorCode::none;
    }
    partition.producers.append(*head, std::nullopt, 0);
    partition.producers.commit(head->next_offset);
  }
  append_locked(partition, std::move(batch));
  return ErrorCode::none;
}

void FakeCluster::serve(Broker& broker, int socket) {
  std::byte prefix[wire::frame_size_bytes];
  bool is_silent = false;
  while (read_all(socket, prefix, sizeof prefix)) {
    Bytes bytes(load_big_endian<std::uint32_t>(prefix));
    if (!read_all(socket, bytes.data(), bytes.size())) break;
    auto frame = wire::parse_request(bytes);
    ASSERT(frame);
    Fault fault;
    FaultOf faults;
    {
      std::lock_guard lock(mutex_);
      ++requests_[frame->header.key];
      faults = faults_;
    }
    if (faults && frame->header.key != ApiKey::api_versions)
      fault = faults(frame->header.key, broker.id);
    if (fault.kind == Fault::Kind::drop_request) break;
    // Answers come in order: none is behind one that never comes.
    is_silent |= fault.kind == Fault::Kind::never;
    if (is_silent) fault.kind = Fault::Kind::never;
    auto encoded = answer(broker, *frame, fault);
    ASSERT(encoded);
    if (!send_with_fault(socket, encoded->bytes, fault.kind)) break;
  }
  shutdown(socket, SHUT_RDWR);
}

Result<wire::Encoded> FakeCluster::answer(Broker& broker, const wire::RequestFrame& frame,
                                          Fault fault) {
  wire::Version version = frame.header.version;
  std::int32_t id = frame.header.correlation_id;
  switch (frame.header.key) {
    case ApiKey::api_versions: {
      std::map<ApiKey, wire::Versions> spoken{{ApiKey::produce, {0, 11}},
                                              {ApiKey::fetch, {4, 16}},
                                              {ApiKey::list_offsets, {1, 10}},
                                              {ApiKey::metadata, {0, 13}},
                                              {ApiKey::init_producer_id, {0, 5}},
                                              {ApiKey::api_versions, {0, 4}},
                                              {ApiKey::offset_for_leader_epoch, {0, 4}}};
      wire::ApiVersionsResponse response;
      std::lock_guard lock(mutex_);
      for (const auto& [key, versions] : limits_) spoken[key] = versions;
      for (const auto& [key, versions] : spoken)
        response.api_keys.push_back({key, versions.first, versions.last});
      bool known = spoken[ApiKey::api_versions].contains(version);
      if (!known) response.error_code = ErrorCode::unsupported_version;
      return wire::encode_response(response, known ? version : wire::Version{0}, id);
    }
    case ApiKey::metadata:
      return wire::encode_response(metadata(*wire::decode_request<wire::MetadataRequest>(frame)),
                                   version, id);
    case ApiKey::produce:
      return wire::encode_response(
          produce(broker.id, *wire::decode_request<wire::ProduceRequest>(frame), fault), version,
          id);
    case ApiKey::init_producer_id: {
      wire::InitProducerIdResponse response;
      std::lock_guard lock(mutex_);
      response.error_code = fault.error;
      response.producer_id = ++last_producer_id_;
      response.producer_epoch = 0;
      return wire::encode_response(response, version, id);
    }
    case ApiKey::fetch:
      return wire::encode_response(
          fetch(broker.id, *wire::decode_request<wire::FetchRequest>(frame), fault), version, id);
    case ApiKey::list_offsets:
      return wire::encode_response(
          list_offsets(broker.id, *wire::decode_request<wire::ListOffsetsRequest>(frame), fault),
          version, id);
    case ApiKey::offset_for_leader_epoch:
      return wire::encode_response(
          epoch_ends(broker.id, *wire::decode_request<wire::OffsetForLeaderEpochRequest>(frame),
                     fault),
          version, id);
    default: return fail(Errc::unsupported, "not faked");
  }
}

wire::MetadataResponse FakeCluster::metadata(const wire::MetadataRequest& request) {
  std::lock_guard lock(mutex_);
  wire::MetadataResponse response;
  response.controller_id = 1;
  for (const auto& broker : brokers_)
    response.brokers.push_back({broker->id, "127.0.0.1", broker->port, std::nullopt});
  std::vector<std::string> names;
  if (request.topics)
    for (const auto& topic : *request.topics) names.push_back(topic.name.value_or(""));
  else
    for (const auto& [name, partitions] : topics_) names.push_back(name);
  for (const std::string& name : names) {
    auto& topic = response.topics.emplace_back();
    topic.name = name;
    auto found = topics_.find(name);
    if (found == topics_.end()) {
      topic.error_code = ErrorCode::unknown_topic_or_partition;
      continue;
    }
    std::int32_t index = 0;
    for (const Partition& partition : found->second) {
      auto& described = topic.partitions.emplace_back();
      described.partition_index = index++;
      described.leader_id = partition.leader;
      described.leader_epoch = partition.epochs.rbegin()->first;
    }
  }
  return response;
}

ErrorCode FakeCluster::find(const std::string& topic, std::int32_t partition, int broker,
                            Fault fault, Partition*& found) {
  if (fault.error != ErrorCode::none) return fault.error;
  auto named = topics_.find(topic);
  if (named == topics_.end() || partition >= std::ssize(named->second))
    return ErrorCode::unknown_topic_or_partition;
  found = &named->second[static_cast<std::size_t>(partition)];
  return found->leader == broker ? ErrorCode::none : ErrorCode::not_leader_or_follower;
}

wire::ProduceResponse FakeCluster::produce(int broker, const wire::ProduceRequest& request,
                                           Fault fault) {
  std::lock_guard lock(mutex_);
  wire::ProduceResponse response;
  for (const auto& topic : request.topic_data) {
    auto& answered = response.responses.emplace_back();
    answered.name = topic.name;
    for (const auto& data : topic.partition_data) {
      auto& part = answered.partition_responses.emplace_back();
      part.index = data.index;
      Partition* partition = nullptr;
      part.error_code = find(topic.name, data.index, broker, fault, partition);
      if (part.error_code != ErrorCode::none) continue;
      BytesView bytes = data.records.bytes();
      part.error_code =
          append_once(*partition, Bytes(bytes.begin(), bytes.end()), part.base_offset);
    }
  }
  return response;
}

wire::FetchResponse FakeCluster::fetch(int broker, const wire::FetchRequest& request, Fault fault) {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(request.max_wait_ms);
  while (true) {
    bool empty = true;
    wire::FetchResponse response = fetch_now(broker, request, fault, empty);
    if (!empty || stopping_ || std::chrono::steady_clock::now() > deadline) return response;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

wire::FetchResponse FakeCluster::fetch_now(int broker, const wire::FetchRequest& request,
                                           Fault fault, bool& empty) {
  std::lock_guard lock(mutex_);
  wire::FetchResponse response;
  for (const auto& topic : request.topics) {
    auto& answered = response.responses.emplace_back();
    answered.topic = topic.topic;
    for (const auto& asked : topic.partitions) {
      auto& part = answered.partitions.emplace_back();
      part.partition_index = asked.partition;
      Partition* partition = nullptr;
      part.error_code = find(topic.topic, asked.partition, broker, fault, partition);
      if (part.error_code == ErrorCode::none && (asked.fetch_offset < partition->start_offset ||
                                                 asked.fetch_offset > partition->end_offset))
        part.error_code = ErrorCode::offset_out_of_range;
      if (partition) part.log_start_offset = partition->start_offset;
      empty = empty && part.error_code == ErrorCode::none;
      if (part.error_code != ErrorCode::none) continue;
      part.high_watermark = partition->end_offset;
      auto records = std::make_shared<Bytes>();
      for (const Bytes& batch : partition->batches) {
        auto view = record::BatchView::parse(batch);
        if (view->next_offset().value() <= asked.fetch_offset) continue;
        if (!records->empty() &&
            records->size() + batch.size() > static_cast<std::size_t>(asked.partition_max_bytes))
          break;
        records->insert(records->end(), batch.begin(), batch.end());
      }
      empty = empty && records->empty();
      part.records = wire::Records(*records);
      kept_.push_back(std::move(records));
    }
  }
  return response;
}

wire::ListOffsetsResponse FakeCluster::list_offsets(int broker,
                                                    const wire::ListOffsetsRequest& request,
                                                    Fault fault) {
  std::lock_guard lock(mutex_);
  wire::ListOffsetsResponse response;
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const auto& asked : topic.partitions) {
      auto& part = answered.partitions.emplace_back();
      part.partition_index = asked.partition_index;
      Partition* partition = nullptr;
      part.error_code = find(topic.name, asked.partition_index, broker, fault, partition);
      if (part.error_code != ErrorCode::none) continue;
      if (asked.timestamp == wire::earliest_timestamp) part.offset = partition->start_offset;
      if (asked.timestamp == wire::latest_timestamp) part.offset = partition->end_offset;
    }
  }
  return response;
}

wire::OffsetForLeaderEpochResponse FakeCluster::epoch_ends(
    int broker, const wire::OffsetForLeaderEpochRequest& request, Fault fault) {
  std::lock_guard lock(mutex_);
  wire::OffsetForLeaderEpochResponse response;
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.topic = topic.topic;
    for (const auto& asked : topic.partitions) {
      auto& part = answered.partitions.emplace_back();
      part.partition = asked.partition;
      Partition* partition = nullptr;
      part.error_code = find(topic.topic, asked.partition, broker, fault, partition);
      if (part.error_code != ErrorCode::none) continue;
      auto next = partition->epochs.upper_bound(asked.leader_epoch);
      part.end_offset = next == partition->epochs.end() ? partition->end_offset : next->second;
      part.leader_epoch = std::prev(next)->first;
    }
  }
  return response;
}

std::size_t FakeCluster::bytes(const std::string& topic, std::int32_t partition) const {
  std::lock_guard lock(mutex_);
  std::size_t bytes = 0;
  for (const Bytes& batch : topics_.at(topic).at(static_cast<std::size_t>(partition)).batches) {
    bytes += batch.size();
  }
  return bytes;
}

ClientOptions quick_options(const FakeCluster& cluster) {
  ClientOptions options;
  options.brokers = fmt::format("127.0.0.1:{}", cluster.port(1));
  options.retry_backoff = std::chrono::milliseconds(1);
  options.retry_backoff_max = std::chrono::milliseconds(10);
  return options;
}

}  // namespace leat::client
