#include "client/positions.h"

#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "wire/list_offsets.h"

TEST_SUITE_BEGIN("client");

using namespace leat;
using namespace leat::client;
using wire::ErrorCode;

namespace {

const MemberIdentity self{"m", {}, 3};

/// Positions of partitions of "t", and what a group and its brokers say.
class Reading {
 public:
  explicit Reading(std::optional<std::int64_t> reset = wire::earliest_timestamp)
      : positions("g", reset) {}

  static Positions::Place place(std::int32_t partition) { return {"t", partition}; }

  /// "0 1 " for what is asked of the group.
  std::string asks() {
    std::string out;
    auto request = positions.fetch_request();
    if (!request) return out;
    for (const auto& topic : *request->topics) {
      for (std::int32_t partition : topic.partition_indexes) out += fmt::format("{} ", partition);
    }
    return out;
  }
  Positions::Outcome told(std::int32_t partition, std::int64_t offset,
                          ErrorCode code = ErrorCode::none) {
    wire::OffsetFetchResponse response;
    wire::OffsetFetchResponse::Partition part{partition, offset, -1, {}, code};
    response.groups.push_back({"g", {{"t", {part}}}, ErrorCode::none});
    return positions.take(response);
  }
  /// "0@5 " for where reading is to begin.
  std::string starts() {
    std::string out;
    for (const auto& start : positions.take_starts()) {
      out += fmt::format("{}@{} ", start.place.partition, start.offset);
    }
    return out;
  }
  /// At that offset, as if the group had told so.
  void begin(std::int32_t partition, std::int64_t offset) {
    positions.add(place(partition));
    asks();
    told(partition, offset);
    starts();
  }
  void read(std::int32_t partition, std::int64_t next) {
    positions.given(place(partition), next, 1);
    positions.all_done();
  }
  /// "0@5 " for what is committed.
  std::string commits() {
    std::string out;
    auto request = positions.commit_request(self);
    if (!request) return out;
    CHECK(request->generation_id == self.generation);
    for (const auto& topic : request->topics) {
      for (const auto& part : topic.partitions) {
        out += fmt::format("{}@{} ", part.partition_index, part.committed_offset);
      }
    }
    return out;
  }
  Positions::Outcome committed(std::int32_t partition, ErrorCode code = ErrorCode::none) {
    wire::OffsetCommitResponse response;
    response.topics.push_back({"t", {{partition, code}}});
    return positions.take(response);
  }

  Positions positions;
};

}  // namespace

TEST_CASE("reading begins where the group is") {
  Reading reading;
  reading.positions.add(Reading::place(0));
  reading.positions.add(Reading::place(1));
  CHECK(reading.asks() == "0 1 ");
  CHECK(reading.asks() == "");
  CHECK(reading.starts() == "");
  reading.told(1, 7);
  CHECK(reading.starts() == "1@7 ");
  CHECK(reading.starts() == "");
  CHECK(reading.positions.position(Reading::place(1)) == 7);
  CHECK(reading.asks() == "0 ");
  CHECK(reading.commits() == "");
}

TEST_CASE("where the group has committed nothing, the policy says where reading begins") {
  Reading reading(wire::earliest_timestamp);
  reading.positions.add(Reading::place(0));
  reading.asks();
  CHECK(reading.told(0, -1).refused.empty());
  auto look_ups = reading.positions.take_look_ups();
  REQUIRE(look_ups.size() == 1);
  CHECK(look_ups[0].timestamp == wire::earliest_timestamp);
  CHECK(reading.positions.take_look_ups().empty());
  reading.positions.look_up_failed(look_ups[0]);
  look_ups = reading.positions.take_look_ups();
  REQUIRE(look_ups.size() == 1);
  reading.positions.looked_up(look_ups[0], 4, 1);
  CHECK(reading.starts() == "0@4 ");
  // Whoever gets the partition next is to begin there, and not where the end is then.
  CHECK(reading.commits() == "0@4 ");

  Reading strict(std::nullopt);
  strict.positions.add(Reading::place(0));
  strict.asks();
  auto outcome = strict.told(0, -1);
  REQUIRE(outcome.refused.size() == 1);
  CHECK(outcome.refused[0].code == ErrorCode::offset_out_of_range);
  CHECK(strict.asks() == "");
}

