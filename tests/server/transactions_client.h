// A transactional producer, request by request, and what a consumer of committed records shows.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "record/record.h"
#include "server/peer.h"

namespace leat::server {

/// The versions that a client's producer uses.
struct Profile {
  const char* name;
  wire::Version init;
  wire::Version add;
  wire::Version end;
  wire::Version produce;
  wire::Version fetch;
  wire::Version list;
  wire::Version offsets;
};

/// A producer, request by request.
class Client {
 public:
  Client(TestServer& server, const Profile& profile, std::string id)
      : peer(server.connect()), profile_(profile), id_(std::move(id)) {}

  wire::ErrorCode init(std::int32_t timeout_ms = 60'000) {
    wire::InitProducerIdRequest request;
    if (!id_.empty()) request.transactional_id = id_;
    request.transaction_timeout_ms = timeout_ms;
    auto response = peer.ask(request, profile_.init);
    if (response.error_code == wire::ErrorCode::none) {
      producer = response.producer_id;
      epoch = response.producer_epoch;
      sequences_.clear();
    }
    return response.error_code;
  }
  wire::ErrorCode add(const std::string& topic, std::int32_t partition = 0) {
    wire::AddPartitionsToTxnRequest request;
    request.transactional_id = id_;
    request.producer_id = producer;
    request.producer_epoch = epoch;
    request.topics.push_back({topic, {partition}});
    return peer.ask(request, profile_.add).results.at(0).partitions.at(0).error_code;
  }
  wire::ErrorCode send(const std::string& topic, const std::string& value,
                       std::int32_t partition = 0, bool is_transactional = true) {
    record::BatchBuilder builder;
    builder.append(1'700'000'000'000, {}, as_bytes(value));
    record::BatchOptions options;
    options.producer_id = ProducerId{producer};
    options.producer_epoch = epoch;
    options.base_sequence = sequences_[{topic, partition}];
    options.is_transactional = is_transactional;
    Bytes batch = builder.build(options);
    last_ = produce(peer, topic, batch, partition, -1, profile_.produce);
    if (last_.error_code == wire::ErrorCode::none) ++sequences_[{topic, partition}];
    return last_.error_code;
  }
  /// From version 5 on it goes on as the producer that it is told to be.
  wire::ErrorCode end(bool is_commit) {
    auto response = ask_end(is_commit);
    bool is_raised = profile_.end >= 5 && response.error_code == wire::ErrorCode::none;
    if (is_raised) {
      producer = response.producer_id;
      epoch = response.producer_epoch;
      sequences_.clear();
    }
    return response.error_code;
  }
  wire::EndTxnResponse ask_end(bool is_commit) {
    wire::EndTxnRequest request;
    request.transactional_id = id_;
    request.producer_id = producer;
    request.producer_epoch = epoch;
    request.committed = is_commit;
    return peer.ask(request, profile_.end);
  }
  wire::ErrorCode add_offsets(const std::string& group) {
    wire::AddOffsetsToTxnRequest request;
    request.transactional_id = id_;
    request.producer_id = producer;
    request.producer_epoch = epoch;
    request.group_id = group;
    return peer.ask(request, profile_.add).error_code;
  }
  wire::ErrorCode commit_offset(const std::string& group, const std::string& topic,
                                std::int64_t offset) {
    wire::TxnOffsetCommitRequest request;
    request.transactional_id = id_;
    request.group_id = group;
    request.producer_id = producer;
    request.producer_epoch = epoch;
    auto& asked = request.topics.emplace_back();
    asked.name = topic;
    asked.partitions.emplace_back().committed_offset = offset;
    return peer.ask(request, profile_.offsets).topics.at(0).partitions.at(0).error_code;
  }
  /// Sends the last batch of the partition once more.
  std::int64_t send_again(const std::string& topic, const std::string& value) {
    --sequences_[{topic, 0}];
    CHECK(send(topic, value, 0, false) == wire::ErrorCode::none);
    return last_.base_offset;
  }
  std::int64_t last_offset() const { return last_.base_offset; }

  Peer peer;
  std::int64_t producer = -1;
  std::int16_t epoch = -1;

 private:
  const Profile& profile_;
  std::string id_;
  std::map<std::pair<std::string, std::int32_t>, std::int32_t> sequences_;
  wire::ProduceResponse::Partition last_;
};

inline wire::FetchResponse::Partition fetch_as(Peer& peer, const std::string& topic,
                                               bool is_committed, wire::Version version = 11) {
  wire::FetchRequest request = fetch_request(topic, 0);
  request.isolation_level = is_committed ? 1 : 0;
  if (version < 13) return fetch(peer, request, version);
  return fetch(peer, request, 12);
}

/// What a consumer of committed records would show: values, less those of aborted transactions.
inline std::vector<std::string> committed(Peer& peer, const std::string& topic,
                                          wire::Version version = 11) {
  auto fetched = fetch_as(peer, topic, true, version);
  REQUIRE(fetched.error_code == wire::ErrorCode::none);
  std::map<std::int64_t, std::vector<std::int64_t>> aborted;
  for (const auto& a : *fetched.aborted_transactions) {
    aborted[a.producer_id].push_back(a.first_offset);
  }
  std::vector<std::string> values;
  std::set<std::int64_t> skipping;
  BytesView rest = fetched.records.bytes();
  while (!rest.empty()) {
    auto batch = record::BatchView::parse(rest);
    REQUIRE(batch);
    std::int64_t producer = batch->producer_id().value();
    auto& begins = aborted[producer];
    while (!begins.empty() && begins.front() <= batch->last_offset().value()) {
      skipping.insert(producer);
      begins.erase(begins.begin());
    }
    if (batch->is_control()) {
      skipping.erase(producer);
    } else if (!batch->is_transactional() || !skipping.contains(producer)) {
      for (const std::string& record : records_in(batch->bytes())) {
        values.push_back(record.substr(record.find(':') + 1));
      }
    }
    rest = rest.subspan(batch->size_bytes());
  }
  return values;
}

}  // namespace leat::server
