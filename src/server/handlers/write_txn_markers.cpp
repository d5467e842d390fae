// WriteTxnMarkers: ends a transaction in partitions, past its coordinator, as kafka-transactions.sh
// does with one that hangs.
#include <memory>
#include <utility>

#include "broker/epochs.h"
#include "broker/transactions.h"
#include "server/handlers.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

using wire::WriteTxnMarkersRequest;
using wire::WriteTxnMarkersResponse;

/// Whatever the request says: with that of the coordinator, it would be taken for a marker that is
/// there already.
constexpr std::int32_t no_coordinator = -1;

struct Pending {
  explicit Pending(Call<WriteTxnMarkersRequest> from) : call(std::move(from)) {}
  Call<WriteTxnMarkersRequest> call;
  WriteTxnMarkersResponse response;
  std::size_t left = 1;  // home's

  void finish_one() {
    if (--left == 0) call.answer(response);
  }
};

void write(const std::shared_ptr<Pending>& pending, const WriteTxnMarkersRequest::Marker& marker,
           std::shared_ptr<broker::Partition> partition,
           WriteTxnMarkersResponse::Marker::Topic::Partition* answer) {
  ++pending->left;
  Executor& home = pending->call.broker().executor();
  auto written = [pending, answer, &home](const Result<Offset>& result) {
    home.post([pending, answer, result] {
      if (!result) answer->error_code = to_wire(result.error().code);
      pending->finish_one();
    });
  };
  ProducerId producer{marker.producer_id};
  record::EndMarker end{marker.is_commit, no_coordinator};
  Executor& shard = partition->executor();
  shard.post([partition = std::move(partition), producer, epoch = marker.producer_epoch, end,
              written] { partition->append_marker(producer, epoch, end, written); });
}

}  // namespace

void handle(Call<WriteTxnMarkersRequest> call) {
  auto pending = std::make_shared<Pending>(std::move(call));
  const WriteTxnMarkersRequest& request = pending->call.request();
  auto topics = pending->call.broker().topics();
  auto& markers = pending->response.markers;
  markers.resize(request.markers.size());
  for (std::size_t m = 0; m < markers.size(); ++m) {
    const auto& asked = request.markers[m];
    markers[m].producer_id = asked.producer_id;
    markers[m].topics.resize(asked.topics.size());
    for (std::size_t t = 0; t < asked.topics.size(); ++t) {
      auto& topic = markers[m].topics[t];
      topic.name = asked.topics[t].name;
      topic.partitions.resize(asked.topics[t].partitions.size());
      broker::TopicPtr found = topics->find(topic.name);
      for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
        PartitionId number{asked.topics[t].partitions[p]};
        topic.partitions[p].partition_index = number.value();
        auto partition = found ? found->partition(number) : nullptr;
        bool has_producer = asked.producer_id >= 0 && asked.producer_epoch >= 0;
        if (!partition) {
          topic.partitions[p].error_code = wire::ErrorCode::unknown_topic_or_partition;
        } else if (!has_producer) {
          topic.partitions[p].error_code = wire::ErrorCode::invalid_request;
        } else if (pending->call.broker().epochs().has_producer(ProducerId{asked.producer_id})) {
          topic.partitions[p].error_code = wire::ErrorCode::invalid_txn_state;
        } else {
          write(pending, asked, std::move(partition), &topic.partitions[p]);
        }
      }
    }
  }
  pending->finish_one();
}

}  // namespace leat::server