TEST_CASE("a time after the last record means the end") {
  Reading reading(1'700'000'000'000);
  reading.positions.add(Reading::place(0));
  reading.asks();
  reading.told(0, -1);
  auto by_time = reading.positions.take_look_ups();
  REQUIRE(by_time.size() == 1);
  CHECK(by_time[0].timestamp == 1'700'000'000'000);
  reading.positions.looked_up(by_time[0], -1, -1);
  auto latest = reading.positions.take_look_ups();
  REQUIRE(latest.size() == 1);
  CHECK(latest[0].timestamp == wire::latest_timestamp);
  reading.positions.looked_up(latest[0], 9, 1);
  CHECK(reading.starts() == "0@9 ");
}

TEST_CASE("an offset that is not there any more is out of range, and the policy says what then") {
  Reading reading;
  reading.begin(0, 7);
  CHECK(reading.positions.out_of_range(Reading::place(0)));
  auto look_ups = reading.positions.take_look_ups();
  REQUIRE(look_ups.size() == 1);
  reading.positions.looked_up(look_ups[0], 2, 1);
  CHECK(reading.starts() == "0@2 ");
  CHECK(reading.commits() == "0@2 ");
  Reading strict(std::nullopt);
  strict.begin(0, 7);
  CHECK_FALSE(strict.positions.out_of_range(Reading::place(0)));
}

TEST_CASE("what is done is committed once, and what is only given out is not") {
  Reading reading;
  reading.begin(0, 5);
  reading.begin(1, 5);
  reading.positions.given(Reading::place(0), 9, 1);
  CHECK(reading.commits() == "");
  reading.positions.all_done();
  reading.positions.given(Reading::place(0), 11, 1);
  CHECK(reading.commits() == "0@9 ");
  CHECK(reading.commits() == "");
  reading.positions.all_done();
  CHECK(reading.commits() == "");
  reading.committed(0);
  CHECK(reading.positions.committed(Reading::place(0)) == 9);
  CHECK(reading.commits() == "0@11 ");
  reading.committed(0);
  CHECK(reading.commits() == "");
  CHECK_FALSE(reading.positions.is_behind());
}

TEST_CASE("a commit whose answer is lost is made again, with what was done meanwhile") {
  Reading reading;
  reading.begin(0, 5);
  reading.read(0, 7);
  CHECK(reading.commits() == "0@7 ");
  reading.read(0, 8);
  reading.positions.commit_failed();
  CHECK(reading.commits() == "0@8 ");
}

TEST_CASE("a commit does not go back, unless somebody wants just that") {
  Reading reading;
  reading.begin(0, 5);
  reading.read(0, 9);
  reading.commits();
  reading.committed(0);
  reading.positions.seek(Reading::place(0), 6);
  CHECK(reading.starts() == "0@6 ");
  reading.read(0, 8);
  CHECK(reading.commits() == "");
  reading.read(0, 10);
  CHECK(reading.commits() == "0@10 ");
  reading.committed(0);
  CHECK(reading.positions.commit_at(Reading::place(0), 3, "why"));
  CHECK(reading.commits() == "0@3 ");
  reading.positions.commit_failed();
  CHECK(reading.commits() == "0@3 ");
  reading.committed(0);
  CHECK(reading.positions.committed(Reading::place(0)) == 3);
  CHECK_FALSE(reading.positions.is_behind());
  CHECK(reading.commits() == "");
  reading.read(0, 12);
  CHECK(reading.commits() == "0@12 ");
}

TEST_CASE("what is not ours is neither committed nor asked about") {
  Reading reading;
  reading.begin(0, 5);
  reading.begin(1, 5);
  reading.read(0, 7);
  reading.read(1, 7);
  reading.positions.remove(Reading::place(0));
  CHECK(reading.commits() == "1@7 ");
  CHECK_FALSE(reading.positions.commit_at(Reading::place(0), 7, ""));
  CHECK_FALSE(reading.positions.is_behind({{"t", {0}}}));
  CHECK(reading.positions.is_behind({{"t", {0, 1}}}));
}

