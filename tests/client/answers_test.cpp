// Large answers of brokers: however they come, and whoever holds their memory for how long.
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fake_cluster.h"
#include "leat/client.h"
#include "record/builder.h"

namespace leat::client {
namespace {

namespace asio = boost::asio;
using wire::ApiKey;
using wire::ErrorCode;

constexpr std::size_t large = 300'000;

/// A topic `orders` of such values, each in a batch of its own.
std::vector<std::string> fill(FakeCluster& cluster, int count) {
  cluster.add_topic("orders", 1);
  std::vector<std::string> values;
  for (int i = 0; i < count; ++i) {
    auto number = static_cast<std::size_t>(i);
    values.push_back(std::string(large + number, static_cast<char>('a' + i)));
    record::BatchBuilder builder;
    builder.append(0, {}, as_bytes(values.back()));
    cluster.append("orders", 0, builder.build());
  }
  return values;
}

template <class T>
T wait(asio::io_context& context, std::future<T> result) {
  context.restart();
  while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) context.run_one();
  return result.get();
}

const auto token = with_diagnostics(asio::use_future);

TEST_SUITE_BEGIN("client");

TEST_CASE("a large answer may come in small parts, and not to its end") {
  FakeCluster cluster(1);
  std::vector<std::string> sent = fill(cluster, 3);
  int fetches = 0;
  cluster.set_faults([&](ApiKey key, int) {
    bool is_cut = key == ApiKey::fetch && fetches++ < 2;
    return Fault{is_cut ? Fault::Kind::cut_answer : Fault::Kind::trickle, ErrorCode::none};
  });
  asio::io_context context;
  leat::Consumer consumer(context.get_executor(), quick_options(cluster));
  consumer.assign({{{"orders", 0}, 0}});
  std::vector<std::string> values;
  while (values.size() < sent.size()) {
    Records records = wait(context, consumer.async_poll(token));
    for (const InRecord& record : records) values.emplace_back(*record.value);
  }
  CHECK(values == sent);
}

TEST_CASE("records can be read when their consumer is gone, on another thread") {
  FakeCluster cluster(1);
  std::vector<std::string> sent = fill(cluster, 20);
  std::vector<Records> kept;
  {
    asio::io_context context;
    ConsumerOptions options;
    options.fetch_bytes = options.partition_fetch_bytes = large;
    leat::Consumer consumer(context.get_executor(), quick_options(cluster), options);
    consumer.assign({{{"orders", 0}, 0}});
    // The memory of those that are let go of is used again beside those that are kept.
    std::optional<std::int64_t> next = 0;
    for (bool keeps = false; next < 20; keeps = !keeps) {
      Records records = wait(context, consumer.async_poll(token));
      next = wait(context, consumer.async_position({"orders", 0}, token));
      if (keeps) kept.push_back(std::move(records));
    }
  }
  CHECK(kept.size() > 3);
  std::thread([&] {
    for (Records& records : kept) {
      for (const InRecord& record : records)
        CHECK(record.value == sent[static_cast<std::size_t>(record.offset)]);
    }
    kept.clear();
  }).join();
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::client
