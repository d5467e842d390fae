#include "wire/incremental_alter_configs.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<IncrementalAlterConfigsResponse>;
template struct Codec<IncrementalAlterConfigsRequest>;

}  // namespace leat::wire
