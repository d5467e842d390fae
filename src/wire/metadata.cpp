#include "wire/metadata.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<MetadataResponse>;
template struct Codec<MetadataRequest>;

}  // namespace leat::wire
