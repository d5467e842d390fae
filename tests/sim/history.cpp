#include "sim/history.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/core.h>

#include "record/record.h"

namespace leat::sim {
namespace {

std::string at(const TopicPartition& id, std::int64_t offset, const std::string& what) {
  return fmt::format("{}/{} offset {}: {}", id.topic_id.to_hex().substr(0, 6), id.partition.value(),
                     offset, what);
}

/// The attempt and the record that a value names.
std::optional<std::pair<std::uint64_t, std::uint64_t>> parse_text(std::string_view text) {
  std::uint64_t attempt = 0;
  std::uint64_t record = 0;
  const char* end = text.data() + text.size();
  auto first = std::from_chars(text.data(), end, attempt);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ':') return std::nullopt;
  auto second = std::from_chars(first.ptr + 1, end, record);
  if (second.ec != std::errc{} || second.ptr == end || *second.ptr != ' ') return std::nullopt;
  return std::pair(attempt, record);
}

}  // namespace

std::uint64_t History::send(const TopicPartition& to, std::vector<std::int64_t> timestamps_ms) {
  Attempt attempt;
  attempt.to = to;
  attempt.timestamps_ms = std::move(timestamps_ms);
  attempt.floor = partitions_[to].high_watermark;
  attempt.life = life_;
  partitions_[to].records_sent += attempt.records();
  attempts_.push_back(std::move(attempt));
  return attempts_.size() - 1;
}

std::string History::text_of(std::uint64_t attempt, std::size_t record) {
  return fmt::format("{}:{} ", attempt, record);
}

std::int64_t History::end_of(std::uint64_t number) const {
  const Attempt& attempt = attempts_[number];
  return attempt.outcome == Attempt::Outcome::acknowledged ? *attempt.base + attempt.records() : 0;
}

/// Notes that the attempt stands at `base`.
std::string History::place(std::uint64_t number, std::int64_t base, std::int32_t epoch) {
  Attempt& attempt = attempts_[number];
  if (attempt.base && *attempt.base != base) {
    return at(attempt.to, base, fmt::format("batch {} is at {} as well", number, *attempt.base));
  }
  attempt.base = base;
  auto& batches = partitions_[attempt.to].batches;
  std::int64_t next = base + attempt.records();
  auto other = batches.lower_bound(base);
  if (other != batches.begin() && std::prev(other)->second.next > base) --other;
  while (other != batches.end() && other->first < next) {
    PartitionHistory::Batch& known = other->second;
    if (known.attempt == number) {
      if (epoch >= 0 && known.epoch >= 0 && known.epoch != epoch) {
        return at(attempt.to, base, fmt::format("batch {} changed its leader epoch", number));
      }
      known.epoch = std::max(known.epoch, epoch);
      known.is_promised = true;
      return {};
    }
    if (known.is_promised) {
      return at(attempt.to, base,
                fmt::format("batch {} where batch {} has been", number, known.attempt));
    }
    if (epoch >= 0 && known.epoch >= epoch) {
      return at(attempt.to, base,
                fmt::format("batch {} instead of batch {}, which was lost, under the same leader "
                            "epoch {}",
                            number, known.attempt, epoch));
    }
    other = batches.erase(other);
  }
  batches[base] = {number, next, epoch, true};
  return {};
}

std::string History::acknowledged(std::uint64_t number, std::int64_t base) {
  Attempt& attempt = attempts_[number];
  attempt.outcome = Attempt::Outcome::acknowledged;
  if (base < attempt.floor) {
    return at(attempt.to, base,
              fmt::format("batch {} is behind the high watermark {} that was known before it",
                          number, attempt.floor));
  }
  PartitionHistory& partition = partitions_[attempt.to];
  partition.high_watermark = std::max(partition.high_watermark, base + attempt.records());
  // The topic's own record is before it in the journal, as is the one that added the partition.
  TopicHistory& topic = topics_[attempt.to.topic_id];
  topic.is_promised = true;
  topic.partitions = std::max(topic.partitions, attempt.to.partition.value() + 1);
  return place(number, base, -1);
}

void History::refused(std::uint64_t number, bool may_return) {
  attempts_[number].outcome = Attempt::Outcome::refused;
  attempts_[number].may_return = may_return;
}

void History::unknown(std::uint64_t number) {
  Attempt& attempt = attempts_[number];
  if (attempt.outcome == Attempt::Outcome::pending) attempt.outcome = Attempt::Outcome::unknown;
}

