// What was written to partitions that are compacted by key, and what must be readable of it:
//
//  - A record is at one offset for ever, and only the one that was written there is.
//  - Of each key the newest record that counts is there, unless it is a tombstone. Then it is
//    there, or nothing older of that key is.
//  - A record is there once, and those of one writer stand in the order in which it wrote them.
//  - Records of a transaction count together or not at all.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace leat::sim {

class CompactionModel {
 public:
  enum class Fate { unknown, open, kept, aborted };
  struct Written {
    std::int32_t partition = 0;
    std::string key;
    bool is_tombstone = false;
    int writer = 0;
    std::uint64_t transaction = 0;  // 0: none
  };
  /// A record as a reader finds it.
  struct Read {
    std::int64_t offset = 0;
    std::uint64_t number = 0;
    std::string key;
    bool is_tombstone = false;
    /// Below the last stable offset, and not of an aborted transaction.
    bool is_committed = false;
  };

  /// The number of a record that is about to be written.
  std::uint64_t add(const Written& record);
  std::uint64_t begin_transaction();
  void decide(std::uint64_t transaction, Fate fate) { transactions_[transaction] = fate; }
  Fate fate_of_transaction(std::uint64_t transaction) const {
    return transactions_.at(transaction);
  }

  // Each tells what is wrong as a sentence; empty is fine.

  std::string acknowledged(std::uint64_t number, std::int64_t offset);
  std::optional<std::int64_t> offset_of(std::uint64_t number) const {
    return records_[number].offset;
  }
  /// All that a partition gives from its `start` on.
  std::string check(std::int32_t partition, std::int64_t start, const std::vector<Read>& reading);

 private:
  struct Record {
    Written written;
    std::optional<std::int64_t> offset;
    Fate fate = Fate::unknown;  // of one without a transaction
  };
  Fate fate(const Record& record) const;
  std::string place(std::uint64_t number, std::int64_t offset);
  std::string occupy(std::uint64_t number, std::int64_t offset);
  std::string take(std::int32_t partition, const Read& read);
  std::string check_key(std::int32_t partition, const std::string& key, std::int64_t start,
                        const std::vector<Read>& reading) const;
  const Record* newest(std::int32_t partition, const std::string& key) const;

  std::vector<Record> records_{1};
  std::vector<Fate> transactions_{Fate::unknown};
  std::map<std::pair<std::int32_t, std::int64_t>, std::uint64_t> places_;
};

}  // namespace leat::sim
