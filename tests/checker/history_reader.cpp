#include "checker/history_reader.h"

#include <map>
#include <optional>
#include <tuple>
#include <variant>
#include <utility>

#include <fmt/core.h>
#include <simdjson.h>

#include "broker/group_records.h"
#include "tools/base64.h"

namespace leat::checker {

namespace dom = simdjson::dom;

namespace {

std::string text_of(const dom::element& line, const char* field) {
  return std::string(line[field].get_string().value());
}

std::int64_t number_of(const dom::element& line, const char* field) {
  return line[field].get_int64().value();
}

bool flag_of(const dom::element& line, const char* field) {
  bool value = false;
  return line[field].get(value) == simdjson::SUCCESS && value;
}

bool has(const dom::element& line, const char* field) {
  return line[field].error() == simdjson::SUCCESS;
}

Partition partition_of(const dom::element& line) {
  return {text_of(line, "topic"), static_cast<std::int32_t>(number_of(line, "partition"))};
}

std::pair<Partition, std::int64_t> offset_of(const dom::element& triple) {
  return {{std::string(triple.at(0).get_string().value()),
           static_cast<std::int32_t>(triple.at(1).get_int64().value())},
          triple.at(2).get_int64().value()};
}

Offsets offsets_of(const dom::element& line, const char* field) {
  Offsets offsets;
  for (dom::element triple : line[field].get_array()) offsets.insert(offset_of(triple));
  return offsets;
}

std::optional<std::int32_t> generation_of(const dom::element& line) {
  if (!has(line, "generation")) return std::nullopt;
  return static_cast<std::int32_t>(number_of(line, "generation"));
}

/// A key or a value of a record: its text, or what stands in base64 instead.
Bytes bytes_of(const dom::element& line, const std::string& name) {
  Bytes bytes;
  std::string_view text;
  if (line[name].get(text) == simdjson::SUCCESS) {
    BytesView view = as_bytes(text);
    bytes.assign(view.begin(), view.end());
  } else if (line[name + "_base64"].get(text) == simdjson::SUCCESS) {
    tools::append_from_base64(bytes, text);
  }
  return bytes;
}

/// Only clients' topics and the offsets of groups are of interest.
bool is_known(const Partition& partition) {
  bool is_internal = partition.topic.starts_with("__") || partition.topic.starts_with("(");
  return !is_internal || partition == group_partition;
}

}  // namespace

struct HistoryReader::State {
  enum class Kind { send, end, commit, committed, end_offset };
  dom::parser parser;
  History history;
  std::string client;
  /// Operations that have begun, by client and number: what kind, and where it is among those.
  std::map<std::pair<std::string, std::int64_t>, std::pair<Kind, std::size_t>> begun;
  std::map<std::tuple<std::string, std::int64_t, Partition>, std::size_t> sessions;

  void read(const dom::element& line);
  void read_mark(const dom::element& line);
  void begin(const dom::element& line);
  void end(const dom::element& line);
  void assign(const dom::element& line);
  void poll(const dom::element& line);
  void revoke(const dom::element& line);
  Session& session_of(const dom::element& line);
  void read_batch(const dom::element& line);
  void read_record(const dom::element& line);
  void read_group_record(const dom::element& line, LoggedBatch& batch);