std::string History::read(const TopicPartition& from, const record::BatchView& batch) {
  std::int64_t base = batch.base_offset().value();
  if (!batch.crc_matches()) return at(from, base, "a batch with a wrong CRC");
  std::optional<std::uint64_t> number;
  std::uint64_t expected = 0;
  record::RecordIterator records(batch);
  while (const record::Record* record = records.next()) {
    auto named = record->value ? parse_text(as_text(*record->value)) : std::nullopt;
    if (!named || named->first >= attempts_.size()) return at(from, base, "nobody sent this");
    if (named->second != expected || (number && *number != named->first)) {
      return at(from, base, "the records of a batch are not those of one request");
    }
    number = named->first;
    ++expected;
  }
  if (records.error() != nullptr || !number) return at(from, base, "a batch that cannot be read");
  Attempt& attempt = attempts_[*number];
  bool has_strayed = attempt.is_stray && !attempt.base && attempt.to.partition == from.partition &&
                     topics_[attempt.to.topic_id].name == topics_[from.topic_id].name;
  if (has_strayed) {
    attempt.to = from;
    attempt.floor = 0;
  }
  if (attempt.to != from || static_cast<std::int64_t>(expected) != attempt.records()) {
    return at(from, base, fmt::format("batch {} was not sent here, or not like this", *number));
  }
  if (attempt.outcome == Attempt::Outcome::refused && !attempt.may_return) {
    return at(from, base, fmt::format("batch {} was refused", *number));
  }
  return place(*number, base, batch.leader_epoch().value());
}

std::string History::told_high_watermark(const TopicPartition& of, std::int64_t told,
                                         std::int64_t floor) {
  PartitionHistory& partition = partitions_[of];
  partition.high_watermark = std::max(partition.high_watermark, told);
  if (told < floor) return at(of, told, fmt::format("the high watermark was {} before", floor));
  if (told <= partition.records_sent) return {};
  return at(of, told, fmt::format("only {} records were ever sent", partition.records_sent));
}

std::string History::told_start(const TopicPartition& of, std::int64_t told, std::int64_t floor) {
  PartitionHistory& partition = partitions_[of];
  partition.start = std::max(partition.start, told);
  if (told < floor) return at(of, told, fmt::format("the log started at {} before", floor));
  if (may_start_at(of, told)) return {};
  return at(of, told, "the log's start moved, which nobody asked for");
}

bool History::may_start_at(const TopicPartition& id, std::int64_t offset) {
  return offset <= partitions_[id].start_asked || topics_[id.topic_id].retires;
}

std::string History::told_epoch(const TopicPartition& of, std::int32_t told) {
  PartitionHistory& partition = partitions_[of];
  if (told < partition.leader_epoch) {
    return at(of, 0,
              fmt::format("the leader epoch was {}, and is {}", partition.leader_epoch, told));
  }
  partition.leader_epoch = told;
  return {};
}

std::string History::found_time(const TopicPartition& in, std::int64_t asked_ms,
                                std::int64_t offset, std::int64_t told_ms, std::int64_t floor) {
  auto found = partitions_.find(in);
  if (found == partitions_.end()) return {};
  const PartitionHistory& partition = found->second;
  if (offset >= 0 && told_ms < asked_ms) return at(in, offset, "a lookup gave an earlier record");
  for (const auto& [base, batch] : partition.batches) {
    if (!batch.is_promised || batch.next <= partition.start || batch.next > floor) continue;
    const Attempt& attempt = attempts_[batch.attempt];
    for (std::int64_t i = 0; i < attempt.records(); ++i) {
      std::int64_t ms = attempt.timestamps_ms[static_cast<std::size_t>(i)];
      if (base + i == offset && ms != told_ms) return at(in, offset, "it has another time");
      if (base + i < partition.start || (offset >= 0 && base + i >= offset)) continue;
      // The start may have moved beyond it, with nobody told yet.
      if (ms >= asked_ms && !may_start_at(in, base + i + 1)) {
        return at(in, base + i,
                  fmt::format("a lookup of {} did not find it, but {}", asked_ms, offset));
      }
    }
  }
  return {};
}

