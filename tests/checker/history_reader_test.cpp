#include <string>

#include <doctest/doctest.h>

#include "base/bytes.h"
#include "broker/group_records.h"
#include "checker/check.h"
#include "checker/history_reader.h"
#include "tools/base64.h"

TEST_SUITE_BEGIN("checker");

using namespace leat;
using namespace leat::checker;

namespace {

std::string in_base64(BytesView bytes) {
  std::string text;
  tools::append_base64(text, bytes);
  return text;
}

History read(const std::string& text) {
  HistoryReader reader;
  auto read = reader.read(text, "test");
  REQUIRE_MESSAGE(read, (read ? "" : read.error().what));
  return reader.history();
}

const std::string transaction =
    R"({"client":"loop-0.1"}
{"t":1,"op":1,"call":"send","topic":"out","partition":2,"uid":"a:1","txn":7,"source":["in",0,5]}
{"t":2,"op":2,"call":"offsets","group":"g","uid":"c:1","txn":7,"offsets":[["in",0,6]]}
{"t":3,"op":1,"outcome":"ok","offset":40}
{"t":4,"op":2,"outcome":"ok"}
{"t":5,"op":3,"call":"commit","txn":7}
{"t":6,"op":3,"outcome":"ok"}
)";

}  // namespace

TEST_CASE("operations are put together from the lines of their begin and their end") {
  History history = read(transaction);
  REQUIRE(history.sends.size() == 1);
  const Send& send = history.sends[0];
  CHECK(send.client == "loop-0.1");
  CHECK(send.to == Partition{"out", 2});
  CHECK(send.invoked == 1);
  CHECK(send.returned == 3);
  CHECK(send.outcome == Outcome::ok);
  CHECK(send.offset == 40);
  CHECK(send.transaction == 7);
  CHECK(send.source->first == Partition{"in", 0});
  CHECK(send.source->second == 5);
  REQUIRE(history.commits.size() == 1);
  CHECK(history.commits[0].transaction == 7);
  CHECK(history.commits[0].offsets == Offsets{{{"in", 0}, 6}});
  REQUIRE(history.ends.size() == 1);
  CHECK(history.ends[0].is_commit);
  CHECK(history.ends[0].returned == 6);
}

