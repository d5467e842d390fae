#include "wire/delete_topics.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<DeleteTopicsResponse>;
template struct Codec<DeleteTopicsRequest>;

}  // namespace leat::wire
