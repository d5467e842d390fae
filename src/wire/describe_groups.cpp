#include "wire/describe_groups.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<DescribeGroupsResponse>;
template struct Codec<DescribeGroupsRequest>;

}  // namespace leat::wire
