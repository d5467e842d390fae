#include "wire/consumer_group_describe.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<ConsumerGroupDescribeResponse>;
template struct Codec<ConsumerGroupDescribeRequest>;

}  // namespace leat::wire
