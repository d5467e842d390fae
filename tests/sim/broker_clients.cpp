// What the clients of a simulated broker ask, and what they make of the answers.
#include <algorithm>
#include <utility>

#include "record/builder.h"
#include "sim/broker_simulation.h"

namespace leat::sim {
namespace {

using wire::ErrorCode;

constexpr std::size_t unanswered_max = 12;
constexpr wire::Version first_fetch_by_id = 13;

Bytes build_batch(Random& random, std::uint64_t attempt,
                  const std::vector<std::int64_t>& timestamps_ms) {
  record::BatchBuilder builder;
  for (std::size_t i = 0; i < timestamps_ms.size(); ++i) {
    std::string value = History::text_of(attempt, i);
    std::int64_t length = random.between(0, random.one_in(8) ? 6000 : 100);
    value.append(static_cast<std::size_t>(length), static_cast<char>('a' + random.below(26)));
    builder.append(timestamps_ms[i], std::nullopt, as_bytes(value));
  }
  record::BatchOptions options;
  if (random.one_in(5)) options.compression = record::Compression::lz4;
  return builder.build(options);
}

}  // namespace

// Connections.

BrokerSimulation::Client& BrokerSimulation::draw_client() {
  return *clients_[random_.below(clients_.size())];
}

void BrokerSimulation::connect(Client& client) {
  SimConnection::Peer peer;
  peer.answered = [this, &client](const Bytes& frame) { answered(client, frame); };
  peer.closed_by_server = [this, &client](const std::string& reason) {
    trace("client {} is cut off: {}", client.number, reason);
    if (reason != "a produce with acks 0 failed") object("a connection was closed: " + reason);
    leave(client);
  };
  peer.object = [this](const std::string& what) { object(what); };
  const auto& shards = shards_.executors();
  Executor& shard = *shards[static_cast<std::size_t>(client.number) % shards.size()];
  client.connection = std::make_shared<SimConnection>(*node_, shard, std::move(peer));
}

void BrokerSimulation::leave(Client& client) {
  if (!client.connection) return;
  std::exchange(client.connection, nullptr)->close();
  auto waiting = std::exchange(client.waiting, {});
  client.last_sent.clear();
  client.session = {};
  for (auto& [id, take] : waiting) take(nullptr);
}

void BrokerSimulation::answered(Client& client, const Bytes& frame) {
  if (!alive()) return;
  auto header = wire::parse_response(frame);
  if (!header) return object("an answer has no header");
  if (client.waiting.empty() || client.waiting.begin()->first != header->correlation_id) {
    return object(fmt::format("client {} got answer {} out of its order", client.number,
                              header->correlation_id));
  }
  auto take = std::move(client.waiting.begin()->second);
  client.waiting.erase(client.waiting.begin());
  take(&frame);
}

std::optional<TopicPartition> BrokerSimulation::draw_partition() {
  std::vector<TopicPartition> all;
  for (const auto& [id, topic] : history_.topics()) {
    if (!history_.is_usable(id)) continue;
    for (std::int32_t i = 0; i < topic.partitions_listed; ++i) all.push_back({id, PartitionId{i}});
  }
  if (all.empty()) return std::nullopt;
  return all[random_.below(all.size())];
}

bool BrokerSimulation::is_excused(ErrorCode code, bool is_certain) {
  if (code == ErrorCode::unknown_topic_or_partition || code == ErrorCode::unknown_topic_id) {
    return !is_certain;
  }
  return code == ErrorCode::kafka_storage_error &&
         (disk_limited_ || sync_failed_ || writes_failed_);
}

// Records.

BrokerSimulation::Known BrokerSimulation::known(const TopicPartition& id, std::int64_t offset) {
  const PartitionHistory& partition = history_.partition(id);
  return {offset, partition.high_watermark, partition.start};
}

BrokerSimulation::Known BrokerSimulation::known(const Client& client, const TopicPartition& id,
                                                std::int64_t offset) {
  Known known = this->known(id, offset);
  auto sent = client.last_sent.find(id);
  if (sent != client.last_sent.end()) known.sent_before = sent->second;
  return known;
}

void BrokerSimulation::produce() {
  Client& client = draw_client();
  if (client.connection && client.connection->unanswered() > unanswered_max) return;
  struct Part {
    std::uint64_t attempt;
    std::optional<std::uint64_t> before;
  };
  std::vector<Part> parts;
  std::vector<Bytes> batches;
  std::set<TopicPartition> chosen;
  wire::ProduceRequest request;
  request.acks = static_cast<std::int16_t>(random_.between(-1, 1));
  // Never late: what a late answer leaves open is no business of this history.
  request.timeout_ms = 24 * 3600 * 1000;
  std::int64_t count = random_.one_in(3) ? random_.between(1, 3) : 1;
  for (std::int64_t i = 0; i < count; ++i) {
    auto to = draw_partition();
    if (!to || !chosen.insert(*to).second) continue;
    std::vector<std::int64_t> timestamps_ms;
    std::int64_t records = random_.one_in(3) ? random_.between(2, 9) : 1;
    for (std::int64_t r = 0; r < records; ++r) {
      timestamps_ms.push_back(executor_.wall_ms() - random_.between(0, 3000));
    }
    Part part{history_.send(*to, timestamps_ms), std::nullopt};
    auto last = client.last_sent.find(*to);
    if (last != client.last_sent.end()) part.before = last->second;
    client.last_sent[*to] = part.attempt;
    batches.push_back(build_batch(random_, part.attempt, timestamps_ms));
    parts.push_back(part);
    auto& topic = request.topic_data.emplace_back();
    topic.name = name_of(to->topic_id);
    topic.partition_data.emplace_back().index = to->partition.value();
    trace("client {}: batch {} to {}-{}, acks {}", client.number, part.attempt, topic.name,
          to->partition.value(), request.acks);
  }
  if (parts.empty()) return;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    request.topic_data[i].partition_data[0].records = wire::Records(batches[i]);
  }
  auto version = draw_version<wire::ProduceRequest>();
  auto lost = [this, parts] {
    for (const Part& part : parts) history_.unknown(part.attempt);
  };
  if (request.acks == 0) {
    lost();
    return ask<wire::ProduceRequest>(client, request, version, nullptr);
  }
  auto use = [this, parts](wire::ProduceResponse& response) {
    if (response.responses.size() != parts.size()) return object("not an answer to this produce");
    for (std::size_t i = 0; i < parts.size(); ++i) {
      produced(response.responses[i].partition_responses.at(0), parts[i].attempt, parts[i].before);
    }
  };
  ask<wire::ProduceRequest>(client, request, version, use, lost);
}

