#include "wire/offset_for_leader_epoch.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<OffsetForLeaderEpochResponse>;
template struct Codec<OffsetForLeaderEpochRequest>;

}  // namespace leat::wire
