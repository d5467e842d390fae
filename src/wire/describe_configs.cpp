#include "wire/describe_configs.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<DescribeConfigsResponse>;
template struct Codec<DescribeConfigsRequest>;

}  // namespace leat::wire
