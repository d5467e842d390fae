#include "wire/join_group.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<JoinGroupResponse>;
template struct Codec<JoinGroupRequest>;

}  // namespace leat::wire
