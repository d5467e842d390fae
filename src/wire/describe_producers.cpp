#include "wire/describe_producers.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<DescribeProducersResponse>;
template struct Codec<DescribeProducersRequest>;

}  // namespace leat::wire
