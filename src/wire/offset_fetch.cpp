#include "wire/offset_fetch.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<OffsetFetchResponse>;
template struct Codec<OffsetFetchRequest>;

}  // namespace leat::wire
