// A group of the new protocol and its clients, which do what real ones do with what they are told.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "broker/consumer_group.h"

namespace leat::broker {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline std::string text(GroupError error) {
  switch (error) {
    case GroupError::none: return "ok";
    case GroupError::coordinator_not_available: return "not available";
    case GroupError::unknown_member_id: return "unknown member";
    case GroupError::fenced_member_epoch: return "fenced epoch";
    case GroupError::fenced_instance_id: return "fenced instance";
    case GroupError::unreleased_instance_id: return "unreleased";
    case GroupError::group_max_size_reached: return "full";
    case GroupError::stale_member_epoch: return "stale";
    case GroupError::illegal_generation: return "illegal generation";
    case GroupError::unsupported_version: return "old client";
    default: return "other";
  }
}

/// What a client of the group knows.
struct Client {
  std::int32_t epoch = 0;
  std::optional<std::string> instance = {};
  std::vector<std::string> topics = {"t"};
  std::optional<std::string> regex = {};
  std::optional<std::string> assignor = {};
  milliseconds rebalance_timeout = seconds(60);
  Assignment owned = {};
  std::optional<Assignment> told = {};  // and not taken over yet
  bool has_to_say_all = true;
  bool has_to_say_owned = false;
  /// Takes over what it is told only when take_over() is called.
  bool is_slow = false;

  void take_over() {
    if (!told) return;
    owned = std::move(*told);
    told.reset();
    has_to_say_owned = true;
  }
};

/// A group, its clients by their ids, the topics, and the records, as a log that is compacted has
/// them. Answers are texts: "2: t0 t1" for an epoch and all that one is to use, "2" for an epoch
/// alone, or an error.
class Play {
 public:
  explicit Play(GroupOptions options = {}) : options_(options), group_("g", options_) {}

  void topic(const std::string& name, std::int32_t partitions, char id = 0) {
    GroupTopics::Topic& topic = topics_.by_name[name];
    topic.id.bytes[0] = static_cast<std::uint8_t>(id == 0 ? name[0] : id);
    topic.partitions = partitions;
    ++topics_.version;
  }
  void internal_topic(const std::string& name) {
    topic(name, 1, '_');
    topics_.by_name[name].is_internal = true;
  }
  void drop_topic(const std::string& name) {
    topics_.by_name.erase(name);
    ++topics_.version;
  }

  Client& client(const std::string& id) { return clients_[id]; }
  std::string join(const std::string& id, std::vector<std::string> topics = {"t"}) {
    clients_[id] = Client{};
    clients_[id].topics = std::move(topics);
    return beat(id);
  }
  std::string join_static(const std::string& id, const std::string& instance) {
    clients_[id] = Client{};
    clients_[id].instance = instance;
    return beat(id);
  }
  /// As its client does: says what has changed, and does what it is told.
  std::string beat(const std::string& id) {
    std::string answer;
    begin_beat(id, answer);
    save();
    return answer;
  }
  void begin_beat(const std::string& id, std::string& answer) {
    Client& client = clients_[id];
    ConsumerHeartbeat request;
    request.group_id = "g";
    request.member_id = id;
    request.epoch = client.epoch;
    request.instance_id = client.instance;
    if (client.has_to_say_all || client.epoch == 0) {
      request.rebalance_timeout = client.rebalance_timeout;
      request.topics = client.topics;
      request.topic_regex = client.regex;
      request.assignor = client.assignor;
    }
    bool says_owned = client.has_to_say_all || client.has_to_say_owned || client.epoch == 0;
    if (says_owned) request.owned = client.owned;
    client.has_to_say_all = false;
    client.has_to_say_owned = false;
    REQUIRE(ConsumerGroup::check(request, true).error == GroupError::none);
    group_.heartbeat(std::move(request), topics_, now_,
                     [this, id, &answer](auto result) { answer = hear(id, result); });
    give_answers();
  }
  std::string leave(const std::string& id, std::int32_t epoch = ConsumerHeartbeat::leave) {
    std::string answer;
    begin_leave(id, answer, epoch);
    save();
    return answer;
  }
  void begin_leave(const std::string& id, std::string& answer,
                   std::int32_t epoch = ConsumerHeartbeat::leave) {
    ConsumerHeartbeat request;
    request.group_id = "g";
    request.member_id = id;
    request.epoch = epoch;
    request.instance_id = clients_[id].instance;
    group_.heartbeat(std::move(request), topics_, now_,
                     [&answer](const auto& result) { answer = text(result.error); });
    give_answers();
    clients_.erase(id);
  }

