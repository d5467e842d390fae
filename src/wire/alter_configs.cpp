#include "wire/alter_configs.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<AlterConfigsResponse>;
template struct Codec<AlterConfigsRequest>;

}  // namespace leat::wire
