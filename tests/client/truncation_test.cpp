// What a consumer does when a leader is elected that has less than the one before.
#include "leat/client.h"

#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include "client/client_context.h"
#include "client/fake_cluster.h"
#include "record/builder.h"

namespace leat {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using client::FakeCluster;
using client::quick_options;

/// Five records.
Bytes five(const std::string& prefix) {
  record::BatchBuilder builder;
  for (int i = 0; i < 5; ++i) builder.append(0, std::nullopt, as_bytes(prefix + std::to_string(i)));
  return builder.build({});
}

/// Reads "orders", which is led by the first of two brokers and holds ten records.
class Story {
 public:
  explicit Story(OffsetReset reset) {
    fake.add_topic("orders", 1);
    fake.append("orders", 0, five("a"));
    fake.append("orders", 0, five("b"));
    ConsumerOptions options;
    options.offset_reset = reset;
    consumer.emplace(context_.get_executor(), quick_options(fake), options);
    consumer->assign({{{"orders", 0}, 0}});
  }

  /// The values of the next records, or the error.
  std::string poll(std::size_t count) {
    std::string out;
    for (std::size_t got = 0; got < count && !error;) {
      bool is_done = false;
      consumer->async_poll([&](error_code code, Records records) {
        error = code;
        for (const InRecord& record : records) {
          out += std::string(*record.value) + " ";
          ++got;
        }
        is_done = true;
      });
      run_until(context_, [&] { return is_done; });
    }
    return out;
  }

  FakeCluster fake{2};
  std::optional<Consumer> consumer;
  error_code error;

 private:
  asio::io_context context_;
};

TEST_SUITE_BEGIN("client");

TEST_CASE("what was read of a log that was cut is not read over") {
  for (OffsetReset reset : {OffsetReset::earliest, OffsetReset::latest}) {
    Story story(reset);
    CHECK(story.poll(10) == "a0 a1 a2 a3 a4 b0 b1 b2 b3 b4 ");
    story.fake.cut("orders", 0, 5, 2);
    for (const char* prefix : {"c", "d"}) story.fake.append("orders", 0, five(prefix));
    // Those of c stand where those of b stood.
    CHECK(story.poll(10) == "c0 c1 c2 c3 c4 d0 d1 d2 d3 d4 ");
    CHECK(story.fake.requests(wire::ApiKey::offset_for_leader_epoch) > 0);
  }
}

TEST_CASE("who has not said where to go is told that a log was cut") {
  Story story(OffsetReset::none);
  CHECK(story.poll(10) == "a0 a1 a2 a3 a4 b0 b1 b2 b3 b4 ");
  story.fake.cut("orders", 0, 5, 2);
  story.fake.append("orders", 0, five("c"));
  CHECK(story.poll(1) == "");
  CHECK(story.error == KafkaError::offset_out_of_range);
  story.error = {};
  story.consumer->seek({{"orders", 0}, 5});
  CHECK(story.poll(5) == "c0 c1 c2 c3 c4 ");
}

TEST_CASE("a new leader that has everything is read from as the one before") {
  Story story(OffsetReset::none);
  CHECK(story.poll(10) == "a0 a1 a2 a3 a4 b0 b1 b2 b3 b4 ");
  story.fake.cut("orders", 0, 10, 2);
  story.fake.append("orders", 0, five("c"));
  CHECK(story.poll(5) == "c0 c1 c2 c3 c4 ");
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat
