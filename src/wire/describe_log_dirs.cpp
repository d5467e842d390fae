#include "wire/describe_log_dirs.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<DescribeLogDirsResponse>;
template struct Codec<DescribeLogDirsRequest>;

}  // namespace leat::wire
