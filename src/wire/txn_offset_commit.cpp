#include "wire/txn_offset_commit.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<TxnOffsetCommitResponse>;
template struct Codec<TxnOffsetCommitRequest>;

}  // namespace leat::wire
