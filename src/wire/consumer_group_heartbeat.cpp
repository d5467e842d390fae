#include "wire/consumer_group_heartbeat.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<ConsumerGroupHeartbeatResponse>;
template struct Codec<ConsumerGroupHeartbeatRequest>;

}  // namespace leat::wire
