#include "wire/list_partition_reassignments.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<ListPartitionReassignmentsResponse>;
template struct Codec<ListPartitionReassignmentsRequest>;

}  // namespace leat::wire
