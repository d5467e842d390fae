#include "wire/init_producer_id.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<InitProducerIdResponse>;
template struct Codec<InitProducerIdRequest>;

}  // namespace leat::wire
