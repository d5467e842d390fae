#include "client/poller.h"

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <utility>

#include "client/records_maker.h"

namespace leat::client {

namespace {

using Clock = std::chrono::steady_clock;

/// Longer is for ever: a clock has an end.
constexpr std::chrono::years timeout_max{1};

}  // namespace

Poller::Poller(const boost::asio::any_io_executor& executor, std::shared_ptr<ConsumerDriver> driver,
               std::size_t bytes, bool is_automatic)
    : driver_(std::move(driver)), bytes_(bytes), is_automatic_(is_automatic), ended_(executor) {}

void Poller::given_is_done() {
  if (std::exchange(has_given_, false) && is_automatic_) driver_->all_done();
}

net::Task<Result<Records>> Poller::poll(std::optional<std::chrono::milliseconds> timeout,
                                        std::stop_token stop) {
  auto self = shared_from_this();
  // One that was cancelled is about to end.
  while (is_polling_ && stop_.stop_requested()) co_await ended_.wait();
  if (is_polling_) co_return fail(Errc::invalid_txn_state, "another poll is under way");
  struct Turn {
    explicit Turn(Poller& of) : poller(of) { poller.is_polling_ = true; }
    ~Turn() {
      poller.is_polling_ = false;
      poller.ended_.notify();
    }
    Poller& poller;
  };
  Turn turn(*this);
  stop_ = stop;
  if (timeout && *timeout > timeout_max) timeout.reset();
  if (timeout) timeout = std::max(*timeout, std::chrono::milliseconds(0));
  auto begin = Clock::now();
  while (true) {
    given_is_done();
    std::optional<std::chrono::milliseconds> left;
    if (timeout)
      left = *timeout - std::chrono::floor<std::chrono::milliseconds>(Clock::now() - begin);
    Result<std::vector<Fetched>> fetched = co_await driver_->poll(bytes_, left, stop);
    if (!fetched) co_return fail(fetched);
    has_given_ = true;
    bool is_nothing = fetched->empty();
    Records records = RecordsMaker::make(std::move(*fetched));
    // Markers and records of aborted transactions are not for users' eyes.
    if (!RecordsMaker::is_empty(records)) co_return Result<Records>(std::move(records));
    if (timeout && is_nothing) co_return Result<Records>(Records());
  }
}

}  // namespace leat::client
