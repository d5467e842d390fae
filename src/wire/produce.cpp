#include "wire/produce.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<ProduceResponse>;
template struct Codec<ProduceRequest>;

}  // namespace leat::wire
