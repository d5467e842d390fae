#include "wire/find_coordinator.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<FindCoordinatorResponse>;
template struct Codec<FindCoordinatorRequest>;

}  // namespace leat::wire
