#include "broker/producer_ids.h"

#include <utility>

namespace leat::broker {
namespace {

constexpr std::int64_t block = 1000;

}  // namespace

void ProducerIds::draw(Done done) {
  waiting_.push_back(std::move(done));
  if (waiting_.size() > 1) return;
  executor_.post([this] { give(); });
}

void ProducerIds::give() {
  while (!waiting_.empty()) {
    if (next_ == end_) return reserve();
    ProducerId id = next_;
    next_ = ProducerId{next_.value() + 1};
    Done done = std::move(waiting_.front());
    waiting_.pop_front();
    done(id);
  }
}

void ProducerIds::reserve() {
  if (is_reserving_) return;
  is_reserving_ = true;
  ProducerId end{next_.value() + block};
  catalog_.reserve_producer_ids(end, [this, end](Result<void> written) {
    is_reserving_ = false;
    if (written) {
      end_ = end;
      return give();
    }
    for (Done& done : std::exchange(waiting_, {})) done(fail(written));
  });
}

}  // namespace leat::broker
