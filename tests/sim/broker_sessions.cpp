// Fetch sessions (KIP-227) of a simulated broker's clients: one names its partitions once, and must
// miss nothing of what it would be told if it asked for all of them each time.
#include <algorithm>
#include <utility>

#include "sim/broker_simulation.h"

namespace leat::sim {
namespace {

using wire::ErrorCode;

constexpr std::size_t unanswered_max = 12;
constexpr wire::Version first_with_sessions = 7;
constexpr wire::Version first_by_id = 13;
constexpr std::size_t session_partitions_max = 5;

void add_partition(wire::FetchRequest& request, const std::string& name, const TopicPartition& id,
                   std::int64_t offset, std::int32_t bytes_max) {
  auto& topic = request.topics.emplace_back();
  topic.topic = name;
  topic.topic_id = id.topic_id;
  auto& asked = topic.partitions.emplace_back();
  asked.partition = id.partition.value();
  asked.fetch_offset = offset;
  asked.partition_max_bytes = bytes_max;
}

}  // namespace

void BrokerSimulation::fetch_in_session() {
  Client& client = draw_client();
  if (client.session.is_asking) return;
  if (client.connection && client.connection->unanswered() > unanswered_max) return;
  wire::FetchRequest request = draw_session_request(client);
  bool begins = client.session.epoch == 0;
  if (begins && request.topics.empty()) return;
  ask_in_session(client, request);
}

wire::FetchRequest BrokerSimulation::draw_session_request(Client& client) {
  wire::FetchRequest request;
  request.max_wait_ms = random_.one_in(2) ? 0 : static_cast<std::int32_t>(random_.between(1, 500));
  request.min_bytes = 1;
  request.max_bytes = static_cast<std::int32_t>(1U << random_.between(0, 20));
  ClientSession& session = client.session;
  bool has_deleted = std::ranges::any_of(session.partitions, [&](const auto& partition) {
    return !history_.is_usable(partition.first.topic_id);
  });
  // A name that is another topic's by now would be asked for twice.
  if (session.epoch == 0 || random_.one_in(10) || (has_deleted && session.version < first_by_id)) {
    request.session_id = session.id;
    begin_session(session, request);
  } else {
    request.session_id = session.id;
    request.session_epoch = session.epoch;
    go_on_in_session(client, request);
  }
  return request;
}

void BrokerSimulation::begin_session(ClientSession& session, wire::FetchRequest& request) {
  session = {};
  session.version = static_cast<wire::Version>(
      random_.between(first_with_sessions, wire::FetchRequest::valid.last));
  request.session_epoch = 0;
  std::int64_t count = random_.between(1, session_partitions_max);
  for (std::int64_t i = 0; i < count; ++i) {
    auto id = draw_partition();
    if (!id || session.partitions.contains(*id)) continue;
    const PartitionHistory& partition = history_.partition(*id);
    std::int64_t offset =
        random_.between(partition.start, std::max(partition.start, partition.high_watermark));
    session.partitions[*id].offset = offset;
    add_partition(request, name_of(id->topic_id), *id, offset, 1 << random_.between(0, 16));
  }
}

/// Names only what has changed, as clients do.
void BrokerSimulation::go_on_in_session(Client& client, wire::FetchRequest& request) {
  ClientSession& session = client.session;
  for (auto& [id, told] : session.partitions) {
    auto position = client.positions.find(id);
    if (position == client.positions.end() || position->second == told.offset) continue;
    told.offset = position->second;
    add_partition(request, name_of(id.topic_id), id, told.offset, 1 << random_.between(0, 16));
  }
  auto more = random_.one_in(4) ? draw_partition() : std::nullopt;
  if (more && !session.partitions.contains(*more)) {
    std::int64_t offset = history_.partition(*more).start;
    session.partitions[*more].offset = offset;
    add_partition(request, name_of(more->topic_id), *more, offset, 1 << random_.between(0, 16));
  }
  for (auto at = session.partitions.begin(); at != session.partitions.end();) {
    bool goes = !history_.is_usable(at->first.topic_id) || random_.one_in(12);
    bool is_named = std::ranges::any_of(request.topics, [&](const auto& topic) {
      return topic.topic_id == at->first.topic_id &&
             topic.partitions.front().partition == at->first.partition.value();
    });
    if (!goes || is_named || session.partitions.size() == 1) {
      ++at;
      continue;
    }
    auto& topic = request.forgotten_topics_data.emplace_back();
    topic.topic = name_of(at->first.topic_id);
    topic.topic_id = at->first.topic_id;
    topic.partitions = {at->first.partition.value()};
    at = session.partitions.erase(at);
  }
}

void BrokerSimulation::ask_in_session(Client& client, const wire::FetchRequest& request) {
  ClientSession& session = client.session;
  session.is_asking = true;
  std::map<TopicPartition, Known> before;
  for (const auto& [id, told] : session.partitions) before[id] = known(client, id, told.offset);
  // A request that is not the next one must be refused, and change nothing.
  bool is_wrong = session.epoch > 0 && random_.one_in(10);
  if (is_wrong) {
    wire::FetchRequest wrong;
    wrong.session_id = session.id;
    wrong.session_epoch = session.epoch + 1;
    auto refused = [this](wire::FetchResponse& response) {
      if (response.error_code == ErrorCode::invalid_fetch_session_epoch) return;
      object("a fetch of another epoch than its session's is answered");
    };
    ask<wire::FetchRequest>(client, wrong, session.version, refused);
  }
  bool is_first = request.session_epoch == 0;
  auto use = [this, &client, before = std::move(before), is_first](wire::FetchResponse& response) {
    client.session.is_asking = false;
    fetched_in_session(client, before, is_first, response);
  };
  ask<wire::FetchRequest>(client, request, session.version, use);
}

void BrokerSimulation::fetched_in_session(Client& client,
                                          const std::map<TopicPartition, Known>& before,
                                          bool is_first, wire::FetchResponse& response) {
  ClientSession& session = client.session;
  if (response.error_code != ErrorCode::none || response.session_id == 0) {
    return object(fmt::format("no session: {}", wire::name(response.error_code)));
  }
  if (!is_first && response.session_id != session.id) return object("another session answers");
  session.id = response.session_id;
  ++session.epoch;
  std::set<TopicPartition> answered;
  bool has_records = false;
  for (auto& topic : response.responses) {
    for (auto& answer : topic.partitions) {
      auto asked = std::ranges::find_if(session.partitions, [&](const auto& entry) {
        bool is_topic = session.version >= first_by_id
                            ? entry.first.topic_id == topic.topic_id
                            : name_of(entry.first.topic_id) == topic.topic;
        return is_topic && entry.first.partition.value() == answer.partition_index;
      });
      if (asked == session.partitions.end()) return object("a session answers what it has not");
      if (!answered.insert(asked->first).second) return object("a session answers twice");
      bool is_good = answer.error_code == ErrorCode::none;
      asked->second.high_watermark = is_good ? answer.high_watermark : -1;
      asked->second.start = is_good ? answer.log_start_offset : -1;
      has_records = has_records || !answer.records.bytes().empty();
      fetched(client, asked->first, before.at(asked->first), false, answer);
    }
  }
  if (is_first && answered.size() != before.size()) return object("a session begins with less");
  check_silence(session, before, answered, has_records);
}

/// What the session says nothing of must be as it was when it said so last.
void BrokerSimulation::check_silence(const ClientSession& session,
                                     const std::map<TopicPartition, Known>& before,
                                     const std::set<TopicPartition>& answered, bool has_records) {
  for (const auto& [id, told] : session.partitions) {
    if (!history_.is_usable(id.topic_id)) continue;
    const Known& known = before.at(id);
    auto in = [&, &of = id](const std::string& what) {
      object(fmt::format("session: {}-{} {}", name_of(of.topic_id), of.partition.value(), what));
    };
    if (!answered.contains(id)) {
      if (told.high_watermark < 0) in("was never answered");
      if (told.high_watermark < known.high_watermark) {
        in(fmt::format("is said to end at {}, not {}", told.high_watermark, known.high_watermark));
      }
      if (told.start < known.start) {
        in(fmt::format("is said to start at {}, not {}", told.start, known.start));
      }
    }
    // Others may have taken all the bytes that were allowed.
    bool has_more = told.high_watermark >= 0 && known.offset >= told.start &&
                    known.offset < told.high_watermark;
    if (!has_records && has_more && !history_.may_start_at(id, known.offset + 1)) {
      in(fmt::format("gives nothing from {} on, and ends at {}", known.offset,
                     told.high_watermark));
    }
  }
}

/// All there is, by what one session says of each partition that has something new.
void BrokerSimulation::verify_in_session(const std::vector<TopicPartition>& all) {
  if (all.empty() || !alive()) return;
  Client& client = *clients_.front();
  std::map<TopicPartition, std::int64_t> starts;
  std::map<TopicPartition, std::set<std::int64_t>> bases;
  client.session = {};
  client.session.version = wire::FetchRequest::valid.last;
  for (const TopicPartition& id : all) {
    starts[id] = history_.partition(id).start;
    client.positions[id] = -1;
    client.session.partitions[id].offset = starts[id];
  }
  int quiet = 0;
  for (int round = 0; round < 5000 && quiet < 2 && alive(); ++round) {
    wire::FetchRequest request;
    request.session_id = client.session.id;
    request.session_epoch = client.session.epoch;
    request.max_bytes = 1 << 18;
    std::map<TopicPartition, Known> before;
    for (auto& [id, told] : client.session.partitions) {
      std::int64_t position = client.positions[id];
      if (round > 0 && position >= 0) told.offset = position;
      before[id] = known(id, told.offset);
      if (round == 0 || position >= 0) {
        add_partition(request, name_of(id.topic_id), id, told.offset, 1 << 16);
      }
      client.positions[id] = -1;
    }
    bool is_answered = false;
    auto use = [&](wire::FetchResponse& response) {
      is_answered = true;
      bool has_news = false;
      for (auto& topic : response.responses) {
        for (auto& answer : topic.partitions) {
          TopicPartition id{topic.topic_id, PartitionId{answer.partition_index}};
          if (answer.error_code == ErrorCode::offset_out_of_range) {
            // Its start moved, perhaps after this fetch had looked for it.
            client.positions[id] = starts[id] = std::max(starts[id], answer.log_start_offset);
            has_news = true;
          }
          BytesView rest = answer.records.bytes();
          while (!rest.empty()) {
            auto batch = record::BatchView::parse(rest);
            if (!batch) return object(batch.error().what);
            bases[id].insert(batch->base_offset().value());
            rest = rest.subspan(batch->size_bytes());
            has_news = true;
          }
        }
      }
      quiet = has_news ? 0 : quiet + 1;
      auto restarts = client.positions;
      fetched_in_session(client, before, round == 0, response);
      for (const auto& [id, position] : restarts) {
        if (position >= 0) client.positions[id] = std::max(client.positions[id], position);
      }
    };
    ask<wire::FetchRequest>(client, request, client.session.version, use);
    executor_.run_for(std::chrono::seconds(1));
    if (!is_answered) object("the last reads are not answered");
  }
  for (const TopicPartition& id : all) {
    if (alive()) object(history_.check_complete(id, starts[id], bases[id]));
  }
}

}  // namespace leat::sim