  /// What is to be written gets written, or not.
  void save(bool is_written = true) {
    if (auto save = begin_save()) end_save(*save, is_written);
  }
  std::optional<ConsumerGroup::Save> begin_save() { return group_.take_save(); }
  void end_save(const ConsumerGroup::Save& save, bool is_written) {
    if (is_written) write(save.changes);
    group_.saved(save.number, is_written);
    give_answers();
  }
  void write(const std::vector<RecordChange>& changes) {
    for (const RecordChange& change : changes) {
      if (change.value) {
        records_[change.key] = *change.value;
      } else {
        records_.erase(change.key);
      }
    }
  }
  /// The coordinator comes again, and knows what was written.
  void restart() {
    StoredConsumerGroup stored;
    for (const auto& [key, value] : records_) {
      auto decoded = decode_consumer_group_key(key);
      REQUIRE(decoded);
      REQUIRE(decoded->has_value());
      REQUIRE(stored.apply(**decoded, BytesView(value)));
    }
    group_ = ConsumerGroup("g", options_, std::move(stored), now_);
  }

  void wait(milliseconds time) {
    ConsumerGroup::Time end = now_ + time;
    while (auto due = group_.next_due()) {
      if (*due > end) break;
      now_ = std::max(now_, *due);
      group_.tick(now_);
      save();
      REQUIRE(group_.next_due().value_or(ConsumerGroup::Time::max()) > now_);
    }
    now_ = end;
  }
  /// All clients beat in turn, so often.
  void beat_all(int rounds = 4) {
    for (int i = 0; i < rounds; ++i) {
      std::vector<std::string> ids;
      for (const auto& [id, client] : clients_) ids.push_back(id);
      for (const std::string& id : ids) beat(id);
    }
  }

  std::string owned(const std::string& id) { return to_text(clients_[id].owned); }
  std::string state() const { return std::string(name(group_.state())); }
  ConsumerGroup& group() { return group_; }
  std::map<std::string, Client>& clients() { return clients_; }
  const GroupTopics& topics() const { return topics_; }
  std::size_t record_count() const { return records_.size(); }

  std::string to_text(const Assignment& assignment) const {
    std::string text;
    for (const auto& [id, partitions] : assignment) {
      for (std::int32_t partition : partitions) {
        text += fmt::format("{}{}{}", text.empty() ? "" : " ", static_cast<char>(id.bytes[0]),
                            partition);
      }
    }
    return text;
  }

 private:
  std::string hear(const std::string& id, const ConsumerHeartbeatResult& result) {
    Client& client = clients_[id];
    if (result.error != GroupError::none) {
      client.has_to_say_all = true;
      bool is_out = result.error == GroupError::fenced_member_epoch ||
                    result.error == GroupError::unknown_member_id;
      if (is_out) {
        client.epoch = 0;
        client.owned.clear();
        client.told.reset();
      }
      return text(result.error);
    }
    // An epoch never goes back, but for one who begins anew.
    CHECK(result.epoch > 0);
    CHECK(result.epoch >= client.epoch);
    CHECK(result.member_id == id);
    client.epoch = result.epoch;
    if (!result.assignment) return std::to_string(result.epoch);
    client.told = *result.assignment;
    std::string answer = fmt::format("{}: {}", result.epoch, to_text(*result.assignment));
    if (!client.is_slow) client.take_over();
    return answer;
  }
  void give_answers() {
    for (Work& answer : group_.take_answers()) answer();
  }

  GroupOptions options_;
  ConsumerGroup::Time now_ = seconds(1'000);
  ConsumerGroup group_;
  GroupTopics topics_;
  std::map<std::string, Client> clients_;
  std::map<Bytes, Bytes> records_;
};

}  // namespace leat::broker
