// Transactions without sockets: what goes to which coordinator, and what may still be done.
#include "client/transaction.h"

#include <doctest/doctest.h>

#include <fmt/core.h>

namespace leat::client {
namespace {

using namespace std::chrono_literals;
using wire::ErrorCode;
using State = Transaction::State;
using To = Transaction::To;

struct Transacting {
  Transacting() : transaction("pay", 60s, {10ms, 100ms}, Random(1)) {}
  /// One whose id is known.
  explicit Transacting(bool is_second) : Transacting() {
    REQUIRE(transaction.init());
    initialize(0);
    REQUIRE(transaction.begin(is_second));
  }

  std::optional<Transaction::Outgoing> next(bool is_settled = true) {
    now += 1s;
    return transaction.next(now, is_settled);
  }
  template <class Request>
  Request take(To to = To::transaction_coordinator) {
    auto outgoing = next();
    REQUIRE(outgoing);
    CHECK(outgoing->to == to);
    version_max = outgoing->version_max;
    const auto* request = std::get_if<Request>(&outgoing->request);
    REQUIRE(request);
    return *request;
  }
  void initialize(std::int16_t epoch) {
    take<wire::InitProducerIdRequest>();
    transaction.answered(wire::InitProducerIdResponse{0, ErrorCode::none, 7, epoch}, "b", now);
    REQUIRE(ended() == "done");
  }
  Transaction::Effect answer_added(ErrorCode code = ErrorCode::none) {
    wire::AddPartitionsToTxnResponse response;
    response.results.push_back({"t", {{0, code}}});
    return transaction.answered(response, "b", now);
  }
  Transaction::Effect answer_offsets_added(ErrorCode code = ErrorCode::none) {
    return transaction.answered(wire::AddOffsetsToTxnResponse{0, code}, "b", now);
  }
  Transaction::Effect answer_offsets(ErrorCode code = ErrorCode::none) {
    wire::TxnOffsetCommitResponse response;
    response.topics.push_back({"in", {{3, code}}});
    return transaction.answered(response, "b", now);
  }
  Transaction::Effect answer_end(ErrorCode code = ErrorCode::none) {
    return transaction.answered(wire::EndTxnResponse{0, code, -1, -1}, "b", now);
  }
  void lose() { transaction.unanswered({Errc::connection_failed, "lost"}, now); }
  /// "done", what went wrong, or "" while it has not ended.
  std::string ended() {
    auto result = transaction.take_ended();
    if (!result) return "";
    return *result ? "done" : result->error().what;
  }
  /// Adds t/0 by a request of its own.
  void add() {
    CHECK_FALSE(transaction.may_send("t", 0));
    take<wire::AddPartitionsToTxnRequest>();
    CHECK(answer_added().has_added);
    CHECK(transaction.may_send("t", 0));
  }
  Result<void> send_offsets() {
    return transaction.send_offsets({{"in", 3, 40, 2, "note"}}, {"g", 5, "m", "i"});
  }