TEST_CASE("an operation that did not end is unknown, and half a line is none") {
  History history = read(R"({"client":"a"}
{"t":1,"op":1,"call":"send","topic":"out","partition":2,"uid":"a:1"}
{"t":2,"op":2,"call":"send","topic":"out","partition":2,"uid":"a:2"}
{"t":3,"op":1,"outcome":"fail"}
{"t":4,"op":2,"outc)");
  REQUIRE(history.sends.size() == 2);
  CHECK(history.sends[0].outcome == Outcome::fail);
  CHECK(history.sends[1].outcome == Outcome::unknown);
  CHECK(history.sends[1].returned == never);
}

TEST_CASE("sessions, polls, marks and what was told are read") {
  History history = read(R"({"client":"watch"}
{"t":1,"call":"assign","session":1,"group":"g","committed":true,"from":[["out",0,-1],["out",1,4]]}
{"t":2,"until":3,"call":"poll","session":1,"topic":"out","partition":1,"records":[[4,"a:1"]]}
{"t":4,"until":5,"call":"poll","session":1,"topic":"out","partition":1,"records":[],"end":6}
{"t":6,"op":1,"call":"end","topic":"out","partition":1,"stable":true}
{"t":7,"op":1,"outcome":"ok","offset":5}
{"t":8,"op":2,"call":"committed","group":"g"}
{"t":9,"op":2,"outcome":"ok","offsets":[["out",1,5],["out",0,-1]]}
{"client":"the harness"}
{"t":10,"mark":"kill","of":"server"}
{"t":11,"mark":"kill","of":"loop-0.1"}
{"t":12,"mark":"start","of":"server"}
)");
  REQUIRE(history.sessions.size() == 2);
  CHECK_FALSE(history.sessions[0].from.has_value());
  CHECK(history.sessions[0].group == "g");
  CHECK(history.sessions[1].from == 4);
  REQUIRE(history.sessions[1].polls.size() == 2);
  CHECK(history.sessions[1].polls[0].records[0].uid == "a:1");
  CHECK(history.sessions[1].polls[1].end == 6);
  REQUIRE(history.end_queries.size() == 1);
  CHECK(history.end_queries[0].is_stable);
  CHECK(history.end_queries[0].offset == 5);
  REQUIRE(history.committed_queries.size() == 1);
  CHECK(history.committed_queries[0].offsets.at({"out", 0}) == -1);
  CHECK(history.kills.size() == 1);
  CHECK(history.client_kills == 1);
}

TEST_CASE("generations, what a member gave back or lost, and who stood still are read") {
  History history = read(
      R"({"client":"share-1"}
{"t":1,"call":"assign","session":1,"group":"g","generation":7,"committed":true,)"
      R"("from":[["w",0,-1],["w",1,-1]]}
{"t":2,"until":3,"call":"poll","session":1,"topic":"w","partition":1,)"
      R"("records":[[4,"a:1"]],"generation":8}
{"t":4,"call":"revoke","session":1,"topic":"w","partition":0,"lost":true}
{"t":5,"call":"revoke","session":1,"topic":"w","partition":1,"lost":false}
{"client":"the harness"}
{"t":6,"mark":"stop","of":"share-1"}
)");
  REQUIRE(history.sessions.size() == 2);
  CHECK(history.sessions[0].generation == 7);
  CHECK(history.sessions[0].revoked == 4);
  CHECK(history.sessions[0].is_lost);
  CHECK(history.sessions[1].polls.at(0).generation == 8);
  CHECK(history.sessions[1].revoked == 5);
  CHECK_FALSE(history.sessions[1].is_lost);
  CHECK(history.stood_still.contains("share-1"));
  CHECK(history.client_kills == 0);
}

TEST_CASE("a dump's batches, markers and commits of groups are read") {
  Bytes key = broker::encode(broker::OffsetKey{"g", "in", 0});
  Bytes value = broker::encode(broker::OffsetRecord{6, -1, std::string("c:1\0", 4), 1, -1});
  std::string of_group = R"({"topic":"__consumer_offsets","partition":0,)";
  std::string header = R"("producer_id":9,"producer_epoch":3,"transactional":true)";
  History history = read(
      transaction + R"({"topic":"out","partition":2,"base_offset":40,"next_offset":41,)" + header +
      R"(}
{"topic":"out","partition":2,"offset":40,"timestamp":1,"key":null,"value":"a:1 xyz","headers":[]}
{"topic":"out","partition":2,"base_offset":41,"next_offset":42,"marker":"commit",)" +
      header + "}\n" + of_group + R"("base_offset":0,"next_offset":1,)" + header + "}\n" +
      of_group + R"("offset":0,"timestamp":1,"key_base64":")" + in_base64(key) +
      R"(","value_base64":")" + in_base64(value) + "\"}\n" + of_group +
      R"("base_offset":1,"next_offset":2,"marker":"abort",)" + header + "}\n");
  LogIndex log(history);
  REQUIRE(log.at({"out", 2}, 40) != nullptr);
  CHECK(log.at({"out", 2}, 40)->uid == "a:1");
  CHECK(log.at({"out", 2}, 40)->fate == Fate::committed);
  REQUIRE(log.commit_fate("c:1") != nullptr);
  CHECK(*log.commit_fate("c:1") == Fate::aborted);
  Report report = check(history);
  CHECK(report.has(Rule::torn_offsets));
  CHECK(report.has(Rule::commit_lost));
  CHECK(report.count() == 2);
}

TEST_CASE("a line that is no history is refused with its number") {
  HistoryReader reader;
  auto read = reader.read("{\"client\":\"a\"}\n{\"t\":1,\"op\":1,\"call\":\"send\"}\n", "file");
  REQUIRE_FALSE(read);
  CHECK(read.error().what.starts_with("file:2: "));
  CHECK_FALSE(reader.read_line("{"));
  CHECK_FALSE(reader.read_line("{\"t\":1,\"op\":7,\"outcome\":\"ok\"}"));
}

TEST_SUITE_END();