TEST_CASE("answers from before a partition was taken away say nothing about it") {
  Reading reading;
  reading.positions.add(Reading::place(0));
  reading.asks();
  reading.positions.remove(Reading::place(0));
  reading.positions.add(Reading::place(0));
  reading.told(0, 3);
  CHECK(reading.starts() == "");
  CHECK(reading.asks() == "0 ");
  reading.told(0, 8);
  CHECK(reading.starts() == "0@8 ");

  reading.read(0, 9);
  CHECK(reading.commits() == "0@9 ");
  reading.positions.remove(Reading::place(0));
  reading.positions.add(Reading::place(0));
  reading.committed(0);
  CHECK_FALSE(reading.positions.committed(Reading::place(0)));

  reading.asks();
  reading.told(0, -1);
  auto before = reading.positions.take_look_ups();
  REQUIRE(before.size() == 1);
  reading.positions.seek(Reading::place(0), 6);
  reading.positions.looked_up(before[0], 2, 1);
  CHECK(reading.starts() == "0@6 ");
}

TEST_CASE("what the coordinator says of the member is not an error of the partition") {
  Reading reading;
  reading.positions.add(Reading::place(0));
  reading.asks();
  CHECK(reading.told(0, -1, ErrorCode::unstable_offset_commit).retry);
  CHECK(reading.asks() == "0 ");
  reading.told(0, 5);
  reading.starts();
  reading.read(0, 7);
  reading.commits();
  auto outcome = reading.committed(0, ErrorCode::illegal_generation);
  CHECK(outcome.about_member == ErrorCode::illegal_generation);
  CHECK(outcome.refused.empty());
  CHECK(reading.commits() == "0@7 ");
  CHECK(reading.committed(0, ErrorCode::request_timed_out).retry);
  CHECK(reading.commits() == "0@7 ");
}

TEST_CASE("a commit that is refused for good is not tried again") {
  Reading reading;
  reading.begin(0, 5);
  reading.read(0, 7);
  reading.commits();
  auto outcome = reading.committed(0, ErrorCode::topic_authorization_failed);
  CHECK_FALSE(outcome.retry);
  REQUIRE(outcome.refused.size() == 1);
  CHECK(outcome.refused[0].place == Reading::place(0));
  CHECK_FALSE(reading.positions.is_behind());
  reading.read(0, 8);
  CHECK(reading.commits() == "0@8 ");
}

TEST_CASE("reading goes on where the log was cut, and what is committed goes back there") {
  Reading reading;
  reading.begin(0, 0);
  reading.read(0, 10);
  reading.commits();
  reading.committed(0);
  CHECK(reading.positions.cut_off(Reading::place(0), 7, 2));
  auto starts = reading.positions.take_starts();
  REQUIRE(starts.size() == 1);
  CHECK(starts[0].offset == 7);
  CHECK(starts[0].leader_epoch == 2);
  CHECK(reading.positions.position(Reading::place(0)) == 7);
  CHECK(reading.commits() == "0@7 ");
}

TEST_CASE("a commit that was under way when the log was cut is followed by one of where it was") {
  Reading reading;
  reading.begin(0, 0);
  reading.read(0, 10);
  CHECK(reading.commits() == "0@10 ");
  reading.positions.cut_off(Reading::place(0), 7, 2);
  reading.committed(0);
  CHECK(reading.commits() == "0@7 ");
}

TEST_CASE("what is cut off before anybody saw it is read again from where that was") {
  for (auto reset : {std::optional(wire::earliest_timestamp), std::optional<std::int64_t>()}) {
    Reading reading(reset);
    reading.begin(0, 0);
    reading.read(0, 5);
    reading.commits();
    reading.committed(0);
    CHECK(reading.positions.cut_off(Reading::place(0), 7, 2));
    CHECK(reading.starts() == "0@5 ");
    CHECK(reading.commits() == "");
  }
}

TEST_CASE("without a place to go to, a cut is an error") {
  Reading reading(std::nullopt);
  reading.begin(0, 0);
  reading.read(0, 5);
  CHECK_FALSE(reading.positions.cut_off(Reading::place(0), 3, 2));
  CHECK(reading.starts() == "");
  reading.positions.seek(Reading::place(0), 3);
  CHECK(reading.starts() == "0@3 ");
}

TEST_SUITE_END();
