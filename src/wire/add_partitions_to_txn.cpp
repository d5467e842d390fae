#include "wire/add_partitions_to_txn.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<AddPartitionsToTxnResponse>;
template struct Codec<AddPartitionsToTxnRequest>;

}  // namespace leat::wire
