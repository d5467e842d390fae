#include "client/poller.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <utility>

#include "client/records_maker.h"

namespace leat::client {

namespace asio = boost::asio;

Poller::Poller(std::shared_ptr<Cluster> cluster, std::shared_ptr<ConsumerDriver> driver,
               std::size_t bytes)
    : cluster_(std::move(cluster)),
      driver_(std::move(driver)),
      bytes_(bytes),
      event_(cluster_->executor()) {}

void Poller::given_is_done() {
  if (std::exchange(has_given_, false)) driver_->all_done();
}

void Poller::forget(const ConsumerDriver::Place& place) {
  if (!result_ || !*result_) return;
  std::erase_if(**result_, [&](const Fetched& fetched) {
    return fetched.topic == place.topic && fetched.partition == place.partition;
  });
}

net::Task<Result<Records>> Poller::poll(std::stop_token stop) {
  auto self = shared_from_this();
  if (is_waited_for_) co_return fail(Errc::invalid_txn_state, "another poll is under way");
  struct Turn {
    explicit Turn(bool& with) : flag(with) { flag = true; }
    ~Turn() { flag = false; }
    bool& flag;
  };
  Turn turn(is_waited_for_);
  while (true) {
    Result<std::vector<Fetched>> fetched = co_await next(stop);
    if (!fetched) co_return fail(fetched);
    Records records = RecordsMaker::make(std::move(*fetched));
    // Markers and records of aborted transactions are not for users' eyes.
    if (!RecordsMaker::is_empty(records)) co_return Result<Records>(std::move(records));
  }
}

net::Task<Result<std::vector<Fetched>>> Poller::next(std::stop_token stop) {
  auto self = shared_from_this();
  if (!is_fetching_ && !result_) {
    given_is_done();
    is_fetching_ = true;
    asio::co_spawn(cluster_->executor(), fetch(self), asio::detached);
  }
  std::stop_callback<std::function<void()>> on_stop(stop, [this] { event_.notify(); });
  while (!result_ && !stop.stop_requested()) co_await event_.wait();
  if (!result_) co_return fail(Errc::cancelled, "cancelled");
  Result<std::vector<Fetched>> result = std::move(*result_);
  result_.reset();
  has_given_ = result.has_value();
  co_return result;
}

net::Task<void> Poller::fetch([[maybe_unused]] std::shared_ptr<Poller> self) {
  Result<std::vector<Fetched>> fetched = co_await driver_->poll(bytes_, std::nullopt);
  is_fetching_ = false;
  result_ = std::move(fetched);
  event_.notify();
}

}  // namespace leat::client
