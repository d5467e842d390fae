#include "checker/history_maker.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "checker/log_index.h"

namespace leat::checker {
namespace {

const std::vector<Partition>& data_partitions() {
  static const std::vector<Partition> all{
      {"in", 0}, {"in", 1}, {"out", 0}, {"out", 1}, {"side", 0}};
  return all;
}

}  // namespace

HistoryMaker::Seen HistoryMaker::look(const Partition& partition, bool is_committed,
                                      std::int64_t from) const {
  LogIndex log(history_);
  Seen seen;
  seen.high_watermark = log.end(partition);
  seen.stable = seen.high_watermark;
  auto records = log.records().find(partition);
  if (records == log.records().end()) return seen;
  for (const LoggedRecord& record : records->second) {
    if (record.fate == Fate::open) seen.stable = std::min(seen.stable, record.offset);
    if (record.offset < from) continue;
    if (is_committed && (record.offset >= seen.stable || record.fate != Fate::committed)) continue;
    seen.records.push_back({record.offset, std::string(record.uid)});
  }
  return seen;
}

std::int64_t HistoryMaker::committed(const std::string& group, const Partition& partition) const {
  LogIndex log(history_);
  std::int64_t value = -1;
  auto commits = log.commits().find({group, partition});
  if (commits == log.commits().end()) return value;
  for (const LoggedCommit& commit : commits->second) {
    if (commit.fate == Fate::committed) value = commit.value;
  }
  return value;
}

LoggedBatch& HistoryMaker::append(const Partition& partition, std::int64_t producer,
                                  bool is_transactional) {
  std::vector<LoggedBatch>& batches = history_.log[partition];
  std::int64_t base = batches.empty() ? 0 : batches.back().next;
  LoggedBatch& batch = batches.emplace_back();
  batch.base = base;
  batch.next = base + 1;
  batch.producer = producer;
  batch.is_transactional = is_transactional;
  return batch;
}

void HistoryMaker::finish(Operation& operation, bool is_known) {
  if (!is_known) return;
  operation.returned = tick();
  operation.outcome = Outcome::ok;
}

std::int64_t HistoryMaker::send(Send sent, std::int64_t producer, bool is_transactional) {
  sent.uid = fmt::format("{}:{}", sent.client, ++sends_);
  sent.invoked = tick();
  LoggedBatch& batch = append(sent.to, producer, is_transactional);
  batch.records.push_back({batch.base, sent.uid});
  bool is_known = !random_.one_in(12);
  finish(sent, is_known);
  if (is_known) sent.offset = batch.base;
  history_.sends.push_back(std::move(sent));
  return batch.base;
}

void HistoryMaker::produce() {
  auto number = static_cast<std::int32_t>(random_.below(2));
  for (std::uint64_t i = random_.below(4) + 1; i > 0; --i) {
    Send sent;
    sent.client = fmt::format("once-{}", number);
    sent.to = {"in", number};
    send(sent, 100 + number, false);
  }
  if (!random_.one_in(5)) return;
  // One that failed, and one of which nobody knows that it did.
  for (Outcome outcome : {Outcome::fail, Outcome::unknown}) {
    Send sent;
    sent.client = "unlucky";
    sent.to = {"in", number};
    sent.uid = fmt::format("unlucky:{}", ++sends_);
    sent.invoked = tick();
    sent.returned = outcome == Outcome::fail ? tick() : never;
    sent.outcome = outcome;
    history_.sends.push_back(sent);
  }
}

void HistoryMaker::begin(Writer& writer) {
  ++writer.transaction;
  writer.is_open = true;
  if (writer.input) return process(writer);
  for (const Partition& partition : data_partitions()) {
    if (partition.topic == "in") continue;
    Send sent;
    sent.client = writer.client();
    sent.to = partition;
    sent.transaction = writer.transaction;
    send(sent, writer.producer, true);
  }
}

void HistoryMaker::process(Writer& writer) {
  Poll poll;
  poll.invoked = tick();
  poll.records = look(*writer.input, true, writer.position).records;
  if (poll.records.size() > 4) poll.records.resize(4);
  poll.returned = tick();
  for (const Poll::Record& record : poll.records) {
    for (const Partition& to :
         {Partition{"out", static_cast<std::int32_t>(record.offset % 2)}, Partition{"side", 0}}) {
      Send sent;
      sent.client = writer.client();
      sent.to = to;
      sent.transaction = writer.transaction;
      sent.source = {*writer.input, record.offset};
      send(sent, writer.producer, true);
    }
    writer.position = record.offset + 1;
  }
  if (poll.records.empty()) return;
  history_.sessions[writer.session].polls.push_back(std::move(poll));
  Commit commit;
  commit.client = writer.client();
  commit.group = "loop";
  commit.uid = fmt::format("{}#{}", commit.client, ++commits_);
  commit.transaction = writer.transaction;
  commit.offsets[*writer.input] = writer.position;
  commit.invoked = tick();
  LoggedBatch& batch = append(group_partition, writer.producer, true);
  batch.group_offsets.push_back(
      {batch.base, commit.group, *writer.input, commit.uid, writer.position});
  finish(commit, true);
  history_.commits.push_back(std::move(commit));
}

void HistoryMaker::mark(const Writer& writer, LoggedBatch::Marker marker) {
  for (auto& [partition, batches] : history_.log) {
    auto last = std::find_if(batches.rbegin(), batches.rend(), [&](const LoggedBatch& batch) {
      return batch.producer == writer.producer;
    });
    if (last == batches.rend() || last->marker != LoggedBatch::Marker::none) continue;
    append(partition, writer.producer, true).marker = marker;
  }
}

void HistoryMaker::end(Writer& writer) {
  End end;
  end.client = writer.client();
  end.transaction = writer.transaction;
  end.is_commit = !random_.one_in(3);
  end.invoked = tick();
  bool is_known = !random_.one_in(5);
  bool is_done = is_known || random_.one_in(2);
  if (is_done) {
    mark(writer, end.is_commit ? LoggedBatch::Marker::commit : LoggedBatch::Marker::abort);
  }
  finish(end, is_known);
  history_.ends.push_back(end);
  writer.is_open = false;
  if (!is_known || !end.is_commit) take_over(writer);
}

/// Its next life, which begins by ending what the last one left, and where the group is.
void HistoryMaker::take_over(Writer& writer) {
  mark(writer, LoggedBatch::Marker::abort);
  ++writer.life;
  if (!writer.input) return;
  Session session;
  session.client = writer.client();
  session.partition = *writer.input;
  session.is_committed = true;
  session.assigned = tick();
  writer.position = std::max<std::int64_t>(committed("loop", *writer.input), 0);
  session.from = writer.position;
  writer.session = history_.sessions.size();
  history_.sessions.push_back(session);
}

void HistoryMaker::assign(Reader& reader) {
  ++reader.assignments;
  for (const Partition& partition : reader.partitions) {
    Session session;
    session.client = fmt::format("{}.{}", reader.name, reader.assignments);
    session.group = reader.name;
    session.partition = partition;
    session.is_committed = reader.is_committed;
    session.assigned = tick();
    reader.sessions[partition] = history_.sessions.size();
    reader.positions[partition] = std::max<std::int64_t>(committed(session.group, partition), 0);
    history_.sessions.push_back(session);
  }
}

void HistoryMaker::consume(Reader& reader) {
  if (reader.sessions.empty() || random_.one_in(6)) assign(reader);
  for (const auto& [partition, session] : reader.sessions) {
    Poll poll;
    poll.invoked = tick();
    poll.records = look(partition, reader.is_committed, reader.positions[partition]).records;
    if (poll.records.size() > 5) poll.records.resize(5);
    poll.returned = tick();
    if (poll.records.empty()) continue;
    reader.positions[partition] = poll.records.back().offset + 1;
    history_.sessions[session].polls.push_back(std::move(poll));
  }
  if (random_.one_in(2)) commit(reader);
}

void HistoryMaker::commit(Reader& reader) {
  Commit commit;
  commit.client = reader.name;
  commit.group = reader.name;
  commit.uid = fmt::format("{}#{}", reader.name, ++commits_);
  commit.offsets = {reader.positions.begin(), reader.positions.end()};
  commit.invoked = tick();
  bool is_known = !random_.one_in(4);
  if (is_known || random_.one_in(2)) {
    LoggedBatch& batch = append(group_partition, -1, false);
    for (const auto& [partition, value] : commit.offsets) {
      batch.group_offsets.push_back({batch.base, commit.group, partition, commit.uid, value});
    }
  }
  finish(commit, is_known);
  history_.commits.push_back(std::move(commit));
}

void HistoryMaker::commit(const Sharing::Owner& owner, const Partition& partition) {
  Commit commit;
  commit.client = owner.name;
  commit.group = "share";
  commit.uid = fmt::format("{}#{}", owner.name, ++commits_);
  commit.offsets[partition] = owner.position;
  commit.invoked = tick();
  LoggedBatch& batch = append(group_partition, -1, false);
  batch.group_offsets.push_back({batch.base, commit.group, partition, commit.uid, owner.position});
  finish(commit, true);
  history_.commits.push_back(std::move(commit));
}

void HistoryMaker::hand_over(const Partition& partition, const std::string& name) {
  auto before = sharing_.owners.find(partition);
  if (before != sharing_.owners.end()) {
    if (before->second.name == name) return;
    Session& ended = history_.sessions[before->second.session];
    ended.is_lost = random_.one_in(3);
    bool is_killed = !ended.is_lost && random_.one_in(3);
    if (!is_killed) ended.revoked = tick();
    if (!is_killed && !ended.is_lost) commit(before->second, partition);
  }
  Session session;
  session.client = name;
  session.group = "share";
  session.partition = partition;
  session.is_committed = true;
  session.generation = sharing_.generation;
  session.assigned = tick();
  std::int64_t begin = std::max<std::int64_t>(committed("share", partition), 0);
  sharing_.owners[partition] = {name, history_.sessions.size(), begin};
  history_.sessions.push_back(std::move(session));
}

void HistoryMaker::rebalance() {
  ++sharing_.generation;
  for (const Partition& partition : {Partition{"in", 0}, Partition{"in", 1}}) {
    hand_over(partition, fmt::format("share-{}", random_.below(3)));
  }
}

void HistoryMaker::share() {
  if (sharing_.generation == 0 || random_.one_in(4)) rebalance();
  for (auto& [partition, owner] : sharing_.owners) {
    Poll poll;
    poll.invoked = tick();
    poll.generation = sharing_.generation;
    poll.records = look(partition, true, owner.position).records;
    if (poll.records.size() > 5) poll.records.resize(5);
    poll.returned = tick();
    if (poll.records.empty()) continue;
    owner.position = poll.records.back().offset + 1;
    history_.sessions[owner.session].polls.push_back(std::move(poll));
    if (random_.one_in(2)) commit(owner, partition);
  }
}

void HistoryMaker::ask_committed(const std::string& group, const Partition& partition) {
  CommittedQuery query;
  query.client = "observer";
  query.group = group;
  query.invoked = tick();
  query.offsets[partition] = committed(group, partition);
  finish(query, true);
  history_.committed_queries.push_back(std::move(query));
}

void HistoryMaker::ask() {
  for (const Partition& partition : data_partitions()) {
    for (bool is_stable : {false, true}) {
      EndQuery query;
      query.client = "observer";
      query.partition = partition;
      query.is_stable = is_stable;
      query.invoked = tick();
      Seen seen = look(partition, is_stable, 0);
      query.offset = is_stable ? seen.stable : seen.high_watermark;
      finish(query, !random_.one_in(10));
      history_.end_queries.push_back(query);
    }
  }
  ask_committed("loop", {"in", 0});
  ask_committed("watch", {"out", 0});
}

void HistoryMaker::finish_all() {
  for (Writer& writer : writers_) take_over(writer);
  for (bool is_committed : {false, true}) {
    for (const Partition& partition : data_partitions()) {
      Session session;
      session.client = "final";
      session.partition = partition;
      session.assigned = tick();
      session.is_committed = is_committed;
      session.is_final = true;
      session.from = 0;
      Poll poll;
      poll.invoked = tick();
      Seen seen = look(partition, is_committed, 0);
      poll.records = seen.records;
      poll.end = seen.high_watermark;
      poll.returned = tick();
      session.polls.push_back(std::move(poll));
      history_.sessions.push_back(std::move(session));
    }
  }
  ask();
}

History HistoryMaker::make() {
  writers_ = {{"loop-0", 200, Partition{"in", 0}},
              {"loop-1", 201, Partition{"in", 1}},
              {"pair", 202, std::nullopt}};
  readers_ = {{"watch", {{"out", 0}, {"out", 1}, {"side", 0}}, true},
              {"all", {{"in", 0}, {"in", 1}, {"out", 0}}, false}};
  for (Writer& writer : writers_) take_over(writer);
  for (int i = 0; i < 60; ++i) {
    switch (random_.below(9)) {
      case 0:
      case 1: produce(); break;
      case 2:
      case 3:
      case 4: {
        Writer& writer = writers_[random_.below(writers_.size())];
        writer.is_open ? end(writer) : begin(writer);
        break;
      }
      case 5:
      case 6: consume(readers_[random_.below(readers_.size())]); break;
      case 7:
        if (random_.one_in(3)) history_.kills.push_back(tick());
        ask();
        break;
      case 8: share(); break;
    }
  }
  finish_all();
  return std::move(history_);
}

}  // namespace leat::checker