void BrokerSimulation::produced(const wire::ProduceResponse::Partition& answer,
                                std::uint64_t attempt, std::optional<std::uint64_t> before) {
  const TopicPartition to = history_.attempt(attempt).to;
  if (answer.error_code != ErrorCode::none) {
    trace("batch {} is refused: {}", attempt, wire::name(answer.error_code));
    if (!is_excused(answer.error_code, to)) {
      object(fmt::format("batch {} is refused: {}", attempt, wire::name(answer.error_code)));
    }
    return history_.refused(attempt, sync_failed_ || writes_failed_);
  }
  if (!history_.is_usable(to.topic_id)) return history_.unknown(attempt);
  trace("batch {} is at {}", attempt, answer.base_offset);
  object(history_.acknowledged(attempt, answer.base_offset));
  if (!before || history_.attempt(*before).outcome != Attempt::Outcome::acknowledged) return;
  if (history_.attempt(*before).to != to) return;
  if (*history_.attempt(*before).base > answer.base_offset) {
    object(fmt::format("batch {} is before batch {}, which was sent first", attempt, *before));
  }
}

void BrokerSimulation::fetch() {
  Client& client = draw_client();
  if (client.connection && client.connection->unanswered() > unanswered_max) return;
  auto version = draw_version<wire::FetchRequest>();
  wire::FetchRequest request;
  request.max_wait_ms = random_.one_in(2) ? 0 : static_cast<std::int32_t>(random_.between(1, 500));
  request.min_bytes = static_cast<std::int32_t>(random_.one_in(3) ? random_.below(5000) : 1);
  request.max_bytes = static_cast<std::int32_t>(1U << random_.between(0, 20));
  struct Part {
    TopicPartition from;
    Known before;
  };
  std::vector<Part> parts;
  std::int64_t count = random_.one_in(3) ? random_.between(2, 4) : 1;
  for (std::int64_t i = 0; i < count; ++i) {
    auto from = draw_partition();
    if (!from) return;
    const PartitionHistory& partition = history_.partition(*from);
    std::int64_t offset = client.positions[*from];
    if (offset < partition.start || offset > partition.high_watermark || random_.one_in(4)) {
      offset =
          random_.between(partition.start, std::max(partition.start, partition.high_watermark));
    }
    parts.push_back({*from, known(client, *from, offset)});
    auto& topic = request.topics.emplace_back();
    topic.topic = name_of(from->topic_id);
    topic.topic_id = from->topic_id;
    auto& asked = topic.partitions.emplace_back();
    asked.partition = from->partition.value();
    asked.fetch_offset = offset;
    asked.partition_max_bytes = static_cast<std::int32_t>(1U << random_.between(0, 16));
    if (random_.one_in(2)) asked.current_leader_epoch = partition.leader_epoch;
  }
  auto use = [this, &client, parts, version](wire::FetchResponse& response) {
    std::size_t i = 0;
    for (auto& topic : response.responses) {
      for (auto& answer : topic.partitions) {
        bool is_by_id = version >= first_fetch_by_id;
        bool is_asked = i < parts.size() &&
                        parts[i].from.partition.value() == answer.partition_index &&
                        (is_by_id ? topic.topic_id == parts[i].from.topic_id
                                  : topic.topic == name_of(parts[i].from.topic_id));
        if (!is_asked) return object("a fetch is answered with what it did not ask for");
        if (version < 5) answer.log_start_offset = -1;
        fetched(client, parts[i].from, parts[i].before, parts.size() == 1, answer);
        ++i;
      }
    }
    if (i != parts.size() || response.error_code != ErrorCode::none) {
      object("not an answer to this fetch");
    }
  };
  ask<wire::FetchRequest>(client, request, version, use);
}

