#include "wire/create_topics.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<CreateTopicsResponse>;
template struct Codec<CreateTopicsRequest>;

}  // namespace leat::wire
