#include "wire/heartbeat.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<HeartbeatResponse>;
template struct Codec<HeartbeatRequest>;

}  // namespace leat::wire