  template <class T>
  T& add(std::vector<T>& all, Kind kind, const dom::element& line) {
    begun[{client, number_of(line, "op")}] = {kind, all.size()};
    T& operation = all.emplace_back();
    operation.client = client;
    operation.invoked = number_of(line, "t");
    return operation;
  }
  template <class T>
  T& finish(std::vector<T>& all, std::size_t index, const dom::element& line) {
    T& operation = all[index];
    std::string outcome = text_of(line, "outcome");
    operation.returned = number_of(line, "t");
    operation.outcome = outcome == "ok"     ? Outcome::ok
                        : outcome == "fail" ? Outcome::fail
                                            : Outcome::unknown;
    return operation;
  }
};

void HistoryReader::State::read(const dom::element& line) {
  if (has(line, "client")) {
    client = text_of(line, "client");
  } else if (has(line, "mark")) {
    read_mark(line);
  } else if (has(line, "base_offset")) {
    read_batch(line);
  } else if (has(line, "outcome")) {
    end(line);
  } else if (has(line, "call")) {
    begin(line);
  } else {
    read_record(line);
  }
}

void HistoryReader::State::read_mark(const dom::element& line) {
  if (text_of(line, "mark") == "stop") history.stood_still.insert(text_of(line, "of"));
  if (text_of(line, "mark") != "kill") return;
  if (text_of(line, "of") == "server") {
    history.kills.push_back(number_of(line, "t"));
  } else {
    ++history.client_kills;
  }
}

void HistoryReader::State::begin(const dom::element& line) {
  std::string call = text_of(line, "call");
  if (call == "send") {
    Send& send = add(history.sends, Kind::send, line);
    send.to = partition_of(line);
    send.uid = text_of(line, "uid");
    if (has(line, "txn")) send.transaction = number_of(line, "txn");
    if (has(line, "source")) send.source = offset_of(line["source"].value());
  } else if (call == "commit" || call == "abort") {
    End& ending = add(history.ends, Kind::end, line);
    ending.transaction = number_of(line, "txn");
    ending.is_commit = call == "commit";
  } else if (call == "offsets") {
    Commit& commit = add(history.commits, Kind::commit, line);
    commit.group = text_of(line, "group");
    commit.uid = text_of(line, "uid");
    if (has(line, "txn")) commit.transaction = number_of(line, "txn");
    commit.offsets = offsets_of(line, "offsets");
  } else if (call == "committed") {
    add(history.committed_queries, Kind::committed, line).group = text_of(line, "group");
  } else if (call == "end") {
    EndQuery& query = add(history.end_queries, Kind::end_offset, line);
    query.partition = partition_of(line);
    query.is_stable = flag_of(line, "stable");
  } else if (call == "assign") {
    assign(line);
  } else if (call == "revoke") {
    revoke(line);
  } else {
    poll(line);
  }
}

void HistoryReader::State::end(const dom::element& line) {
  auto [kind, index] = begun.at({client, number_of(line, "op")});
  switch (kind) {
    case Kind::send: {
      Send& send = finish(history.sends, index, line);
      if (has(line, "offset")) send.offset = number_of(line, "offset");
      break;
    }
    case Kind::end: finish(history.ends, index, line); break;
    case Kind::commit: finish(history.commits, index, line); break;
    case Kind::committed: {
      CommittedQuery& query = finish(history.committed_queries, index, line);
      if (query.outcome == Outcome::ok) query.offsets = offsets_of(line, "offsets");
      break;
    }
    case Kind::end_offset: {
      EndQuery& query = finish(history.end_queries, index, line);
      if (query.outcome == Outcome::ok) query.offset = number_of(line, "offset");
      break;
    }
  }
}

void HistoryReader::State::assign(const dom::element& line) {
  for (const auto& [partition, from] : offsets_of(line, "from")) {
    sessions[{client, number_of(line, "session"), partition}] = history.sessions.size();
    Session& session = history.sessions.emplace_back();
    session.client = client;
    session.partition = partition;
    session.assigned = number_of(line, "t");
    session.is_committed = flag_of(line, "committed");
    session.is_final = flag_of(line, "final");
    if (has(line, "group")) session.group = text_of(line, "group");
    session.generation = generation_of(line);
    if (from >= 0) session.from = from;
  }
}

Session& HistoryReader::State::session_of(const dom::element& line) {
  return history.sessions[sessions.at({client, number_of(line, "session"), partition_of(line)})];
}

void HistoryReader::State::revoke(const dom::element& line) {
  Session& session = session_of(line);
  session.revoked = number_of(line, "t");
  session.is_lost = flag_of(line, "lost");
}

void HistoryReader::State::poll(const dom::element& line) {
  Poll& poll = session_of(line).polls.emplace_back();
  poll.generation = generation_of(line);
  poll.invoked = number_of(line, "t");
  poll.returned = number_of(line, "until");
  for (dom::element record : line["records"].get_array()) {
    poll.records.push_back(
        {record.at(0).get_int64().value(), std::string(record.at(1).get_string().value())});
  }
  if (has(line, "end")) poll.end = number_of(line, "end");
}

void HistoryReader::State::read_batch(const dom::element& line) {
  if (!is_known(partition_of(line))) return;
  LoggedBatch& batch = history.log[partition_of(line)].emplace_back();
  batch.base = number_of(line, "base_offset");
  batch.next = number_of(line, "next_offset");
  batch.producer = number_of(line, "producer_id");
  batch.epoch = static_cast<std::int16_t>(number_of(line, "producer_epoch"));
  batch.is_transactional = flag_of(line, "transactional");
  if (!has(line, "marker")) return;
  batch.marker = text_of(line, "marker") == "commit" ? LoggedBatch::Marker::commit
                                                     : LoggedBatch::Marker::abort;
}

void HistoryReader::State::read_record(const dom::element& line) {
  if (!is_known(partition_of(line))) return;
  LoggedBatch& batch = history.log.at(partition_of(line)).back();
  if (partition_of(line) == group_partition) return read_group_record(line, batch);
  Bytes value = bytes_of(line, "value");
  std::string_view text = as_text(value);
  batch.records.push_back({number_of(line, "offset"), std::string(text.substr(0, text.find(' ')))});
}

void HistoryReader::State::read_group_record(const dom::element& line, LoggedBatch& batch) {
  auto key = broker::decode_group_key(bytes_of(line, "key"));
  const auto* of = key ? std::get_if<broker::OffsetKey>(&*key) : nullptr;
  if (of == nullptr) return;
  LoggedBatch::GroupOffset commit{
      number_of(line, "offset"), of->group, {of->topic, of->partition}, {}, -1};
  if (auto value = broker::decode_offset_record(bytes_of(line, "value"))) {
    // confluent-kafka sends the NUL behind it as well.
    commit.uid = value->metadata.substr(0, value->metadata.find('\0'));
    commit.value = value->offset;
  }
  batch.group_offsets.push_back(std::move(commit));
}

HistoryReader::HistoryReader() : state_(std::make_unique<State>()) {}
HistoryReader::~HistoryReader() = default;

History& HistoryReader::history() {
  return state_->history;
}

Result<void> HistoryReader::read_line(std::string_view line) {
  try {
    state_->read(state_->parser.parse(line.data(), line.size()));
    return {};
  } catch (const std::exception& error) {
    return fail(Errc::bad_record, fmt::format("{}: {}", error.what(), line.substr(0, 200)));
  }
}

Result<void> HistoryReader::read(std::string_view text, const std::string& name) {
  std::size_t number = 1;
  for (std::size_t end; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1)) {
    if (auto read = read_line(text.substr(0, end)); !read) {
      return fail(read.error().code, fmt::format("{}:{}: {}", name, number, read.error().what));
    }
    ++number;
  }
  return {};
}

}  // namespace leat::checker
