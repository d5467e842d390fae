// Sends orders, reads them as a member of a group, and commits how far it came: orders HOST:PORT
//
//   g++ -std=c++20 orders.cpp $(pkg-config --cflags --libs leat) -o orders
#include <leat/client.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <exception>
#include <string>

namespace asio = boost::asio;

asio::awaitable<void> run(leat::ClientOptions connect) {
  auto executor = co_await asio::this_coro::executor;
  leat::Admin admin(executor, connect);
  co_await admin.async_create_topic({"orders", 3});

  leat::Producer producer(executor, connect);
  for (int i = 0; i < 1000; ++i) {
    std::string key = "customer-" + std::to_string(i % 7);
    std::string value = std::to_string(i);
    // Waits while there is no room: that is all the back-pressure there is.
    co_await producer.async_enqueue({.topic = "orders", .key = key, .value = value});
  }
  co_await producer.async_flush();
  leat::Delivery last = co_await producer.async_send({.topic = "orders", .value = "last"});
  std::printf("the last one is in partition %d\n", last.partition);

  leat::ConsumerOptions options;
  options.group = "billing";
  options.offset_reset = leat::OffsetReset::earliest;
  leat::Consumer consumer(executor, connect, options);
  consumer.subscribe({"orders"});
  int count = 0;
  while (count < 1001) {
    leat::Records records = co_await consumer.async_poll();
    for (const leat::InRecord& record : records) count += record.value.has_value() ? 1 : 0;
  }
  co_await consumer.async_close();
  std::printf("read %d orders\n", count);

  // What goes wrong is thrown, as a code to act on and a text to read.
  co_await admin.async_create_topic({"orders"});
}

int main(int count, char** arguments) {
  if (count != 2) return 2;
  leat::ClientOptions connect;
  connect.brokers = arguments[1];
  asio::io_context context;
  asio::co_spawn(context, run(connect), [&](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const leat::Exception& exception) {
      bool is_there = exception.code() == leat::KafkaError::topic_already_exists;
      std::printf("%s%s\n", is_there ? "as it should be: " : "", exception.what());
    }
  });
  context.run();
}
