#include "wire/end_txn.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<EndTxnResponse>;
template struct Codec<EndTxnRequest>;

}  // namespace leat::wire
