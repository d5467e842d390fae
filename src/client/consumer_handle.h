// What Consumer holds.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "client/anchor.h"
#include "client/consumer_driver.h"
#include "client/poller.h"
#include "leat/options.h"

namespace leat::client {

class ConsumerHandle : public Anchor {
 public:
  ConsumerHandle(boost::asio::any_io_executor executor, ClientOptions options,
                 ConsumerDriverOptions driver_options);

  /// Soon, on the strand.
  void post(std::function<void(ConsumerDriver&)> work) const;
  /// From now on everything fails with that: the consumer was told what makes no sense.
  void refuse(std::string why) const;
  /// As close(), and no callback is called any more. No effect once the context has ended.
  void abandon();
  // These live there.
  const std::shared_ptr<ConsumerDriver>& driver() const { return driver_; }
  const std::shared_ptr<Poller>& poller() const { return poller_; }
  /// Empty without one.
  const std::string& group() const { return group_; }

 private:
  void let_go() override;

  std::string group_;
  std::shared_ptr<ConsumerDriver> driver_;
  std::shared_ptr<Poller> poller_;
};

}  // namespace leat::client
