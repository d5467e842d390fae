#include "member.h"

#include <span>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace soak {

namespace {

using namespace std::chrono_literals;

const std::string group = "share";

class Member {
 public:
  Member(Client& client, const std::string& strategy);

  asio::awaitable<void> run();

 private:
  leat::ConsumerOptions options(const std::string& strategy);
  asio::awaitable<void> learn_generation();
  void write_assignments();
  void give_up(std::span<const leat::Partition> places, bool is_lost);
  struct Committing {
    std::uint64_t number;
    std::string uid;
  };
  void commit(const Offsets& offsets);
  Committing begin_commit(const Offsets& offsets);
  void end_commit(const Committing& operation, boost::system::error_code code);

  Client& client_;
  bool commits_itself_;
  std::vector<leat::Partition> given_;  // and not yet written down
  bool is_new_generation_ = false;
  std::string generation_;  // as it is written, or nothing where it is not known
  std::map<leat::Partition, int> sessions_;
  Offsets uncommitted_;
  leat::Consumer consumer_;
};

Member::Member(Client& client, const std::string& strategy)
    : client_(client),
      commits_itself_(client.fraction() < 0.5),
      consumer_(client.context.get_executor(), client.options(), options(strategy)) {
  consumer_.subscribe({"work"});
}

leat::ConsumerOptions Member::options(const std::string& strategy) {
  leat::ConsumerOptions options;
  options.group = group;
  options.assignors = {strategy == "range" ? leat::Assignor::range
                                           : leat::Assignor::cooperative_sticky};
  options.offset_reset = leat::OffsetReset::earliest;
  options.session_timeout = 6s;
  options.heartbeat_interval = 300ms;
  options.max_poll_interval = 20s;
  options.fetch_wait = 100ms;
  options.auto_commit = !commits_itself_;
  options.auto_commit_interval = 500ms;
  options.on_assigned = [this](std::span<const leat::Partition> places) {
    given_.insert(given_.end(), places.begin(), places.end());
    is_new_generation_ = true;
  };
  options.on_revoked = [this](std::span<const leat::Partition> places, bool is_lost) {
    give_up(places, is_lost);
  };
  return options;
}

/// Of what was given last. None where the next one has begun already: nobody has it yet.
asio::awaitable<void> Member::learn_generation() {
  if (!is_new_generation_) co_return;
  auto token = asio::as_tuple(asio::use_awaitable);
  auto [code, member] = co_await consumer_.async_group_metadata(token);
  is_new_generation_ = code.failed();
  generation_ = code ? "" : fmt::format("\"generation\":{}", member.generation);
}

void Member::write_assignments() {
  Offsets from;
  for (const leat::Partition& place : std::exchange(given_, {})) from[place] = -1;
  if (from.empty()) return;
  int session = client_.assigned(from, true, group, generation_);
  for (const auto& [place, offset] : from) sessions_[place] = session;
}

void Member::give_up(std::span<const leat::Partition> places, bool is_lost) {
  if (!given_.empty()) {
    generation_.clear();
    write_assignments();
  }
  Offsets done;
  for (const leat::Partition& place : places) {
    client_.write(
        fmt::format("\"t\":{},\"call\":\"revoke\",\"session\":{},\"topic\":\"{}\",\"partition\":{},"
                    "\"lost\":{}",
                    now_us(), sessions_.at(place), place.topic, place.number, is_lost));
    sessions_.erase(place);
    if (auto offset = uncommitted_.find(place); offset != uncommitted_.end()) {
      done.insert(*offset);
      uncommitted_.erase(offset);
    }
  }
  if (!is_lost && !done.empty()) commit(done);
}

/// The partitions are given back when it has ended.
void Member::commit(const Offsets& offsets) {
  auto operation = begin_commit(offsets);
  consumer_.async_commit_offsets(
      to_commit(offsets, operation.uid),
      [this, operation](boost::system::error_code code) { end_commit(operation, code); });
}

Member::Committing Member::begin_commit(const Offsets& offsets) {
  std::string uid = client_.uid();
  std::string more =
      fmt::format("\"group\":\"{}\",\"uid\":\"{}\",\"offsets\":{}", group, uid, triples(offsets));
  return {client_.begin("offsets", more), uid};
}

void Member::end_commit(const Committing& operation, boost::system::error_code code) {
  // It may have been there before an answer was lost, and refused when it was sent again.
  std::string error = fmt::format("\"error\":{},\"text\":\"{}\"", code.value(), code.message());
  client_.end(operation.number, code ? "unknown" : "ok", code ? error : "");
}

asio::awaitable<void> Member::run() {
  while (!client_.is_stopping) {
    std::int64_t since = now_us();
    leat::Records polled = co_await consumer_.async_poll_for(200ms);
    co_await learn_generation();
    write_assignments();
    std::vector<Read> records = read_all(polled);
    client_.polled(since, sessions_, records, generation_);
    if (commits_itself_) {
      for (const Read& record : records) uncommitted_[record.place] = record.offset + 1;
    }
    if (!uncommitted_.empty() && client_.fraction() < 0.5) {
      Offsets done = std::exchange(uncommitted_, {});
      Committing operation = begin_commit(done);
      auto offsets = to_commit(done, operation.uid);
      auto token = asio::as_tuple(asio::use_awaitable);
      auto [code] = co_await consumer_.async_commit_offsets(offsets, token);
      end_commit(operation, code);
      // What is still ours is to be committed all the same.
      for (const auto& [place, offset] : done) {
        if (code && sessions_.contains(place)) uncommitted_.emplace(place, offset);
      }
    }
    co_await client_.sleep(client_.fraction() * 0.05);
  }
  auto token = asio::as_tuple(asio::use_awaitable);
  auto [code] = co_await consumer_.async_close(token);
  // The group may have gone on without it: others do again what it could not commit.
  if (!code) co_return;
  client_.write(fmt::format("\"t\":{},\"mark\":\"left without a commit\",\"of\":\"{}: {}\"",
                            now_us(), client_.name, code.message()));
}

}  // namespace

asio::awaitable<void> share(Client& client, std::string strategy) {
  Member member(client, strategy);
  co_await member.run();
}

}  // namespace soak
