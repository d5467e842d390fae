#include "wire/leave_group.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<LeaveGroupResponse>;
template struct Codec<LeaveGroupRequest>;

}  // namespace leat::wire
