#include "wire/offset_delete.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<OffsetDeleteResponse>;
template struct Codec<OffsetDeleteRequest>;

}  // namespace leat::wire
