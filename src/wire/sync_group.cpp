#include "wire/sync_group.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<SyncGroupResponse>;
template struct Codec<SyncGroupRequest>;

}  // namespace leat::wire
