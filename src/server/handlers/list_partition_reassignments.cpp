// ListPartitionReassignments: none, since there is no broker to move a partition to.
#include "server/handlers.h"

namespace leat::server {

void handle(Call<wire::ListPartitionReassignmentsRequest> call) {
  call.answer({});
}

}  // namespace leat::server
