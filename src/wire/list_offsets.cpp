#include "wire/list_offsets.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<ListOffsetsResponse>;
template struct Codec<ListOffsetsRequest>;

}  // namespace leat::wire