void BrokerSimulation::fetched(Client& client, const TopicPartition& from, const Known& before,
                               bool is_alone, const wire::FetchResponse::Partition& answer) {
  if (!alive() || !history_.is_usable(from.topic_id)) return;
  auto in = [&](const std::string& what) {
    object(fmt::format("fetch of {}-{} from {}: {}", name_of(from.topic_id), from.partition.value(),
                       before.offset, what));
  };
  bool is_fenced = answer.error_code == ErrorCode::fenced_leader_epoch;
  if (is_fenced && life_ > 1) return;  // what it knew was of an earlier life
  if (answer.error_code != ErrorCode::none && is_excused(answer.error_code, from)) return;
  bool is_outside =
      answer.error_code == ErrorCode::offset_out_of_range &&
      (before.offset < answer.log_start_offset || answer.log_start_offset < 0 ||
       before.offset > answer.high_watermark || history_.may_start_at(from, before.offset + 1));
  if (answer.error_code != ErrorCode::none && !is_outside) {
    return in(std::string(wire::name(answer.error_code)));
  }
  std::int64_t floor = before.high_watermark;
  // A client sees the effects of what it sent first.
  if (before.sent_before) floor = std::max(floor, history_.end_of(*before.sent_before));
  object(history_.told_high_watermark(from, answer.high_watermark, floor));
  if (answer.log_start_offset >= 0) {
    object(history_.told_start(from, answer.log_start_offset, before.start));
  }
  if (is_outside) return;
  std::int64_t next = before.offset;
  BytesView rest = answer.records.bytes();
  if (rest.empty() && is_alone && before.offset < answer.high_watermark) in("gives nothing");
  while (!rest.empty() && alive()) {
    auto batch = record::BatchView::parse(rest);
    if (!batch) return in(batch.error().what);
    if (batch->base_offset().value() > next || batch->next_offset().value() <= next) {
      return in(fmt::format("gives [{}, {}) where {} belongs", batch->base_offset().value(),
                            batch->next_offset().value(), next));
    }
    object(history_.read(from, *batch));
    next = batch->next_offset().value();
    rest = rest.subspan(batch->size_bytes());
  }
  if (next > answer.high_watermark && next > before.offset) in("reads above the high watermark");
  client.positions[from] = next;
}

