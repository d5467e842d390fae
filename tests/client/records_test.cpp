// Records: batches that are damaged, between others that are not.
#include "leat/records.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "client/records_maker.h"
#include "leat/error.h"
#include "server/peer.h"

namespace leat::client {
namespace {

/// What was fetched of a partition: records "N-0", "N-1", ..., in one batch.
Fetched fetched_of(std::int32_t partition, std::int64_t count, bool is_damaged) {
  std::vector<std::string> values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(std::to_string(partition) + "-" + std::to_string(i));
  auto batch = std::make_shared<Bytes>(server::batch_of(values));
  if (is_damaged) batch->back() ^= std::byte{1};
  Fetched fetched;
  fetched.topic = "orders";
  fetched.partition = partition;
  fetched.end = count;
  fetched.batches = *batch;
  fetched.owner = batch;
  return fetched;
}

TEST_SUITE_BEGIN("client");

TEST_CASE("a damaged batch is an error wherever it stands, and the other partitions are read") {
  for (std::int32_t damaged = 0; damaged < 3; ++damaged) {
    std::vector<Fetched> fetched;
    for (std::int32_t p = 0; p < 3; ++p) fetched.push_back(fetched_of(p, 2, p == damaged));
    Records records = RecordsMaker::make(std::move(fetched));
    CHECK_FALSE(records.empty());
    std::vector<std::string> values;
    int thrown = 0;
    for (int rounds = 0; rounds < 5; ++rounds) {
      try {
        for (const InRecord& record : records) values.emplace_back(*record.value);
        break;
      } catch (const Exception& exception) {
        CHECK(exception.code() == ClientError::corrupt);
        std::string place = "orders/" + std::to_string(damaged);
        CHECK(std::string(exception.what()).find(place) != std::string::npos);
        ++thrown;
      }
    }
    CHECK(thrown == 1);
    std::vector<std::string> wanted;
    for (std::int32_t p = 0; p < 3; ++p) {
      if (p == damaged) continue;
      for (const char* end : {"-0", "-1"}) wanted.push_back(std::to_string(p) + end);
    }
    CHECK(values == wanted);
  }
}

TEST_CASE("records are walked over once, and go on where one stopped") {
  std::vector<Fetched> fetched;
  fetched.push_back(fetched_of(7, 3, false));
  Records records = RecordsMaker::make(std::move(fetched));
  for (const InRecord& record : records) {
    CHECK(record.offset == 0);
    break;
  }
  std::vector<std::int64_t> offsets;
  for (const InRecord& record : records) offsets.push_back(record.offset);
  CHECK(offsets == std::vector<std::int64_t>{0, 1, 2});
  CHECK_FALSE(records.empty());
  for ([[maybe_unused]] const InRecord& record : records) FAIL("it was walked over already");
  for ([[maybe_unused]] const InRecord& record : Records()) FAIL("there is nothing in it");
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::client
