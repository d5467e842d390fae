#include "client/consumer_handle.h"

#include <boost/asio/post.hpp>

#include <utility>

#include "client/check_options.h"

namespace leat::client {

namespace asio = boost::asio;

ConsumerHandle::ConsumerHandle(asio::any_io_executor executor, ClientOptions options,
                               ConsumerDriverOptions driver_options)
    : Anchor(std::move(executor), std::move(options), check(driver_options.consumer)),
      group_(driver_options.consumer.group) {
  std::size_t poll_bytes = driver_options.consumer.partition_fetch_bytes;
  bool is_automatic = driver_options.consumer.auto_commit;
  driver_ = std::make_shared<ConsumerDriver>(cluster(), std::move(driver_options));
  poller_ = std::make_shared<Poller>(cluster()->executor(), driver_, poll_bytes, is_automatic);
  asio::post(cluster()->executor(),
             [cluster = cluster(), weak = std::weak_ptr<ConsumerDriver>(driver_)] {
               cluster->when_closed([weak] {
                 if (auto driver = weak.lock()) driver->stop();
               });
             });
}

void ConsumerHandle::post(std::function<void(ConsumerDriver&)> work) const {
  asio::post(cluster()->executor(), [driver = driver_, work = std::move(work)] { work(*driver); });
}

void ConsumerHandle::refuse(std::string why) const {
  asio::post(cluster()->executor(), [cluster = cluster(), why = std::move(why)] {
    cluster->close({Errc::invalid_argument, why});
  });
}

void ConsumerHandle::abandon() {
  if (driver_) driver_->silence();
  close();
}

void ConsumerHandle::let_go() {
  poller_.reset();
  driver_.reset();
  Anchor::let_go();
}

}  // namespace leat::client
