#include "wire/create_partitions.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<CreatePartitionsResponse>;
template struct Codec<CreatePartitionsRequest>;

}  // namespace leat::wire
