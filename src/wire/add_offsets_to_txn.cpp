#include "wire/add_offsets_to_txn.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<AddOffsetsToTxnResponse>;
template struct Codec<AddOffsetsToTxnRequest>;

}  // namespace leat::wire
