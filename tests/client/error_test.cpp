// What users see of errors: codes, texts, and what can be asked about them.
#include "client/error.h"

#include <boost/system/error_code.hpp>
#include <doctest/doctest.h>

#include "client/wire_error.h"

namespace leat::client {
namespace {

std::error_code code_of(Errc code, bool possibly_persisted = false) {
  Error error{code, "x"};
  error.possibly_persisted = possibly_persisted;
  return to_error_code(error);
}

std::error_code code_of(wire::ErrorCode code, bool possibly_persisted = false) {
  Error error = broker_error(code, "orders/3", "127.0.0.1:9092");
  error.possibly_persisted = possibly_persisted;
  return to_error_code(error);
}

TEST_SUITE_BEGIN("client");

TEST_CASE("a broker's answer is Kafka's number, with Kafka's name") {
  std::error_code code = code_of(wire::ErrorCode::not_leader_or_follower);
  CHECK(code == KafkaError::not_leader_or_follower);
  CHECK(code != KafkaError::offset_out_of_range);
  CHECK(code.value() == 6);
  CHECK(code.message() == "NOT_LEADER_OR_FOLLOWER (6)");
  CHECK(std::string(code.category().name()) == "kafka");
  CHECK(retriable(code));
  CHECK_FALSE(fatal(code));
  CHECK(code_of(wire::ErrorCode::unknown_server_error) == KafkaError::unknown_server_error);
  CHECK(code_of(wire::ErrorCode(1234)).value() == 1234);
}

TEST_CASE("what the client finds out has a category of its own") {
  std::error_code code = code_of(Errc::connection_failed);
  CHECK(code == ClientError::connection_failed);
  // The numbers are the same, the categories are not.
  CHECK(code_of(Errc::cancelled) != KafkaError::offset_out_of_range);
  CHECK(retriable(code));
  CHECK_FALSE(retriable(code_of(Errc::malformed)));
  CHECK(fatal(code_of(Errc::producer_fenced)));
  CHECK(fatal(code_of(wire::ErrorCode::invalid_producer_epoch)));
  CHECK(fatal(code_of(wire::ErrorCode::inconsistent_group_protocol)));
  // Found out here, but Kafka has a name for it.
  CHECK(code_of(Errc::message_too_large) == KafkaError::message_too_large);
}

TEST_CASE("a record that may be in the log is known by a bit that comparisons leave out") {
  for (bool may_be_there : {false, true}) {
    std::error_code timed_out = code_of(Errc::request_timed_out, may_be_there);
    CHECK(timed_out == ClientError::timed_out);
    CHECK(timed_out == std::errc::timed_out);
    CHECK(possibly_persisted(timed_out) == may_be_there);
    CHECK(retriable(timed_out));
    for (auto answered :
         {wire::ErrorCode::unknown_server_error, wire::ErrorCode::request_timed_out}) {
      std::error_code code = code_of(answered, may_be_there);
      CHECK(code == std::error_condition(static_cast<int>(answered), kafka_category()));
      CHECK(possibly_persisted(code) == may_be_there);
      CHECK(code.message() == code_of(answered).message());
    }
  }
}

TEST_CASE("cancelled is what the standard and Asio call so, too") {
  std::error_code code = code_of(Errc::cancelled);
  CHECK(code == ClientError::cancelled);
  CHECK(code == std::errc::operation_canceled);
  CHECK(code != ClientError::timed_out);
  CHECK(std::error_code(ECANCELED, std::system_category()) == ClientError::cancelled);
  CHECK(std::error_code(EPIPE, std::system_category()) != ClientError::cancelled);
}

TEST_CASE("Boost's error codes carry ours, and compare the same") {
  boost::system::error_code code = code_of(wire::ErrorCode::request_timed_out, true);
  CHECK(code == KafkaError::request_timed_out);
  CHECK(possibly_persisted(code));
  CHECK(code.message() == "REQUEST_TIMED_OUT (7)");
  boost::system::error_code cancelled = code_of(Errc::cancelled);
  CHECK(cancelled == ClientError::cancelled);
  CHECK(cancelled == boost::system::errc::operation_canceled);
}

TEST_CASE("other codes have no answers") {
  for (auto code : {std::error_code(), std::make_error_code(std::errc::timed_out),
                    std::error_code(1 << 16, std::system_category())}) {
    CHECK_FALSE(retriable(code));
    CHECK_FALSE(fatal(code));
    CHECK_FALSE(possibly_persisted(code));
  }
}

TEST_CASE("an exception says the text, and has the code") {
  Exception thrown(code_of(wire::ErrorCode::topic_already_exists), "topic orders: there is one");
  CHECK(std::string(thrown.what()) == "topic orders: there is one");
  CHECK(thrown.code() == KafkaError::topic_already_exists);
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::client
