#include "server/stable_offsets.h"

#include <atomic>
#include <utility>

namespace leat::server {

void load_producers(std::vector<std::shared_ptr<broker::Partition>> partitions, Executor& executor,
                    Work done) {
  struct Pending {
    std::atomic<std::size_t> left;
    Work done;
  };
  auto pending = std::make_shared<Pending>();
  pending->left = partitions.size();
  pending->done = std::move(done);
  for (auto& partition : partitions) {
    Executor& shard = partition->executor();
    shard.post([pending, &executor, partition = std::move(partition)] {
      partition->load_producers([pending, &executor](const Result<void>&) {
        if (--pending->left == 0) executor.post([pending] { pending->done(); });
      });
    });
  }
}

}  // namespace leat::server
