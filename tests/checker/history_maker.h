// Makes histories of a server that keeps every promise: clients produce, loop, consume and commit
// at random, some of them die, and what the log holds is what they were told.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "checker/history.h"

namespace leat::checker {

class HistoryMaker {
 public:
  explicit HistoryMaker(std::uint64_t seed) : random_(seed) {}
  /// Once.
  History make();

 private:
  /// What is there at this moment, for those who read.
  struct Seen {
    std::vector<Poll::Record> records;
    std::int64_t high_watermark = 0;
    std::int64_t stable = 0;
  };
  /// One that sends in transactions, with offsets if it has a group.
  struct Writer {
    std::string name;
    std::int64_t producer = 0;
    std::optional<Partition> input;
    int life = 1;
    std::int64_t transaction = 0;
    bool is_open = false;
    std::size_t session = 0;
    std::int64_t position = 0;
    std::string client() const { return name + "." + std::to_string(life); }
  };
  struct Reader {
    std::string name;
    std::vector<Partition> partitions;
    bool is_committed = false;
    int assignments = 0;
    std::map<Partition, std::size_t> sessions = {};
    std::map<Partition, std::int64_t> positions = {};
  };

  /// A group of whose members each says in which generation it does what.
  struct Sharing {
    struct Owner {
      std::string name;
      std::size_t session = 0;
      std::int64_t position = 0;
    };
    std::int32_t generation = 0;
    std::map<Partition, Owner> owners;
  };

  Time tick() { return now_ += random_.between(1, 50); }
  Seen look(const Partition& partition, bool is_committed, std::int64_t from) const;
  std::int64_t committed(const std::string& group, const Partition& partition) const;
  LoggedBatch& append(const Partition& partition, std::int64_t producer, bool is_transactional);
  std::int64_t send(Send sent, std::int64_t producer, bool is_transactional);
  void finish(Operation& operation, bool is_known);

  void produce();
  void begin(Writer& writer);
  void process(Writer& writer);
  void end(Writer& writer);
  void take_over(Writer& writer);
  void mark(const Writer& writer, LoggedBatch::Marker marker);
  void assign(Reader& reader);
  void consume(Reader& reader);
  void commit(Reader& reader);
  void share();
  void rebalance();
  void hand_over(const Partition& partition, const std::string& name);
  void commit(const Sharing::Owner& owner, const Partition& partition);
  void ask();
  void ask_committed(const std::string& group, const Partition& partition);
  void finish_all();

  Random random_;
  Time now_ = 1'000'000;
  History history_;
  std::int64_t sends_ = 0;
  std::int64_t commits_ = 0;
  std::vector<Writer> writers_;
  std::vector<Reader> readers_;
  Sharing sharing_;
};

}  // namespace leat::checker