std::string History::told_epoch_end(const TopicPartition& of, std::int32_t asked, std::int32_t told,
                                    std::int64_t end, std::int64_t floor) {
  const PartitionHistory& partition = partitions_[of];
  if (end < 0) {
    if (asked > partition.leader_epoch) return {};
    return at(of, end, fmt::format("leader epoch {} is not known", asked));
  }
  if (told > asked) return at(of, end, fmt::format("epoch {} instead of {}", told, asked));
  for (const auto& [base, batch] : partition.batches) {
    if (!batch.is_promised || batch.epoch < 0 || batch.next > floor) continue;
    if (batch.epoch <= asked && batch.next > end && !may_start_at(of, batch.next)) {
      return at(of, base,
                fmt::format("is of epoch {}, but {} ended at {}", batch.epoch, asked, end));
    }
    if (batch.epoch <= asked && batch.epoch > told && !may_start_at(of, batch.next)) {
      return at(of, base, fmt::format("is of epoch {}, but only {} was named", batch.epoch, told));
    }
    // The log may start behind the end of an epoch.
    if (batch.epoch > asked && base < end && !may_start_at(of, end)) {
      return at(of, base,
                fmt::format("is of epoch {}, but {} ended at {}", batch.epoch, asked, end));
    }
  }
  return {};
}

void History::create_asked(const std::string& name, std::int32_t partitions, bool retires,
                           const Configs& configs) {
  wanted_[name] = {partitions, retires, configs, std::exchange(strays_[name], {})};
}

void History::name_reused(const Uuid& id) {
  for (std::uint64_t number = 0; number < attempts_.size(); ++number) {
    Attempt& attempt = attempts_[number];
    bool is_under_way = attempt.life == life_ && !attempt.base &&
                        (attempt.outcome == Attempt::Outcome::pending ||
                         attempt.outcome == Attempt::Outcome::unknown);
    if (attempt.to.topic_id != id || !is_under_way) continue;
    attempt.is_stray = true;
    strays_[topics_[id].name].push_back(number);
  }
}

void History::partitions_asked(const Uuid& id, std::int32_t count) {
  TopicHistory& topic = topics_[id];
  topic.partitions_asked = std::max(topic.partitions_asked, count);
  topic.partitions_life = life_;
}

void History::partitions_made(const Uuid& id, std::int32_t count) {
  TopicHistory& topic = topics_[id];
  topic.partitions = std::max(topic.partitions, count);
  topic.partitions_listed = std::max(topic.partitions_listed, count);
}

void History::partitions_refused(const Uuid& id) {
  topics_[id].partitions_listed = topics_[id].partitions;
}

void History::configs_asked(const Uuid& id, const Configs& configs) {
  TopicHistory& topic = topics_[id];
  topic.configs.push_back(configs);
  topic.configs_ever.push_back(configs);
  topic.configs_life = life_;
  for (const char* key : {"retention.ms", "retention.bytes"}) {
    auto config = configs.find(key);
    topic.retires = topic.retires || (config != configs.end() && config->second != "-1");
  }
}

void History::configs_altered(const Uuid& id, const Configs& configs) {
  topics_[id].configs = {configs};
}

std::string History::told_configs(const Uuid& id, const Configs& told,
                                  const std::vector<Configs>& before, std::uint64_t asked_in_life) {
  TopicHistory& topic = topics_[id];
  auto has = [&](const std::vector<Configs>& list) {
    return std::ranges::find(list, told) != list.end();
  };
  if (!has(before) && !has(topic.configs)) {
    std::string text;
    for (const auto& [name, value] : told) text += fmt::format(" {}={}", name, value);
    return fmt::format("topic {} has settings that it was not given:{}", topic.name, text);
  }
  // Whatever had not come to its end when the server died is done or not by now.
  if (topic.configs_life < asked_in_life) topic.configs = {told};
  return {};
}

void History::begin_life() {
  ++life_;
  for (auto& [id, topic] : topics_) {
    topic.is_listed = topic.is_promised;
    topic.partitions_listed = topic.partitions;
  }
}

std::string History::created(const std::string& name, const Uuid& id) {
  std::string objection = learn(name, id);
  if (objection.empty()) topics_[id].is_promised = true;
  return objection;
}

std::string History::learn(const std::string& name, const Uuid& id) {
  auto known = topics_.find(id);
  if (known != topics_.end() && known->second.name == name) return {};
  auto wanted = wanted_.find(name);
  if (known != topics_.end() || wanted == wanted_.end()) {
    return fmt::format("topic {} with the id {} was asked for by nobody", name, id.to_hex());
  }
  TopicHistory topic;
  topic.name = name;
  topic.partitions = topic.partitions_listed = wanted->second.partitions;
  topic.partitions_asked = topic.partitions_created = topic.partitions;
  topic.retires = wanted->second.retires;
  topic.configs = topic.configs_ever = {wanted->second.configs};
  topic.life = topic.partitions_life = topic.configs_life = life_;
  topics_[id] = std::move(topic);
  for (std::uint64_t stray : wanted->second.strays) {
    const Attempt& attempt = attempts_[stray];
    partitions_[{id, attempt.to.partition}].records_sent += attempt.records();
  }
  wanted_.erase(wanted);
  return {};
}

