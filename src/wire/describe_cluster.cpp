#include "wire/describe_cluster.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<DescribeClusterResponse>;
template struct Codec<DescribeClusterRequest>;

}  // namespace leat::wire