  Transaction transaction;
  Transaction::Time now = 0ms;
  wire::Version version_max = 0;
};

const Error lost{Errc::request_timed_out, "t/0: too late"};

TEST_SUITE_BEGIN("client");

TEST_CASE("a transactional id is initialized, once more where answers are lost or it is early") {
  Transacting it;
  CHECK_FALSE(it.transaction.begin(false));
  REQUIRE(it.transaction.init());
  auto request = it.take<wire::InitProducerIdRequest>();
  CHECK(request.transactional_id == "pay");
  CHECK(request.transaction_timeout_ms == 60'000);
  CHECK(request.producer_id == -1);
  it.lose();
  it.take<wire::InitProducerIdRequest>();
  auto effect = it.transaction.answered(
      wire::InitProducerIdResponse{0, ErrorCode::not_coordinator, -1, -1}, "b", it.now);
  CHECK(effect.is_coordinator_lost);
  CHECK(it.ended().empty());
  it.initialize(3);
  CHECK(it.transaction.producer() == ProducerEpoch{ProducerId{7}, 3});
  CHECK(it.transaction.state() == State::ready);
}

TEST_CASE("an id that is refused at first may be asked for again") {
  Transacting it;
  REQUIRE(it.transaction.init());
  it.take<wire::InitProducerIdRequest>();
  it.transaction.answered(
      wire::InitProducerIdResponse{0, ErrorCode::transactional_id_authorization_failed, -1, -1},
      "b", it.now);
  CHECK(it.ended() ==
        "transactional id pay: TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53) from broker b");
  REQUIRE(it.transaction.init());
  it.initialize(0);
}

TEST_CASE("a partition is added before anything is sent to it, and together with others") {
  Transacting it(false);
  CHECK_FALSE(it.transaction.may_send("t", 0));
  CHECK_FALSE(it.transaction.may_send("t", 1));
  auto request = it.take<wire::AddPartitionsToTxnRequest>();
  CHECK(it.version_max == 3);
  REQUIRE(request.topics.size() == 1);
  CHECK(request.topics[0].partitions == std::vector<std::int32_t>{0, 1});
  // What comes meanwhile goes in the next request.
  CHECK_FALSE(it.transaction.may_send("t", 0));
  CHECK_FALSE(it.transaction.may_send("t", 2));
  it.lose();
  request = it.take<wire::AddPartitionsToTxnRequest>();
  CHECK(request.topics[0].partitions == std::vector<std::int32_t>{0, 1, 2});
  CHECK_FALSE(it.answer_added(ErrorCode::concurrent_transactions).has_added);
  it.take<wire::AddPartitionsToTxnRequest>();
  CHECK(it.answer_added().has_added);
  CHECK(it.transaction.may_send("t", 2));
}

TEST_CASE(
    "a transaction ends once its batches are settled, under the same epoch in the first "
    "protocol") {
  Transacting it(false);
  it.add();
  REQUIRE(it.transaction.commit());
  CHECK_FALSE(it.next(false));
  auto request = it.take<wire::EndTxnRequest>();
  CHECK(it.version_max == 4);
  CHECK(request.committed);
  CHECK(request.producer_epoch == 0);
  it.lose();
  it.take<wire::EndTxnRequest>();
  it.answer_end();
  CHECK(it.ended() == "done");
  CHECK(it.transaction.producer().epoch == 0);
  REQUIRE(it.transaction.begin(false));
  CHECK_FALSE(it.transaction.may_send("t", 0));
}

TEST_CASE("in the second protocol batches add their partitions, and each end raises the epoch") {
  Transacting it(true);
  CHECK(it.transaction.may_send("t", 0));
  REQUIRE(it.transaction.commit());
  it.take<wire::EndTxnRequest>();
  CHECK(it.version_max == 5);
  it.transaction.answered(wire::EndTxnResponse{0, ErrorCode::none, 7, 1}, "b", it.now);
  CHECK(it.ended() == "done");
  CHECK(it.transaction.producer() == ProducerEpoch{ProducerId{7}, 1});
}

TEST_CASE("a transaction in which nothing was done is ended without a request") {
  for (bool is_commit : {true, false}) {
    Transacting it(true);
    REQUIRE((is_commit ? it.transaction.commit() : it.transaction.abort()));
    CHECK_FALSE(it.next());
    CHECK(it.ended() == "done");
    CHECK(it.transaction.state() == State::ready);
  }
}

TEST_CASE("offsets go to the group's coordinator, with who commits them") {
  for (bool is_second : {false, true}) {
    Transacting it(is_second);
    REQUIRE(it.send_offsets());
    if (!is_second) {
      CHECK(it.take<wire::AddOffsetsToTxnRequest>().group_id == "g");
      it.answer_offsets_added();
    }
    auto request = it.take<wire::TxnOffsetCommitRequest>(To::group_coordinator);
    CHECK(it.version_max == (is_second ? 5 : 4));
    CHECK(request.group_id == "g");
    CHECK(request.generation_id == 5);
    CHECK(request.member_id == "m");
    CHECK(request.group_instance_id == "i");
    CHECK(request.topics[0].partitions[0].committed_offset == 40);
    CHECK_FALSE(it.transaction.commit());
    CHECK(it.answer_offsets(ErrorCode::not_coordinator).is_coordinator_lost);
    CHECK(it.ended().empty());
    it.take<wire::TxnOffsetCommitRequest>(To::group_coordinator);
    it.answer_offsets();
    CHECK(it.ended() == "done");
    REQUIRE(it.transaction.commit());
    it.take<wire::EndTxnRequest>();
  }
}

TEST_CASE("offsets of a member that is none any more leave only to abort") {
  Transacting it(true);
  REQUIRE(it.send_offsets());
  it.take<wire::TxnOffsetCommitRequest>(To::group_coordinator);
  it.answer_offsets(ErrorCode::illegal_generation);
  CHECK(it.ended() == "group g, in/3: ILLEGAL_GENERATION (22) from broker b");
  CHECK(it.transaction.state() == State::abortable);
  CHECK_FALSE(it.transaction.commit());
  CHECK_FALSE(it.transaction.begin(true));
  REQUIRE(it.transaction.abort());
  CHECK_FALSE(it.take<wire::EndTxnRequest>().committed);
}

TEST_CASE(
    "a batch that failed leaves only to abort, and in the first protocol a new epoch follows") {
  Transacting it(false);
  it.add();
  REQUIRE(it.transaction.commit());
  it.transaction.batch_failed(lost, true);
  CHECK(it.ended() == "t/0: too late");
  CHECK(it.transaction.state() == State::abortable);
  CHECK_FALSE(it.next());
  auto refused = it.transaction.commit();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what == "t/0: too late");
  REQUIRE(it.transaction.abort());
  CHECK_FALSE(it.take<wire::EndTxnRequest>().committed);
  it.answer_end();
  CHECK(it.ended().empty());
  auto raise = it.take<wire::InitProducerIdRequest>();
  CHECK(raise.producer_id == 7);
  CHECK(raise.producer_epoch == 0);
  it.transaction.answered(wire::InitProducerIdResponse{0, ErrorCode::none, 7, 1}, "b", it.now);
  CHECK(it.ended() == "done");
  CHECK(it.transaction.producer().epoch == 1);
  REQUIRE(it.transaction.begin(false));
}

TEST_CASE("a partition that is refused leaves only to abort") {
  Transacting it(false);
  CHECK_FALSE(it.transaction.may_send("t", 0));
  it.take<wire::AddPartitionsToTxnRequest>();
  it.answer_added(ErrorCode::topic_authorization_failed);
  CHECK(it.transaction.state() == State::abortable);
  REQUIRE(it.transaction.abort());
  CHECK_FALSE(it.next());
  CHECK(it.ended() == "done");
}

TEST_CASE("before an abort it is made sure whether the coordinator knows of the transaction") {
  for (bool is_known : {true, false}) {
    Transacting it(false);
    CHECK_FALSE(it.transaction.may_send("t", 0));
    it.take<wire::AddPartitionsToTxnRequest>();
    REQUIRE(it.transaction.abort());
    it.lose();
    auto again = it.take<wire::AddPartitionsToTxnRequest>();
    CHECK(again.topics[0].partitions == std::vector<std::int32_t>{0});
    it.answer_added(is_known ? ErrorCode::none : ErrorCode::topic_authorization_failed);
    if (is_known) {
      it.take<wire::EndTxnRequest>();
      it.answer_end();
    } else {
      CHECK_FALSE(it.next());
    }
    CHECK(it.ended() == "done");
  }
}

TEST_CASE("a transaction that the coordinator has lost is aborted by a new epoch") {
  Transacting it(false);
  it.add();
  REQUIRE(it.transaction.abort());
  it.take<wire::EndTxnRequest>();
  it.answer_end(ErrorCode::invalid_txn_state);
  CHECK(it.take<wire::InitProducerIdRequest>().producer_id == 7);
  it.transaction.answered(wire::InitProducerIdResponse{0, ErrorCode::none, 7, 1}, "b", it.now);
  CHECK(it.ended() == "done");
}

TEST_CASE("a producer that was fenced can do nothing any more") {
  Transacting it(true);
  it.transaction.may_send("t", 0);
  REQUIRE(it.transaction.commit());
  it.take<wire::EndTxnRequest>();
  it.answer_end(ErrorCode::producer_fenced);
  CHECK(it.ended() == "transactional id pay: PRODUCER_FENCED (90) from broker b");
  CHECK(it.transaction.state() == State::fatal);
  for (const Result<void>& result :
       {it.transaction.init(), it.transaction.begin(true), it.transaction.commit(),
        it.transaction.abort(), it.send_offsets()}) {
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Errc::producer_fenced);
  }
  CHECK_FALSE(it.next());
}

TEST_CASE("a commit whose result was not waited for can be asked for again") {
  Transacting it(true);
  it.transaction.may_send("t", 0);
  REQUIRE(it.transaction.commit());
  it.take<wire::EndTxnRequest>();
  CHECK_FALSE(it.transaction.abort());
  REQUIRE(it.transaction.commit());
  it.answer_end();
  REQUIRE(it.transaction.commit());
  CHECK(it.ended() == "done");
  CHECK_FALSE(it.transaction.commit());
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::client
