#include "wire/offset_commit.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<OffsetCommitResponse>;
template struct Codec<OffsetCommitRequest>;

}  // namespace leat::wire