/// Whoever still has the id of a topic that is gone must be told so.
void BrokerSimulation::fetch_deleted() {
  for (const auto& [id, topic] : history_.topics()) {
    if (!topic.is_deleted) continue;
    wire::FetchRequest request;
    auto& asked = request.topics.emplace_back();
    asked.topic_id = id;
    asked.partitions.emplace_back().partition_max_bytes = 1000;
    auto use = [this](wire::FetchResponse& response) {
      auto code = response.responses.at(0).partitions.at(0).error_code;
      if (code != ErrorCode::unknown_topic_id) object("a deleted topic answers a fetch");
    };
    return ask<wire::FetchRequest>(draw_client(), request, first_fetch_by_id, use);
  }
}

void BrokerSimulation::list_offsets() {
  auto of = draw_partition();
  if (!of) return;
  std::int64_t asked_ms = executor_.wall_ms() - random_.between(-10, 5000);
  if (random_.one_in(3)) asked_ms = wire::latest_timestamp;
  if (random_.one_in(3)) asked_ms = wire::earliest_timestamp;
  wire::ListOffsetsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = name_of(of->topic_id);
  auto& asked = topic.partitions.emplace_back();
  asked.partition_index = of->partition.value();
  asked.timestamp = asked_ms;
  auto use = [this, of = *of, asked_ms, before = known(*of)](wire::ListOffsetsResponse& response) {
    const auto& answer = response.topics.at(0).partitions.at(0);
    if (!history_.is_usable(of.topic_id)) return;
    if (answer.error_code != ErrorCode::none) {
      if (is_excused(answer.error_code, of)) return;
      return object(fmt::format("ListOffsets: {}", wire::name(answer.error_code)));
    }
    if (asked_ms == wire::latest_timestamp) {
      object(history_.told_high_watermark(of, answer.offset, before.high_watermark));
    } else if (asked_ms == wire::earliest_timestamp) {
      object(history_.told_start(of, answer.offset, before.start));
    } else {
      object(history_.found_time(of, asked_ms, answer.offset, answer.timestamp,
                                 before.high_watermark));
    }
  };
  ask<wire::ListOffsetsRequest>(draw_client(), request, draw_version<wire::ListOffsetsRequest>(),
                                use);
}

void BrokerSimulation::delete_records() {
  auto of = draw_partition();
  if (!of) return;
  PartitionHistory& partition = history_.partition(*of);
  if (partition.high_watermark < partition.start) return;
  std::int64_t offset = random_.between(partition.start, partition.high_watermark);
  partition.start_asked = std::max(partition.start_asked, offset);
  crasher_.now(Doing::deleting_records);
  wire::DeleteRecordsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = name_of(of->topic_id);
  auto& asked = topic.partitions.emplace_back();
  asked.partition_index = of->partition.value();
  asked.offset = offset;
  trace("delete records of {}-{} below {}", topic.name, of->partition.value(), offset);
  ++changes_[topic.name];
  auto use = [this, of = *of, offset](wire::DeleteRecordsResponse& response) {
    --changes_[name_of(of.topic_id)];
    const auto& answer = response.topics.at(0).partitions.at(0);
    if (!history_.is_usable(of.topic_id) || is_excused(answer.error_code, of)) return;
    bool is_behind = answer.error_code == ErrorCode::offset_out_of_range &&
                     history_.may_start_at(of, offset + 1);
    if (is_behind) return;
    if (answer.error_code != ErrorCode::none) {
      return object(fmt::format("DeleteRecords: {}", wire::name(answer.error_code)));
    }
    object(history_.told_start(of, answer.low_watermark, offset));
  };
  ask<wire::DeleteRecordsRequest>(draw_client(), request,
                                  draw_version<wire::DeleteRecordsRequest>(), use);
}

}  // namespace leat::sim