std::string History::deleted(const Uuid& id) {
  topics_[id].is_deleted = true;
  return {};
}

bool History::is_free(const std::string& name) const {
  if (wanted_.contains(name)) return false;
  return std::ranges::none_of(topics_, [&](const auto& topic) {
    return topic.second.name == name && !topic.second.is_deleted;
  });
}

bool History::may_be_taken(const std::string& name) const {
  return std::ranges::any_of(topics_, [&](const auto& topic) {
    return topic.second.name == name && !topic.second.is_deleted;
  });
}

bool History::is_only_one_named(const Uuid& id) const {
  const std::string& name = topics_.at(id).name;
  if (wanted_.contains(name)) return false;
  return std::ranges::none_of(topics_, [&](const auto& topic) {
    return topic.second.name == name && topic.first != id && !topic.second.is_deleted;
  });
}

bool History::is_usable(const Uuid& id) const {
  auto topic = topics_.find(id);
  return topic != topics_.end() && topic->second.is_listed && topic->second.deletions_asked == 0;
}

bool History::is_certain(const Uuid& id) const {
  return is_usable(id) && topics_.at(id).is_promised;
}

bool History::is_certain(const TopicPartition& id) const {
  return is_certain(id.topic_id) && id.partition.value() < topics_.at(id.topic_id).partitions;
}

History::Listing History::expect_listing() const {
  Listing listing;
  for (const auto& [id, topic] : topics_) {
    listing.partitions[id] = topic.partitions;
    if (topic.is_deleted) {
      listing.must_not_have.insert(id);
    } else if (is_certain(id)) {
      listing.must_have.insert(id);
    }
  }
  return listing;
}

std::string History::listed(const Listing& expected, const std::vector<Listed>& list) {
  std::set<Uuid> ids;
  for (const Listed& entry : list) {
    ids.insert(entry.id);
    std::string objection = learn(entry.name, entry.id);
    if (!objection.empty()) return objection;
    TopicHistory& topic = topics_[entry.id];
    topic.is_listed = true;
    topic.is_promised = topic.is_promised || topic.life < life_;
    auto least = expected.partitions.find(entry.id);
    std::int32_t partitions_min =
        least == expected.partitions.end() ? topic.partitions_created : least->second;
    if (entry.partitions < partitions_min || entry.partitions > topic.partitions_asked) {
      return fmt::format("topic {} has {} partitions, not {} to {}", entry.name, entry.partitions,
                         partitions_min, topic.partitions_asked);
    }
    topic.partitions_listed = std::max(topic.partitions, entry.partitions);
    if (topic.partitions_life < life_) topic.partitions = topic.partitions_listed;
    if (expected.must_not_have.contains(entry.id)) {
      return fmt::format("topic {} is there again", entry.name);
    }
  }
  for (const Uuid& id : expected.must_have) {
    const TopicHistory& topic = topics_[id];
    if (!ids.contains(id) && topic.deletions_asked == 0) {
      return fmt::format("topic {} is not there any more", topic.name);
    }
  }
  return {};
}

std::string History::check_complete(const TopicPartition& of, std::int64_t start,
                                    const std::set<std::int64_t>& bases) const {
  auto found = partitions_.find(of);
  if (found == partitions_.end()) return {};
  for (const auto& [base, batch] : found->second.batches) {
    if (!batch.is_promised || batch.next <= start || bases.contains(base)) continue;
    return at(of, base, fmt::format("batch {} is lost", batch.attempt));
  }
  return {};
}

void History::power_lost() {
  if (is_durable_) return;
  for (auto& [id, partition] : partitions_) {
    partition.high_watermark = partition.start = 0;
    for (auto& [base, batch] : partition.batches) batch.is_promised = false;
  }
  for (auto& [id, topic] : topics_) {
    topic.is_promised = topic.is_listed = false;
    topic.partitions = topic.partitions_created;
    topic.configs = topic.configs_ever;
    topic.partitions_life = topic.configs_life = life_;
    // Its creation or its deletion may be undone.
    if (topic.is_deleted) topic.is_deleted = false;
  }
}

}  // namespace leat::sim
